"""SAQ wakes workers on other machines: an announcement is an SAQ job that one idle worker takes.

The worker finishes it at once, before it paints: what it paints, and what happens when it is lost,
is the journal's business. SAQ's own worker, whose heartbeats, retries and timeouts would follow the
painting a second time, is not used. An announcement that gets lost is made up for by the look that
an idle worker takes every `look_seconds`.

Errands are jobs of another queue of SAQ, which carries what comes of them, too. Whoever does one
makes it active, which is all that keeps SAQ's sweep from giving it up.
"""

from __future__ import annotations

import logging
import math
import secrets
from functools import partial
from typing import TYPE_CHECKING

import structlog

from impasto.contracts import Errand
from impasto.errors import described
from impasto_saq.settings import SaqSettings, explained

if TYPE_CHECKING:
    from saq.job import Job
    from saq.queue.redis import RedisQueue

log = structlog.get_logger(__name__)

SECONDS_KEPT = 60
"""SAQ's web page shows announcements for this long after they were taken."""

MOST_KEPT = 1000
"""Busy workers take no announcements, but the next job from the journal. When more of them are kept
than there can be idle workers, one more would wake nobody."""


SECONDS_BETWEEN_LOOKS = 0.1
"""How often SAQ looks whether an errand was done."""


class SaqQueue:
    """See `impasto.contracts.JobQueue` and `Errands`."""

    name = "saq"
    embedded_worker = False

    _saq: RedisQueue | None = None
    _saq_errands: RedisQueue | None = None

    def __init__(self, settings: SaqSettings, bot_id: str) -> None:
        self._settings = settings
        self._bot_id = bot_id

    async def open(self) -> None:
        """Raises OwnerError when libraries are missing or the URL is none."""
        with explained('queue.kind = "saq"'):
            from saq.queue.redis import RedisQueue

            from impasto_saq.connection import client
        logging.getLogger("saq").setLevel(logging.ERROR)  # it informs of every announcement
        seconds = self._settings.look_seconds
        for_jobs, for_errands = (
            client(self._settings, text=False, waits_seconds=seconds) for _ in range(2)
        )
        self._saq = RedisQueue(for_jobs, name=f"impasto:{self._bot_id}")
        self._saq_errands = RedisQueue(for_errands, name=f"impasto:{self._bot_id}:errands")

    async def announce(self) -> None:
        try:
            queue = _opened(self._saq)
            if await queue.count("queued") < MOST_KEPT:
                await queue.enqueue("paint", ttl=SECONDS_KEPT)
        except Exception as error:
            log.warning("job_not_announced", why=described(error))

    async def wait(self) -> None:
        from saq.job import Status

        # Clears away what a worker took and was lost before it could finish it.
        queue = _opened(self._saq)
        await queue.sweep(lock=SECONDS_KEPT, abort=0.1)
        announcement = await queue.dequeue(timeout=self._settings.look_seconds)
        if announcement is not None:
            await announcement.finish(Status.COMPLETE)

    async def send(self, request: str, patience: float) -> str | None:
        queue, key = _opened(self._saq_errands), secrets.token_hex(8)
        try:
            answer = await queue.apply(
                "errand",
                timeout=patience,
                poll_interval=SECONDS_BETWEEN_LOOKS,
                key=key,
                ttl=math.ceil(patience),
                request=request,
            )
            return answer if isinstance(answer, str) else None
        except Exception as error:
            log.info("errand_not_done", why=described(error))
            return None
        finally:
            await _forget(queue, key)

    async def next_errand(self) -> Errand:
        from saq.job import Status
        from saq.utils import now

        queue = _opened(self._saq_errands)
        while True:
            await queue.sweep(lock=SECONDS_KEPT, abort=0.1)
            job = await queue.dequeue(timeout=self._settings.look_seconds)
            if job is not None and job.kwargs and job.status is Status.QUEUED:
                job.status, job.started = Status.ACTIVE, now()
                await job.update(status=job.status)
                return Errand(job.kwargs["request"], partial(_answer, job))

    async def close(self) -> None:
        queues = self._saq, self._saq_errands
        self._saq = self._saq_errands = None
        for queue in filter(None, queues):
            await queue.disconnect()


def _opened(queue: RedisQueue | None) -> RedisQueue:
    if queue is None:
        raise RuntimeError("the queue is not open")
    return queue


async def _answer(job: Job, answer: str | None) -> None:
    from saq.job import Status

    await job.finish(Status.FAILED if answer is None else Status.COMPLETE, result=answer)


async def _forget(queue: RedisQueue, key: str) -> None:
    """Nobody waits for an errand any more: takes it back if nobody has begun it, and what came of
    it away. One that is being done goes by its `ttl`."""
    from saq.job import Status

    try:
        job = await queue.job(key)
        if job is not None and job.status is Status.QUEUED:
            await job.abort("nobody waits for it any more")
        await queue.redis.delete(queue.job_id(key))
    except Exception as error:
        log.info("errand_not_forgotten", why=described(error))
