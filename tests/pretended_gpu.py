"""A plugin whose device has the pixel cap of the built-in GPU device and computes on the CPU: what
a GPU is to paint can be tested where there is none."""

from __future__ import annotations

from collections.abc import Sequence

import impasto_cuda
from impasto import Device, Settings, hookimpl
from impasto_cpu import Cpu

SETTINGS = {"PLUGINS__FILES": f'["{__file__}"]', "PAINTING__DEVICE": "pretended_gpu"}
"""For whoever starts a process; variables without `IMPASTO_`."""


class PretendedGpu(Cpu):
    name = "pretended_gpu"
    order = 900


@hookimpl
def impasto_devices(settings: Settings) -> Sequence[Device]:
    memory = settings.painting.memory_mb
    return [
        PretendedGpu(real.max_pixels(), memory) for real in impasto_cuda.impasto_devices(settings)
    ]
