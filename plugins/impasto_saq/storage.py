"""Storage for many machines: journal, dialogue state and token buckets in one Redis."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from impasto.contracts import Rate
from impasto_saq.settings import SaqSettings, explained, losses

if TYPE_CHECKING:
    from impasto_saq.connection import Server
    from impasto_saq.dialogue import RedisDialogue, RedisIsolation
    from impasto_saq.journal import RedisJournal
    from impasto_saq.ownership import Heartbeat

log = structlog.get_logger(__name__)

_NOT_OPEN: Any = None


class RedisBuckets:
    """See `impasto.contracts.Buckets`. They go by the clock of Redis: all processes of a bot keep
    one pace."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def take(self, *rates: Rate, patience: float = math.inf) -> float:
        flat = [part for rate in rates for part in (rate.bucket, rate.seconds, rate.slack)]
        return float(await self._server.run("take_tokens", patience, *flat))

    async def hold(self, rate: Rate, seconds: float) -> None:
        await self._server.run("hold_bucket", rate.bucket, seconds + rate.slack)


class RedisStorage:
    """See `impasto.contracts.Storage`. The libraries of Redis are loaded when it is opened: a
    bot on one machine does without."""

    name = "redis"
    is_shared = True

    _server: Server | None = None
    _heartbeat: Heartbeat = _NOT_OPEN
    journal: RedisJournal = _NOT_OPEN
    dialogue: RedisDialogue = _NOT_OPEN
    buckets: RedisBuckets = _NOT_OPEN
    isolation: RedisIsolation = _NOT_OPEN

    def __init__(
        self,
        settings: SaqSettings,
        bot_id: str,
        state_dir: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._bot_id = bot_id
        self._state_dir = state_dir
        self._clock = clock

    async def open(self) -> None:
        """Raises OwnerError when Redis or `state_dir` cannot be used."""
        with explained('queue.storage = "redis"'):
            from impasto_saq.connection import Server
            from impasto_saq.dialogue import RedisDialogue, RedisIsolation
            from impasto_saq.journal import RedisJournal
            from impasto_saq.ownership import Heartbeat
        lease = self._settings.lease_seconds
        server = Server(self._settings, self._bot_id)
        self._server = server
        self._heartbeat = Heartbeat(server, self._state_dir, lease, self._clock)
        self.journal = RedisJournal(server, self._heartbeat)
        self.dialogue = RedisDialogue(server)
        self.buckets = RedisBuckets(server)
        self.isolation = RedisIsolation(server, lease)
        for loss in losses(await server.check()):
            log.warning("redis_may_lose_jobs", why=loss)
        await server.check_schema()
        await self._heartbeat.begin()
        await self.journal.begin()

    async def forget_dialogue(self, person: int) -> None:
        await self.dialogue.forget(person)

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await self._heartbeat.end()
            await server.close()
