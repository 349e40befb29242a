"""Files that one process holds at a time, on every system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any, Final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:  # everywhere else
    msvcrt = None  # type: ignore[assignment]

_FAR: Final = 1 << 30
"""A byte beyond what is in such a file: on Windows nobody else can read a byte that is locked."""


def opened(path: Path) -> IO[str]:
    """The file, made where it is not there, open for reading and writing, with what is in it.

    Raises:
        OSError: it is a symbolic link, or cannot be opened. A link may lead to any file.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)  # Windows has none
    return os.fdopen(os.open(path, flags, 0o600), "r+")


def lock(file: IO[Any]) -> bool:
    """Whether this process has the file for itself now, until it is closed or the process ends.

    Where the system has no locks, it always has.

    Raises:
        OSError: the file cannot be locked for another reason.
    """
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    elif msvcrt is not None:
        position = file.tell()
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        finally:
            file.seek(position)
    return True
