"""What the figures depend on: the machine, what else it is doing, and what its processes take."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

_KB_PER_MB = 1024
_HERTZ = os.sysconf("SC_CLK_TCK")


def describe() -> dict[str, str | int]:
    """The machine in words."""
    facts: dict[str, str | int] = {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "aiogram": importlib.metadata.version("aiogram"),
    }
    if gpu := _gpu():
        facts["gpu"] = gpu
    return facts


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


def _gpu() -> str | None:
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip().partition("\n")[0] or None


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


def peak_mb(pid: int | str = "self") -> float:
    """Largest resident set of a process so far (VmHWM), in MiB."""
    return _field(Path(f"/proc/{pid}/status"), "VmHWM")


def proportional_mb(pid: int) -> float:
    """Proportional set size of a process now, in MiB: pages shared by n processes count 1/n."""
    return _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss")


def _field(file: Path, name: str) -> float:
    """Raises ProcessLookupError when the process has ended."""
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB", file.read_text(), re.MULTILINE)
    except FileNotFoundError:
        found = None
    if found is None:
        raise ProcessLookupError(f"{file} does not say {name}")
    return int(found[1]) / _KB_PER_MB


def family(pid: int) -> Iterator[int]:
    """A process and all that descend from it, as far as they live."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return
    for child in children:
        yield from family(int(child))
