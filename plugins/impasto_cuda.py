"""An NVIDIA GPU as painting device; `auto` prefers it."""

from __future__ import annotations

from typing import Final

import torch

from impasto import Device, hookimpl
from impasto.settings import Settings

USED_SHARE: Final = 0.8
"""Of the free memory; the rest is for cuDNN's scratch and for fragments."""
STRIPS_IN_MEMORY: Final = 32
LEAST_STRIP_BYTES: Final = 32_000_000
"""Smaller strips leave a GPU idle."""


class Cuda:
    """The `cuda` device: the first GPU; bfloat16 features where it has units for it. Sums (Gram
    matrices, losses) are float32."""

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

    def memory(self) -> int | None:
        """Most of what is free on the GPU, torch's own cache included."""
        free, _ = torch.cuda.mem_get_info()
        cached = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return int(USED_SHARE * (free + cached))

    def strip_bytes(self) -> int:
        """A part of the memory: pictures that fit run whole, larger ones in tiles of rows."""
        return max(LEAST_STRIP_BYTES, (self.memory() or 0) // STRIPS_IN_MEMORY)


@hookimpl
def impasto_devices(settings: Settings) -> list[Device]:
    return [Cuda(settings.painting.max_pixels_gpu)]
