"""Memory of processes on Linux: what glibc's allocator keeps, what the kernel tells, and the
control groups by which it limits what a container or a service may take.

On other systems, and with other allocators, the functions do nothing and know nothing.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import structlog

log = structlog.get_logger(__name__)

PROC: Final = Path("/proc")
GROUPS: Final = Path("/sys/fs/cgroup")

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

MEGABYTE: Final = 2**20
LEAST_FOR_PAINTING: Final = 260 * MEGABYTE
"""Bytes of a painting process with which it still paints a small picture, of 300 x 300 pixels in
float32. Most of them torch takes."""
ENOUGH_FOR_PAINTING: Final = 2048 * MEGABYTE
"""More makes no picture of up to 1080 x 1080 pixels faster: in float32, all feature maps of such a
picture are kept in 1.2 GB, on VGG-19 in 1.8."""
LEAST_RESERVE: Final = 48 * MEGABYTE
RESERVED_SHARE: Final = 8
"""Left free is at least the first, in bytes, and one part in so many of a limit: for program code,
which would else be read again and again, and for what the others take meanwhile."""


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
    return _sizes_in(PROC / str(pid) / "status").get("VmRSS")


def unreclaimable_bytes(pid: int | None = None, proc: Path = PROC) -> int | None:
    """What of a process, by default of this one, the kernel cannot take back: the memory that it
    has written to. Pages of program code and of other files are not counted, as they can be read
    again; None where nothing is known."""
    sizes = _sizes_in(proc / str(pid or "self") / "status")
    return sum(sizes.get(name, 0) for name in ("RssAnon", "RssShmem")) or None


def memory_limit() -> int | None:
    """Bytes that this process and its children may take together: the machine's memory, or less
    where a control group says so; None where nothing is known."""
    limits = [group.limit for group in memory_groups()]
    physical = _physical_memory()
    return min(limits if physical is None else [*limits, physical], default=None)


def memory_for_painting(proc: Path = PROC, groups: Path = GROUPS) -> int | None:
    """Bytes that this process, which paints, should hold at most: what the machine and its control
    groups leave beside everybody else at this moment, less a reserve.

    It is at least LEAST_FOR_PAINTING, also where less is left, and beyond ENOUGH_FOR_PAINTING at
    most half of what is left, so that the machine stays usable. Where it is not known what others
    hold (outside Linux), it is half of the machine's memory; None where not even that is known
    (Windows).
    """
    own = unreclaimable_bytes(proc=proc) or 0
    shares = [
        limit // 2 if held is None else _share(limit, limit - held + own)
        for limit, held in memory_groups(proc, groups)
    ]
    machine = _sizes_in(proc / "meminfo")
    if {"MemTotal", "MemAvailable"} <= machine.keys():
        shares.append(_share(machine["MemTotal"], machine["MemAvailable"] + own))
    elif (physical := _physical_memory()) is not None:
        shares.append(physical // 2)
    return max(LEAST_FOR_PAINTING, min(shares)) if shares else None


def _share(limit: int, left: int) -> int:
    """What painting may have of the bytes that are left of a limit, its own included."""
    reserve = max(LEAST_RESERVE, limit // RESERVED_SHARE)
    return min(left - reserve, max(left // 2, ENOUGH_FOR_PAINTING))


class ControlGroup(NamedTuple):
    """The folder of a control group, and the version of its files, 1 or 2."""

    folder: Path
    version: int


def enclosing_groups(
    controller: str, proc: Path = PROC, groups: Path = GROUPS
) -> Iterator[ControlGroup]:
    """This process's own control groups and those around them, innermost first, in which a
    controller (`memory`, `cpu`) may set limits; all of them hold.

    Versions 1 (https://docs.kernel.org/admin-guide/cgroup-v1/cgroups.html) and 2
    (https://docs.kernel.org/admin-guide/cgroup-v2.html). None outside Linux.
    """
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            home, version = groups, 2
        elif controller in controllers.split(","):
            home, version = groups / controller, 1
        else:
            continue
        group = home / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(home):
                yield ControlGroup(folder, version)


class MemoryGroup(NamedTuple):
    """A control group whose memory is limited, in bytes."""

    limit: int
    held: int | None
    """What its processes hold, the kernel's own included, and cannot be taken back; None where
    that is not told."""


def memory_groups(proc: Path = PROC, groups: Path = GROUPS) -> Iterator[MemoryGroup]:
    """Those of the process's control groups, and of the groups around them, that limit memory."""
    for folder, version in enclosing_groups("memory", proc, groups):
        files = _VERSION_1 if version == 1 else _VERSION_2
        limits = [number for name in files.limits if (number := _number(folder / name))]
        if limits:
            yield MemoryGroup(min(limits), files.held_in(folder))


class _GroupFiles(NamedTuple):
    """How the files of a control group are named."""

    limits: tuple[str, ...]
    usage: str
    cached: tuple[str, ...]
    """Lines of memory.stat: what can be taken back, as pages of files, in this group and those
    below it."""

    def held_in(self, folder: Path) -> int | None:
        used = _number(folder / self.usage)
        cached = _sizes_in(folder / "memory.stat")
        if used is None or not cached:
            return None
        return max(0, used - sum(cached.get(name, 0) for name in self.cached))


_VERSION_1: Final = _GroupFiles(
    limits=("memory.limit_in_bytes",),
    usage="memory.usage_in_bytes",
    cached=("total_inactive_file", "total_active_file"),
)
_VERSION_2: Final = _GroupFiles(
    limits=("memory.max", "memory.high"),  # beyond `high` processes are slowed down
    usage="memory.current",
    cached=("inactive_file", "active_file", "slab_reclaimable"),
)


def _number(file: Path) -> int | None:
    """The number in a file; None where there is none: "max" is no limit."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _sizes_in(file: Path) -> dict[str, int]:
    """Numbers by name, sizes in bytes, of lines as "MemTotal:  1024 kB" or "active_file 4096"; none
    where there is no such file."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    words = [line.replace(":", " ").split() for line in lines]
    return {
        name: int(size) * (1024 if unit == ["kB"] else 1)
        for name, size, *unit in (each for each in words if len(each) > 1)
        if size.isdecimal()
    }


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # Windows has no such function
        return None


def oom_kills() -> int | None:
    """How many processes the kernel has killed for want of memory since the machine's start, also
    those outside of this container; None when that is not known."""
    return _sizes_in(PROC / "vmstat").get("oom_kill")


def make_first_victim(pid: int) -> None:
    """Has the kernel kill this process, and not its parent, the bot, when memory runs out."""
    try:
        (PROC / str(pid) / "oom_score_adj").write_text(str(_FIRST_VICTIM), encoding="ascii")
    except OSError as error:
        log.debug("oom_score_not_set", pid=pid, why=str(error))
