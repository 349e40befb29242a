"""An NVIDIA GPU as painting device; `auto` prefers it."""

from __future__ import annotations

import torch

from impasto import Device, hookimpl
from impasto.settings import Settings


class Cuda:
    """The `cuda` device: the first GPU; bfloat16 features where it has units for it."""

    name = "cuda"
    order = 100

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels

    def why_not(self) -> str | None:
        if torch.version.cuda is None:
            return "this build of torch has no CUDA; install one from pytorch.org"
        if not torch.cuda.is_available():
            return "torch finds no NVIDIA GPU with a working driver; see `nvidia-smi`"
        return None

    def torch_device(self) -> torch.device:
        return torch.device("cuda")

    def feature_dtype(self) -> torch.dtype:
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32

    def max_pixels(self) -> int:
        return self._max_pixels


@hookimpl
def impasto_devices(settings: Settings) -> list[Device]:
    return [Cuda(settings.painting.max_pixels_gpu)]
