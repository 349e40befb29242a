"""Queue on one machine: tickets in the bot's own process, painted by its own worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from impasto import hookimpl
from impasto.settings import Settings

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 5.0
"""After an unexpected error (a full disk, say) work is asked for again this much later."""


class LocalQueue:
    """See `impasto.contracts.JobQueue`. Tickets of an earlier process are found in the journal."""

    name = "local"
    embedded_worker = True

    def __init__(self, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._tickets: asyncio.Queue[str] = asyncio.Queue()
        self._pause_seconds = pause_seconds

    async def open(self) -> None:
        """Nothing to connect to."""

    async def put(self, job_id: str) -> None:
        self._tickets.put_nowait(job_id)

    async def serve(self, work: Callable[[], Awaitable[bool]]) -> None:
        while True:
            await self._until_nothing_waits(work)
            await self._tickets.get()

    async def close(self) -> None:
        """Nothing to disconnect from."""

    async def _until_nothing_waits(self, work: Callable[[], Awaitable[bool]]) -> None:
        while True:
            try:
                if not await work():
                    return
            except Exception:
                log.exception("work_failed", again_in_seconds=self._pause_seconds)
                await asyncio.sleep(self._pause_seconds)


@hookimpl
def impasto_queues(settings: Settings) -> list[LocalQueue]:
    return [LocalQueue()]
