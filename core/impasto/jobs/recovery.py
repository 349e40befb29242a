"""What processes that are gone left unfinished goes on where the journal says: after a restart, and
when another machine was lost."""

from __future__ import annotations

import asyncio

import structlog

from impasto.contracts import JobQueue
from impasto.errors import InvalidTransition
from impasto.jobs.job import Job, JobState
from impasto.jobs.store import JobStore, Reporter
from impasto.messages import PAINTING_FAILED

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 10
"""A job that was running this often when everything ended may well be the reason for it."""


class Recovery:
    """Takes charge of jobs that nobody is in charge of, at the start and from time to time."""

    def __init__(self, store: JobStore, queue: JobQueue, reporter: Reporter) -> None:
        self._store = store
        self._queue = queue
        self._reporter = reporter
        self._adopted: list[str] = []
        """Ids of jobs that remain to be gone on with, also when that failed half-way."""

    async def recover(self) -> None:
        """Running jobs wait again, waiting ones are announced, what was not told yet is told."""
        journal = self._store.journal
        self._adopted += [job.id for job in await journal.adopt_jobs()]
        if self._adopted:
            log.info("jobs_recovered", count=len(self._adopted))
        while self._adopted:
            job = await journal.get(self._adopted[0])
            try:
                if job is not None:
                    await self._go_on(job)
            except InvalidTransition as error:
                log.info("job_changed_meanwhile", job=self._adopted[0], why=str(error))
            del self._adopted[0]

    async def _go_on(self, job: Job) -> None:
        is_lost = job.state is JobState.PAINTED and not await _is_here(job)
        if job.state is JobState.RUNNING or is_lost:
            job = await self._handed_back(job)
        if job.state is JobState.ACCEPTED:
            await self._queue.announce()
            if job.status_message is None:
                self._reporter.accepted(job)
        elif not job.is_settled:
            self._reporter.finished(job)

    async def _handed_back(self, job: Job) -> Job:
        if job.attempts < MOST_ATTEMPTS:
            facts = {
                "finish_early": False,
                "result": None,
                "result_message": None,
                "has_said_ready": False,
            }
            return await self._store.move(job.id, JobState.ACCEPTED, **facts)
        log.warning("job_given_up", job=job.id, attempts=job.attempts)
        return await self._store.move(job.id, JobState.FAILED, failure=PAINTING_FAILED)


async def _is_here(job: Job) -> bool:
    """Whether the finished picture is on a disk of this machine."""
    return job.result is not None and await asyncio.to_thread(job.result.is_file)
