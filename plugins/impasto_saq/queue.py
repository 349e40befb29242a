"""SAQ wakes workers on other machines: an announcement is an SAQ job that one idle worker takes.

The worker finishes it at once, before it paints: what it paints, and what happens when it is lost,
is the journal's business. SAQ's own worker, whose heartbeats, retries and timeouts would follow the
painting a second time, is not used. An announcement that gets lost is made up for by the look that
an idle worker takes every `look_seconds`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import structlog

from impasto_saq.settings import SaqSettings, explained

if TYPE_CHECKING:
    from saq.queue.redis import RedisQueue

log = structlog.get_logger(__name__)

SECONDS_KEPT = 60
"""SAQ's web page shows announcements for this long after they were taken."""

MOST_KEPT = 1000
"""Busy workers take no announcements, but the next job from the journal. When more of them are kept
than there can be idle workers, one more would wake nobody."""


class SaqQueue:
    """See `impasto.contracts.JobQueue`."""

    name = "saq"
    embedded_worker = False

    _saq: RedisQueue | None = None

    def __init__(self, settings: SaqSettings, bot_id: str) -> None:
        self._settings = settings
        self._bot_id = bot_id

    async def open(self) -> None:
        """Raises OwnerError when libraries are missing or the URL is none."""
        with explained('queue.kind = "saq"'):
            from saq.queue.redis import RedisQueue

            from impasto_saq.connection import client
        logging.getLogger("saq").setLevel(logging.ERROR)  # it informs of every announcement
        redis = client(self._settings, text=False, waits_seconds=self._settings.look_seconds)
        self._saq = RedisQueue(redis, name=f"impasto:{self._bot_id}")

    async def announce(self) -> None:
        try:
            if await self._queue.count("queued") < MOST_KEPT:
                await self._queue.enqueue("paint", ttl=SECONDS_KEPT)
        except Exception as error:
            log.warning("job_not_announced", why=f"{type(error).__name__}: {error}")

    async def wait(self) -> None:
        from saq.job import Status

        # Clears away what a worker took and was lost before it could finish it.
        await self._queue.sweep(lock=SECONDS_KEPT, abort=0.1)
        announcement = await self._queue.dequeue(timeout=self._settings.look_seconds)
        if announcement is not None:
            await announcement.finish(Status.COMPLETE)

    async def close(self) -> None:
        saq, self._saq = self._saq, None
        if saq is not None:
            await saq.disconnect()

    @property
    def _queue(self) -> RedisQueue:
        if self._saq is None:
            raise RuntimeError("the queue is not open")
        return self._saq
