"""What the machine is like: Python, the disk below `state_dir`, memory; and the settings."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from impasto.contracts import Finding

if TYPE_CHECKING:
    from impasto.settings import Settings

MEGABYTE: Final = 2**20
ENOUGH_DISK: Final = 500 * MEGABYTE
LEAST_DISK: Final = 50 * MEGABYTE
NEWEST_PYTHON: Final = (3, 13)
_FORGETTING: Final = {"tmpfs", "ramfs"}
_LAYERED: Final = {"overlay", "aufs"}


def python() -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] > NEWEST_PYTHON:
        return Finding(
            name="python",
            verdict="warning",
            says=f"{version} is newer than what this program is tested with",
            advice="use Python 3.13 if something fails",
        )
    return Finding(name="python", verdict="ok", says=f"{version} on {platform.platform()}")


def settings(settings: Settings) -> Finding:
    """Where values came from; which they are says `impasto settings --changed`."""
    from impasto.settings import Settings as Model
    from impasto.settings.description import settings_in, shown, value_of

    origins: dict[str, list[str]] = {}
    for info in settings_in(Model):
        value = value_of(settings, info.name)
        if value != info.default:
            told = info.name if info.is_secret else f"{info.name} = {shown(value)}"
            # A variable is named after its setting, so its name would say nothing more.
            origin = settings.origin(info.name).partition(" IMPASTO_")[0]
            origins.setdefault(origin, []).append(told)
    parts = [f"{', '.join(names)} from {source}" for source, names in origins.items()]
    return Finding(name="settings", verdict="ok", says="; ".join(parts) or "all at their defaults")


def disk(state_dir: Path) -> Finding:
    """Whether there is room, and whether what is written outlives a restart of this host."""
    folder = state_dir.resolve()
    existing = next(path for path in (folder, *folder.parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return Finding(
            name="disk",
            verdict="problem",
            says=f"state_dir {folder} cannot be written: {error.strerror}",
            advice="set state_dir to a folder of your own, or change its permissions",
        )
    free = shutil.disk_usage(existing).free
    says = f"state_dir {folder} with {free // MEGABYTE:,} MB free"
    if free < ENOUGH_DISK:
        return Finding(
            name="disk",
            verdict="problem" if free < LEAST_DISK else "warning",
            says=says,
            advice="make room, or shorten queue.keep_hours",
        )
    why = why_forgotten(existing)
    if why:
        return Finding(
            name="disk",
            verdict="warning",
            says=f"{says}; {why}, and with it waiting pictures and fetched networks",
            advice="put state_dir on a disk or volume that stays",
        )
    return Finding(name="disk", verdict="ok", says=says)


def why_forgotten(folder: Path) -> str:
    """Why a folder would be gone after a restart, as far as that can be known; else empty."""
    if "DYNO" in os.environ:
        return "this host forgets its disk at every restart, once a day at least"
    kind = file_system_of(folder)
    if kind in _FORGETTING:
        return f"that is memory ({kind}), and gone at the next restart"
    if kind in _LAYERED:
        return f"that is the container's own layer ({kind}), and gone when it is replaced"
    return ""


def file_system_of(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Type of the file system a folder is on; empty where that is not known.

    The format is that of proc(5): the mount point is the fifth field, the type the first after a
    lone hyphen.
    """
    try:
        lines = mounts.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    found: dict[int, str] = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].replace("\\040", " "))
        if folder.is_relative_to(point):
            found[len(point.parts)] = after.split()[0]  # a later mount hides an earlier one
    return found[max(found)] if found else ""


def memory_limit() -> int | None:
    """Bytes that this process and its children may take together: the machine's memory, or less
    where a control group says so; None where nothing is known."""
    limits = [limit for limit in (_physical_memory(), *_group_limits()) if limit]
    return min(limits, default=None)


def memory_now() -> int | None:
    """Bytes that this process takes, its share of what it shares; None where that is not known."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    sizes = Counter({line.split()[0]: int(line.split()[1]) for line in lines[1:]})
    return sizes["Pss:"] * 1024 or None


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _group_limits(
    groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> Iterator[int]:
    """Limits of the process's control groups and those around them, versions 1 and 2."""
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
                yield from _number_in(folder / file)


def _number_in(file: Path) -> Iterator[int]:
    """Nothing for "max" and for what cannot be read."""
    try:
        yield int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return
