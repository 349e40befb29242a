"""How much memory painting may take in this process. Linux only; elsewhere nothing is known."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_STATM = Path("/proc/self/statm")
CODE_BYTES: Final = 50 * 2**20
"""Libraries' code that painting runs through, and what is compiled for one more size of picture."""
COMPILED_BYTES: Final = 26 * 2**20
"""What libraries compile and set up in a process that paints for the first time, and then keep."""
HOLES: Final = 1.25
"""So many times what a painting has in use does it take: blocks lie free between others, after some
pictures of different sizes more of them."""


def bytes_taken() -> int:
    """Memory that this process will have while it paints once more, the picture's own aside: what
    it has now as the system counts it, with an allowance for code; 0 where that is not known."""
    try:
        _, resident, shared, *_ = _STATM.read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") + CODE_BYTES


def bytes_taken_once_warm() -> int:
    """As `bytes_taken`, of a process that has not painted yet."""
    return bytes_taken() + COMPILED_BYTES


def room_within(allowed: int, taken: int) -> int:
    """Bytes that a painting may have in use at once in a process that takes so many before it, for
    the process to stay within what is allowed."""
    return max(0, int((allowed - taken) / HOLES))
