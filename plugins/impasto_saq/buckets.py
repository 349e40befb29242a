"""Token buckets in Redis, by its clock: all processes of a bot keep one pace."""

from __future__ import annotations

import math

from impasto.contracts import Rate
from impasto_saq import scripts
from impasto_saq.connection import Server


class RedisBuckets:
    """See `impasto.contracts.Buckets`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def take(self, *rates: Rate, patience: float = math.inf) -> float:
        flat = [part for rate in rates for part in (rate.bucket, rate.seconds, rate.slack)]
        return float(await self._server.run(scripts.TAKE_TOKENS, patience, *flat))

    async def hold(self, rate: Rate, seconds: float) -> None:
        await self._server.run(scripts.HOLD_BUCKET, rate.bucket, seconds + rate.slack)
