"""SAQ's worker as one that is part of a larger process: one ticket at a time, no say in signals."""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from saq.queue import Queue
from saq.worker import Worker

from impasto_saq.settings import SaqSettings

log = structlog.get_logger(__name__)


class TicketWorker(Worker[Any]):
    """Calls `paint` for each ticket until `start` is cancelled."""

    SIGNALS: list[signal.Signals] = []  # noqa: RUF012  (those of the process are not for SAQ)

    def __init__(
        self, queue: Queue, paint: Callable[..., Awaitable[None]], settings: SaqSettings
    ) -> None:
        super().__init__(
            queue,
            [("paint", paint)],
            concurrency=1,
            # A connection that died in silence is noticed: the answer must come.
            dequeue_timeout=math.ceil(min(5.0, settings.look_seconds)),
        )
        self._seconds_between_sweeps = max(1, round(settings.lease_seconds / 2))

    async def upkeep(self) -> list[asyncio.Task[None]]:
        """Without SAQ's own schedules and aborts, which are not used here. SAQ's loops can also
        hold up the end of the process: they sleep on when Redis's client swallows a cancellation.
        """
        return [asyncio.create_task(self._keep_up())]

    async def _keep_up(self) -> None:
        while not self.event.is_set():
            try:
                await self.queue.sweep(self._seconds_between_sweeps)
                await self.worker_info(2 * self._seconds_between_sweeps)
            except Exception as error:
                log.warning("tickets_not_swept", why=f"{type(error).__name__}: {error}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_between_sweeps):
                    await self.event.wait()
