"""What the figures depend on: the machine, what else it is doing, and what its processes take."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import re
import resource
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

POLL_SECONDS = 0.05
_KB_PER_MB = 1024
_HERTZ = os.sysconf("SC_CLK_TCK")


def describe() -> dict[str, str | int]:
    """The machine in words."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "aiogram": importlib.metadata.version("aiogram"),
    }


def identity() -> str:
    """A name for the folder of what was measured here."""
    facts = describe()
    words = f"{facts['cpu']} {facts['cores']} cores torch {facts['torch']}"
    return re.sub("[^a-z0-9.]+", "-", words.lower()).strip("-")


def _cpu() -> str:
    """The CPU's model and what it has for floating point, as /proc/cpuinfo says it."""
    text = Path("/proc/cpuinfo").read_text()
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    name = named[1].strip() if named else platform.processor() or platform.machine()
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    known = {"avx512f": "AVX-512", "avx512_bf16": "bfloat16", "amx_bf16": "AMX", "bf16": "bfloat16"}
    units = [known[flag] for flag in known if flags and flag in flags[1].split()]
    return f"{name} ({', '.join(units)})" if units else name


class OthersWork:
    """How much of the CPUs other programs took since this was made: measurements of speed are worth
    little when that is much."""

    def __init__(self) -> None:
        self._begin, self._busy, self._own = time.perf_counter(), _busy_seconds(), _own_seconds()

    def share(self) -> float:
        """Of all CPUs' time, 0 to 1. Our own processes count once they have ended."""
        seconds = (time.perf_counter() - self._begin) * (os.cpu_count() or 1)
        others = (_busy_seconds() - self._busy) - (_own_seconds() - self._own)
        return min(1.0, max(0.0, others / seconds))


def _busy_seconds() -> float:
    """CPU time of the whole machine; with what a hypervisor took away."""
    user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = (
        int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq + steal) / _HERTZ


def _own_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its threads so far."""
    # After the name, which may hold spaces: proc_pid_stat(5), fields 14 and 15.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _HERTZ


def unreclaimable_mb(pid: int) -> float:
    """Anonymous memory of a process now, in MiB, with what of it is swapped out: memory that the
    kernel cannot take back, as it can the pages of files.

    Raises:
        ProcessLookupError: the process has ended.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        raise ProcessLookupError(pid) from None
    found = re.findall(r"^(?:RssAnon|VmSwap):\s*(\d+) kB", status, re.MULTILINE)
    if not found:  # a zombie
        raise ProcessLookupError(pid)
    return sum(map(int, found)) / _KB_PER_MB


def family(pid: int) -> Iterator[int]:
    """A process and all that descend from it, as far as they live."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return
    for child in children:
        yield from family(int(child))


def by_process(pid: int) -> dict[int, float]:
    """The unreclaimable memory of a process and all that descend from it, in MiB."""
    found = {}
    for one in family(pid):
        with contextlib.suppress(ProcessLookupError):
            found[one] = unreclaimable_mb(one)
    return found


class MemoryWatch:
    """Reads memory twenty times a second, in a thread, and keeps what was read when the sum was
    largest."""

    def __init__(self, read: Callable[[], Mapping[int, float]]) -> None:
        self.peak: Mapping[int, float] = {}
        self._read = read
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory watch", daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            now = self._read()
            if sum(now.values()) > sum(self.peak.values()):
                self.peak = now
