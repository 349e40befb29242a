"""A queue in the place of the built-in one: a counter of announcements in the bot's process."""

from __future__ import annotations

import asyncio

from impasto import Settings, hookimpl
from impasto.contracts import JobQueue


class Patient:
    name = "patient"
    embedded_worker = True

    def __init__(self) -> None:
        self._announcements = asyncio.Semaphore(0)

    async def open(self) -> None: ...

    async def announce(self) -> None:
        self._announcements.release()

    async def wait(self) -> None:
        await self._announcements.acquire()

    async def close(self) -> None: ...


@hookimpl
def impasto_queues(settings: Settings) -> list[JobQueue]:
    return [Patient()]
