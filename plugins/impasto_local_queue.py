"""Queue on one machine: announcements stay in the bot's own process, whose own worker paints."""

from __future__ import annotations

import asyncio

from impasto import hookimpl
from impasto.settings import Settings


class LocalQueue:
    """See `impasto.contracts.JobQueue`."""

    name = "local"
    embedded_worker = True

    def __init__(self) -> None:
        self._announced = asyncio.Event()

    async def open(self) -> None:
        """Nothing to connect to."""

    async def announce(self) -> None:
        self._announced.set()

    async def wait(self) -> None:
        await self._announced.wait()
        self._announced.clear()

    async def close(self) -> None:
        """Nothing to disconnect from."""


@hookimpl
def impasto_queues(settings: Settings) -> list[LocalQueue]:
    return [LocalQueue()]
