"""Control groups: where Linux limits what a container or a service may take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

PROC: Final = Path("/proc")
GROUPS: Final = Path("/sys/fs/cgroup")


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
