"""The CPU as painting device: works everywhere."""

from __future__ import annotations

import functools
import platform
from pathlib import Path
from typing import Final, Literal

import torch

from impasto import Device, hookimpl
from impasto.memory import memory_for_painting, return_free_memory, unreclaimable_bytes
from impasto.settings import AUTO, Settings

STRIP_BYTES: Final = 1_000_000
"""A strip's largest map should stay in the cache; below, halos cost more than that saves."""
COMPILED_BYTES: Final = 26 * 2**20
"""What libraries compile and set up when a process paints for the first time, and then keep."""
RESERVED_BYTES: Final = 25 * 2**20
"""Kept free, until they take it, for what libraries compile for further sizes of pictures, about
5 MB for each of the first few."""
UNNOTICED_BYTES: Final = 32 * 2**20
"""A change by less of what the machine leaves is ignored: it may take that of what is left free."""
FRAGMENTATION: Final = 1.25
"""A painting makes the process grow by up to this factor times what it has in use at once, as freed
blocks lie between others."""
_CPUINFO = Path("/proc/cpuinfo")
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # x86, x86, Arm


@functools.cache
def has_bfloat16_units() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware; emulated, it is slower than float32."""
    if platform.system() != "Linux":
        return False
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return not _BFLOAT16_FLAGS.isdisjoint(flags.split())


class Cpu:
    """The `cpu` device: bfloat16 features where the CPU has units for it, float32 elsewhere."""

    name = "cpu"
    order = 200

    def __init__(self, max_pixels: int, memory_mb: int | Literal["auto"]) -> None:
        self._max_pixels = max_pixels
        self._memory_mb = memory_mb
        self._held: int | None = None
        self._taken_once_warm = (unreclaimable_bytes() or 0) + COMPILED_BYTES

    def why_not(self) -> str | None:
        return None

    def torch_device(self) -> torch.device:
        return torch.device("cpu")

    def feature_dtype(self) -> torch.dtype:
        return torch.bfloat16 if has_bfloat16_units() else torch.float32

    def max_pixels(self) -> int:
        return self._max_pixels

    def memory(self) -> int | None:
        """What the settings allow for the whole process (`painting.memory_mb`, which counts memory
        that cannot be reclaimed), less what the process has already."""
        return_free_memory()  # what the painting before this one has freed is not taken
        allowed = self._left() if self._memory_mb == AUTO else self._memory_mb * 2**20
        if not allowed:
            return None
        taken = max(self._taken_once_warm + RESERVED_BYTES, unreclaimable_bytes() or 0)
        return max(0, int((allowed - taken) / FRAGMENTATION))

    def _left(self) -> int | None:
        """What the machine leaves for this process. Held while it changes a little: else pictures
        would come in another size each time, and each size has its own code compiled."""
        left = memory_for_painting()
        if left is None or self._held is None or abs(left - self._held) > UNNOTICED_BYTES:
            self._held = left
        return self._held

    def strip_bytes(self) -> int:
        return STRIP_BYTES


@hookimpl
def impasto_devices(settings: Settings) -> list[Device]:
    return [Cpu(settings.painting.max_pixels_cpu, settings.painting.memory_mb)]
