"""A plugin whose device has the pixel cap of the built-in GPU device and computes on the CPU: what
a GPU is to paint can be tested where there is none."""

from __future__ import annotations

from collections.abc import Sequence

import torch

import impasto_cuda
from impasto import Device, Settings, hookimpl

SETTINGS = {"PLUGINS__FILES": f'["{__file__}"]', "PAINTING__DEVICE": "pretended_gpu"}
"""For whoever starts a process; variables without `IMPASTO_`."""


class PretendedGpu:
    name = "pretended_gpu"
    order = 900

    def __init__(self, real: Device) -> None:
        self._real = real

    def why_not(self) -> str | None:
        return None

    def torch_device(self) -> torch.device:
        return torch.device("cpu")

    def feature_dtype(self) -> torch.dtype:
        return torch.float32

    def max_pixels(self) -> int:
        return self._real.max_pixels()

    def memory(self) -> int | None:
        return None

    def strip_bytes(self) -> int:
        return 1_000_000


@hookimpl
def impasto_devices(settings: Settings) -> Sequence[Device]:
    return [PretendedGpu(real) for real in impasto_cuda.impasto_devices(settings)]
