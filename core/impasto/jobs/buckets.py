"""Token buckets of one process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from impasto.contracts.storage import Rate

_LEAST_TO_CLEAN_UP = 1024


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
