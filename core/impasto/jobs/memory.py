"""The memory of a process as the kernel counts it. Linux only: elsewhere nothing is known, and
nothing is done."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_FIRST_VICTIM = 1000
"""The highest `oom_score_adj`: https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html"""


def resident_bytes(pid: int) -> int | None:
    """What of the process lies in memory, shared pages included; None when that is not known."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_bytes().split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def oom_kills() -> int | None:
    """How many processes the kernel has killed for want of memory so far; None when that is not
    known. On the whole machine, also when asked in a container."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


def make_first_victim(pid: int) -> None:
    """When memory runs out, the kernel is to kill this process and not its parent, the bot."""
    try:
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(_FIRST_VICTIM), encoding="ascii")
    except OSError as error:
        log.debug("oom_score_not_set", pid=pid, why=str(error))
