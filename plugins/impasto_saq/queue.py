"""SAQ carries tickets from bots to workers; which job one is for, the journal decides.

SAQ's defaults (10 s of time, one try, no sign of life asked for) are not for jobs of minutes and
are set otherwise here. Yet nothing depends on tickets: for one that goes astray, the look that an
idle worker takes now and then makes up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import structlog

from impasto_saq.ending import ended
from impasto_saq.extra import explained
from impasto_saq.settings import SaqSettings

if TYPE_CHECKING:
    from saq.job import Job as Ticket
    from saq.queue.redis import RedisQueue

log = structlog.get_logger(__name__)

TRIES = 5
"""Of a ticket whose worker is lost, one after the other."""

SECONDS_TO_HAND_BACK = 1.0

SECONDS_KEPT = 60
"""What SAQ remembers of tickets that are done, for its web page."""

Work = Callable[[], Awaitable[bool]]


class SaqQueue:
    """See `impasto.contracts.JobQueue`."""

    name = "saq"
    embedded_worker = False

    _tickets: RedisQueue | None = None

    def __init__(self, settings: SaqSettings, bot_id: str) -> None:
        self._settings = settings
        self._bot_id = bot_id
        self._heartbeat = max(2, round(settings.lease_seconds))

    async def open(self) -> None:
        """Raises OwnerError when libraries are missing or the URL is none."""
        with explained('queue.kind = "saq"'):
            from saq.queue.redis import RedisQueue

            from impasto_saq.connection import client
        # It warns of every stop and informs of every ticket.
        logging.getLogger("saq").setLevel(logging.ERROR)
        redis = client(self._settings, text=False)
        self._tickets = RedisQueue(redis, name=f"impasto:{self._bot_id}")
        await self._tickets.connect()

    async def put(self, job_id: str) -> None:
        try:
            await self._queue.enqueue(
                "paint",
                timeout=0,
                heartbeat=self._heartbeat,
                retries=TRIES,
                ttl=SECONDS_KEPT,
                job_id=job_id,
            )
        except Exception as error:
            # The job is in the journal: an idle worker finds it there.
            log.warning("ticket_not_sent", job=job_id, why=f"{type(error).__name__}: {error}")

    async def serve(self, work: Work) -> None:
        from impasto_saq.ticket_worker import TicketWorker

        turn = asyncio.Lock()

        async def once() -> bool:
            async with turn:
                return await work()

        async def paint(context: dict[str, Any], *, job_id: str) -> None:
            async with self._heard_of(context["job"]):
                await once()

        worker = TicketWorker(self._queue, paint, self._settings)
        looking = asyncio.create_task(self._look(once))
        try:
            await worker.start()
        finally:
            await ended(looking)
            # One job may have been handed back. If Redis is away, others find it by themselves.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SECONDS_TO_HAND_BACK):
                    await self.put("handed back")

    async def close(self) -> None:
        tickets, self._tickets = self._tickets, None
        if tickets is not None:
            await tickets.disconnect()

    @property
    def _queue(self) -> RedisQueue:
        if self._tickets is None:
            raise RuntimeError("the queue is not open")
        return self._tickets

    async def _look(self, once: Work) -> None:
        """Works while there is work, at the start and whenever a while has passed."""
        while True:
            try:
                while await once():
                    pass
            except Exception:
                log.exception("work_failed", again_in_seconds=self._settings.look_seconds)
            await asyncio.sleep(self._settings.look_seconds)

    @contextlib.asynccontextmanager
    async def _heard_of(self, ticket: Ticket) -> AsyncIterator[None]:
        """Inside, SAQ hears of the ticket often enough not to take its worker for lost."""
        beating = asyncio.create_task(self._beat(ticket))
        try:
            yield
        finally:
            await ended(beating)

    async def _beat(self, ticket: Ticket) -> None:
        while True:
            await asyncio.sleep(self._heartbeat / 3)
            try:
                await ticket.update()
            except Exception as error:
                log.warning("ticket_not_renewed", why=f"{type(error).__name__}: {error}")
