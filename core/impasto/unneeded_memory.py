"""Memory that a process holds and does not need, given back. Linux only; elsewhere nothing
happens."""

from __future__ import annotations

import ctypes
import re
import sys
from pathlib import Path
from typing import Final

_MAPS = Path("/proc/self/maps")
_CODE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \d+\s+/")
_MADV_DONTNEED: Final = 4
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3

LARGE_ALLOCATION: Final = 2_500_000
"""Bytes from which an allocation is a mapping of its own, which goes back whole when it is freed.
glibc raises its own threshold up to 32 MB as it sees such blocks freed, and what is then allocated
between smaller blocks leaves holes behind: 250 MB of them at a megapixel."""
KEPT_FREE: Final = 32_000_000
"""Bytes that may lie free at the end of the heap. Setting one threshold resets the other to 128 kB:
strips' maps would go back to the system and be cleared by it again hundreds of times a second."""


def tidy() -> None:
    """Gives back what is resident but not needed: free pages of glibc's allocator
    (malloc_trim(3)) and the pages of libraries' code.

    Loading torch alone runs through 60 MB of code that registers operators and is never needed
    again. Code is a clean copy of its file: the kernel drops the pages at once (madvise(2),
    MADV_DONTNEED) and reads those back that are used.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    for line in _MAPS.read_text().splitlines():
        code = _CODE.match(line)
        if code:
            start, end = int(code[1], 16), int(code[2], 16)
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)
    malloc_trim = getattr(libc, "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)


def return_large_blocks() -> None:
    """Has glibc's allocator give large blocks back to the system as soon as they are freed
    (mallopt(3)); other allocators know their own ways."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_ALLOCATION)
        mallopt(_M_TRIM_THRESHOLD, KEPT_FREE)
