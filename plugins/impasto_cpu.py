"""The CPU as painting device: works everywhere."""

from __future__ import annotations

import functools
import platform
from pathlib import Path
from typing import Final

import torch

from impasto import Device, hookimpl
from impasto.memory import return_free_memory
from impasto.painting.memory_use import bytes_taken, bytes_taken_once_warm, room_within
from impasto.settings import Settings

STRIP_BYTES: Final = 1_000_000
"""A strip's largest map should stay in the cache; below, halos cost more than that saves."""
_CPUINFO = Path("/proc/cpuinfo")
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # x86, x86, Arm


@functools.cache
def has_bfloat16_units() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware; emulated, it is slower than float32."""
    if platform.system() != "Linux":
        return False
    try:
        lines = _CPUINFO.read_text().splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return not _BFLOAT16_FLAGS.isdisjoint(flags.split())


class Cpu:
    """The `cpu` device: bfloat16 features where the CPU has units for it, float32 elsewhere."""

    name = "cpu"
    order = 200

    def __init__(self, max_pixels: int, memory_mb: int) -> None:
        self._max_pixels = max_pixels
        self._memory = memory_mb * 2**20
        self._taken_once_warm = bytes_taken_once_warm()

    def why_not(self) -> str | None:
        return None

    def torch_device(self) -> torch.device:
        return torch.device("cpu")

    def feature_dtype(self) -> torch.dtype:
        return torch.bfloat16 if has_bfloat16_units() else torch.float32

    def max_pixels(self) -> int:
        return self._max_pixels

    def memory(self) -> int | None:
        """What the settings allow for the whole process, less what it takes already, which grows
        a little with every new size of picture."""
        if not self._memory:
            return None
        return_free_memory()  # what a painting before this one has freed is not taken
        return room_within(self._memory, max(self._taken_once_warm, bytes_taken()))

    def strip_bytes(self) -> int:
        return STRIP_BYTES


@hookimpl
def impasto_devices(settings: Settings) -> list[Device]:
    return [Cpu(settings.painting.max_pixels_cpu, settings.painting.memory_mb)]
