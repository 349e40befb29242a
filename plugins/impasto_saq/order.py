"""The order in which waiting jobs are painted: people take turns, who waited longest is next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Waiting(NamedTuple):
    """A waiting job."""

    id: str
    person: str
    number: int
    """Order of acceptance."""
    pixels: int
    """Most it asks for; 0 if it does not."""
    turn: int
    """Order of the last start of a job of this person, 0 if there was none."""


@dataclass(frozen=True)
class Order:
    """All that wait, as of one moment; `version` is that of the moment."""

    version: int
    running: int
    waiting: tuple[Waiting, ...]
    """By order of acceptance."""

    @classmethod
    def parsed(cls, answer: Sequence[str | int]) -> Order:
        """What the script ORDER returns."""
        version, running, *flat = answer
        waiting = tuple(
            Waiting(str(job_id), str(person), int(number), int(pixels), int(turn))
            for job_id, person, number, pixels, turn in zip(*[iter(flat)] * 5, strict=True)
        )
        return cls(int(version), int(running), waiting)

    def next(self, larger_than: int | None) -> str | None:
        """The job to paint next, see `Journal.claim`."""

        def rank(job: Waiting) -> tuple[bool, int, int]:
            is_large = larger_than is not None and job.pixels > larger_than
            return not is_large, job.turn, job.number

        first = min(self.waiting, key=rank, default=None)
        return first.id if first is not None else None

    def ahead_of(self, job_id: str) -> int:
        """How many running and waiting jobs come before this one; 0 when it does not wait."""
        place = self._places.get(job_id)
        return 0 if place is None else self.running + place

    @cached_property
    def _places(self) -> dict[str, int]:
        # A person's n-th waiting job comes after everybody's (n-1)-th.
        rounds: Counter[str] = Counter()
        oldest: dict[str, int] = {}
        ranks: dict[str, tuple[int, int, int]] = {}
        for job in self.waiting:
            rounds[job.person] += 1
            oldest.setdefault(job.person, job.number)
            ranks[job.id] = (rounds[job.person], job.turn, oldest[job.person])
        in_order = sorted(ranks, key=ranks.__getitem__)
        return {job_id: place for place, job_id in enumerate(in_order)}
