"""The CPUs that painting uses: strips of a picture are computed side by side, each on a thread.

torch can share out each operation between threads instead, and then waits for the slowest of them
at the end of each: hundreds of times an evaluation, spinning. Where other processes use the same
CPUs, the slowest is the one that has none at the moment, and painting takes many times longer than
its share of the CPUs would. Threads with strips of their own meet a few times an evaluation, and
whichever has a CPU takes the next strip.

Pictures too small for strips are painted side by side instead, each on one thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from pathlib import Path
from typing import Final, TypeVar

import torch

from impasto.memory import GROUPS, PROC, ControlGroup, enclosing_groups

MOST_AT_ONCE: Final = 4
"""Strips that are computed side by side. Small maps have not many more that are worth their halos;
where there are more CPUs, torch shares out the operations within each strip."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Here(threading.local):
    """What the current thread is."""

    is_one_of_many = False
    """Whether it has an item of work to itself: what it does is not shared out again."""


_here = _Here()


class _Threads:
    """The threads of this process: as torch's own, they are the same for all that is painted."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.at_once = min(count, MOST_AT_ONCE)
        self._for_each = count // self.at_once
        self._pool: ThreadPoolExecutor | None = None

    def begin(self, items: Iterable[Item], work: Callable[[Item], Result]) -> list[Future[Result]]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.at_once, "painting", self._set_up)
        with_gradients = torch.is_grad_enabled()  # a setting of each thread, as that of `_set_up`

        def work_as_here(item: Item) -> Result:
            with torch.set_grad_enabled(with_gradients):
                return work(item)

        return [self._pool.submit(work_as_here, item) for item in items]

    def end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def _set_up(self) -> None:
        _here.is_one_of_many = True
        torch.set_num_threads(self._for_each)


_threads = _Threads(1)


def use_threads(count: int) -> None:
    """Has this process paint on a number of threads, at least 1."""
    global _threads  # noqa: PLW0603  (one setting of a process, as torch's)
    _threads.end()
    _threads = _Threads(count)
    torch.set_num_threads(max(1, count // MOST_AT_ONCE))


def end_threads() -> None:
    """Between two pictures: ends the threads, which begin anew with the next, and frees what ideep
    keeps for each of them."""
    _threads.end()


def thread_count() -> int:
    """How many threads this process paints on."""
    return _threads.count


def at_once(device: torch.device) -> int:
    """How many items `share_out` works on side by side; on a GPU, which has its own ways, one, and
    one where the current thread is itself one of several that work side by side."""
    return _threads.at_once if device.type == "cpu" and not _here.is_one_of_many else 1


def share_out(items: Iterable[Item], work: Callable[[Item], None], device: torch.device) -> None:
    """Calls `work` for each item, on several threads where there are some; returns when all is
    done.

    Raises:
        what `work` raised for the first item for which it did.
    """
    if at_once(device) > 1:
        results = _threads.begin(items, work)
        wait(results)
        for result in results:
            result.result()
    else:
        for item in items:
            work(item)


def side_by_side(
    items: Iterable[Item], work: Callable[[Item], Result], device: torch.device
) -> Generator[Result, None, None]:
    """Yields what `work` returns for each item as soon as it is there, in any order; several items
    are worked on at once, each on one thread. It is for items that are too small to be shared out.

    Closed early, it begins no more items and waits for those that were begun.

    Raises:
        what `work` raised for an item.
    """
    if at_once(device) == 1:
        yield from map(work, items)
        return
    results = _threads.begin(items, work)
    try:
        for result in as_completed(results):
            yield result.result()
    finally:
        for result in results:
            result.cancel()
        wait(results)


def usable_cpus(proc: Path = PROC, groups: Path = GROUPS) -> int:
    """CPUs that this process is allowed on, not more than the quotas of its control groups are
    worth, and at least 1. torch counts all cores of the machine.
    """
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        allowed = os.cpu_count() or 1
    quotas = [_quota(group) for group in enclosing_groups("cpu", proc, groups)]
    return max(1, int(min([allowed, *filter(None, quotas)])))


def _quota(group: ControlGroup) -> float | None:
    """CPUs that a control group's quota is worth; None where it has none.

    https://docs.kernel.org/scheduler/sched-bwc.html and
    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
    """
    names = ("cpu.max",) if group.version == 2 else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    try:
        quota, period = " ".join((group.folder / name).read_text() for name in names).split()
        return float(quota) / float(period) if float(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max"
        return None
