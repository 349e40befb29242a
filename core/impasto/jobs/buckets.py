"""Token buckets: how often something may be done, for all processes of one bot together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol


class Rate(NamedTuple):
    """A bucket that `per_second` tokens flow into until it holds `burst` of them."""

    bucket: str
    per_second: float
    burst: int = 1

    @property
    def seconds(self) -> float:
        """Time in which one token flows in."""
        return 1 / self.per_second

    @property
    def slack(self) -> float:
        """Time that a full bucket is ahead of its flow."""
        return (self.burst - 1) * self.seconds


class Buckets(Protocol):
    """Buckets by name, full at first. Each call is atomic; nothing needs to outlive a restart.

    One number says all about a bucket, the time at which it will be full again (the "theoretical
    arrival time" of the generic cell rate algorithm, ITU-T I.371): it is `full_at`; a token taken
    moves it on by `Rate.seconds`, and is there as soon as `full_at` is at most `Rate.slack` away.
    """

    async def take(self, *rates: Rate, patience: float = math.inf) -> float:
        """Takes one token from each of these buckets; returns in how many seconds they are there,
        0.0 for at once. They are taken then: the caller waits so long and does not ask again, so
        that whoever asked first is first.

        When it would take more than `patience` seconds, nothing is taken and the time returned is
        that until it is worth asking again.
        """
        ...

    async def hold(self, rate: Rate, seconds: float) -> None:
        """Nobody gets a token of this bucket for so many seconds, and then one at a time: it is
        full no earlier than `seconds + rate.slack` from now."""
        ...


class MemoryBuckets:
    """Buckets of one process, for storages that only one process uses."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at: dict[str, float] = {}
        self._clean_up_at = _LEAST_TO_CLEAN_UP

    async def take(self, *rates: Rate, patience: float = math.inf) -> float:
        """See `Buckets.take`."""
        now = self._clock()
        wait = max((self._known(rate, now) - rate.slack - now for rate in rates), default=0.0)
        if wait <= patience:
            for rate in rates:
                self._full_at[rate.bucket] = self._known(rate, now) + rate.seconds
            self._clean_up(now)
        return max(0.0, wait)

    async def hold(self, rate: Rate, seconds: float) -> None:
        """See `Buckets.hold`."""
        now = self._clock()
        self._full_at[rate.bucket] = max(self._known(rate, now), now + seconds + rate.slack)

    def _known(self, rate: Rate, now: float) -> float:
        return max(now, self._full_at.get(rate.bucket, now))

    def _clean_up(self, now: float) -> None:
        """Forgets buckets that are full: a busy bot has one per chat."""
        if len(self._full_at) >= self._clean_up_at:
            self._full_at = {name: time for name, time in self._full_at.items() if time > now}
            self._clean_up_at = max(_LEAST_TO_CLEAN_UP, 2 * len(self._full_at))


_LEAST_TO_CLEAN_UP = 1024
