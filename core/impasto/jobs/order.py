"""Which waiting job is painted next: people take turns, whoever has waited longest is first.

Every storage asks here (`Journal.claim`, `Journal.ahead_of`), so that all of them are fair in the
same way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class WaitingJob(NamedTuple):
    """What the order depends on."""

    id: str
    """The job's."""
    person: int
    """Who asked for it."""
    number: int
    """Order of acceptance, among all jobs."""
    pixels: int
    """The most pixels that the job asks for; 0 if it does not say."""
    turn: int
    """Order of the last start of a job of this person, among all starts; 0 if there was none. A job
    that was handed back and waits again does not count: its owner got nothing for that start."""


def in_order(waiting: Sequence[WaitingJob], larger_than: int | None = None) -> list[str]:
    """The ids of these jobs, the one to paint next first. `waiting` is all that wait, in any order.

    A person's n-th job comes after everybody's (n-1)-th; within such a round, the person whose last
    start is longest ago is first. With `larger_than`, jobs that ask for more pixels than that come
    before all others.
    """
    if larger_than is None:
        return _in_turns(waiting)
    large = [job for job in waiting if job.pixels > larger_than]
    others = [job for job in waiting if job.pixels <= larger_than]
    return _in_turns(large) + _in_turns(others)


def _in_turns(waiting: Sequence[WaitingJob]) -> list[str]:
    rounds: Counter[int] = Counter()
    oldest: dict[int, int] = {}
    ranks: dict[str, tuple[int, int, int]] = {}
    for job in sorted(waiting, key=lambda job: job.number):
        rounds[job.person] += 1
        oldest.setdefault(job.person, job.number)
        ranks[job.id] = (rounds[job.person], job.turn, oldest[job.person])
    return sorted(ranks, key=ranks.__getitem__)
