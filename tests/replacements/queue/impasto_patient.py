"""A queue in the bot's own process, in the place of the built-in one: a counter of what waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from impasto import Settings, hookimpl
from impasto.contracts import JobQueue

PAUSE_SECONDS = 0.0


class Patient:
    name = "patient"
    embedded_worker = True

    def __init__(self) -> None:
        self._tickets = asyncio.Semaphore(1)  # one look at what an earlier process has left

    async def open(self) -> None: ...

    async def put(self, job_id: str) -> None:
        self._tickets.release()

    async def serve(self, work: Callable[[], Awaitable[bool]]) -> None:
        while True:
            await self._tickets.acquire()
            try:
                while await work():
                    pass
            except Exception:
                self._tickets.release()
                await asyncio.sleep(PAUSE_SECONDS)

    async def close(self) -> None: ...


@hookimpl
def impasto_queues(settings: Settings) -> list[JobQueue]:
    return [Patient()]
