"""Memory of processes on Linux: what glibc's allocator keeps, and what the kernel tells.

On other systems, and with other allocators, the functions do nothing and know nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_FIRST_VICTIM: Final = 1000
"""The highest `oom_score_adj`: https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html"""

LARGE_ALLOCATION: Final = 2_500_000
"""Bytes from which an allocation is a mapping of its own, which is returned whole when it is freed.
Left to itself, glibc raises this threshold up to 32 MB when it sees such blocks freed; large blocks
then lie between small ones and leave holes behind: 250 MB of them at a megapixel."""
KEPT_FREE: Final = 32_000_000
"""Bytes that may lie free at the end of the heap. Setting one threshold resets the other to 128 kB,
with which the feature maps of strips would be returned to the system, and cleared by it again,
hundreds of times a second."""


def return_free_memory() -> None:
    """Has glibc's allocator return free pages to the system (malloc_trim(3))."""
    _call_allocator("malloc_trim", 0)


def return_large_blocks() -> None:
    """Has glibc's allocator return large blocks to the system as soon as they are freed
    (mallopt(3))."""
    _call_allocator("mallopt", _M_MMAP_THRESHOLD, LARGE_ALLOCATION)
    _call_allocator("mallopt", _M_TRIM_THRESHOLD, KEPT_FREE)


def _call_allocator(function: str, *arguments: int) -> None:
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), function):
        getattr(libc, function)(*arguments)


def resident_bytes(pid: int) -> int | None:
    """Resident memory of a process, shared pages included; None when that is not known."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_bytes().split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def unreclaimable_bytes(pid: int | None = None) -> int | None:
    """What of a process, by default of this one, the kernel cannot take back: the memory that it
    has written to. Pages of program code and of other files are not counted, as they can be read
    again; None where nothing is known."""
    try:
        status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii")
    except OSError:
        return None
    sizes = dict(line.split(":", 1) for line in status.splitlines())
    kilobytes = [int(sizes[name].split()[0]) for name in ("RssAnon", "RssShmem") if name in sizes]
    return sum(kilobytes) * 1024 or None


def memory_limit() -> int | None:
    """Bytes that this process and its children may take together: the machine's memory, or less
    where a control group says so; None where nothing is known."""
    limits = list(group_limits())
    with contextlib.suppress(ValueError, OSError, AttributeError):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(limits, default=None)


def group_limits(
    groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> Iterator[int]:
    """Memory limits of the process's control groups and of those around them, versions 1 and 2."""
    try:
        lines = groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            home, file = root, "memory.max"
        elif "memory" in controllers.split(","):
            home, file = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = home / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(home):
                try:
                    limit = int((folder / file).read_text(encoding="ascii"))
                except (OSError, ValueError):  # "max" is no limit
                    continue
                yield limit


def oom_kills() -> int | None:
    """How many processes the kernel has killed for want of memory since the machine's start, also
    those outside of this container; None when that is not known."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


def make_first_victim(pid: int) -> None:
    """Has the kernel kill this process, and not its parent, the bot, when memory runs out."""
    try:
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(_FIRST_VICTIM), encoding="ascii")
    except OSError as error:
        log.debug("oom_score_not_set", pid=pid, why=str(error))
