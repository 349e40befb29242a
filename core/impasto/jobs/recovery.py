"""After a restart: what an earlier process left unfinished goes on where the journal says."""

from __future__ import annotations

import structlog

from impasto.jobs.job import Failure, Job, JobState
from impasto.jobs.ledger import Ledger
from impasto.jobs.ports import Reporter
from impasto.jobs.queue import JobQueue

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 10
"""A job that was running this often when everything ended may well be the reason for it."""


async def hand_back_orphans(ledger: Ledger) -> None:
    """Running jobs wait again. Only for the sole worker of a journal, before it starts: there, a
    running job is one whose worker is gone."""
    for job in await ledger.journal.in_states(JobState.RUNNING):
        await _hand_back(ledger, job)


async def resume(ledger: Ledger, queue: JobQueue, reporter: Reporter) -> None:
    """Announces waiting jobs and tells what was not told yet."""
    for job in await ledger.journal.in_states(JobState.PAINTED, JobState.FAILED):
        reporter.finished(job)
    waiting = await ledger.journal.in_states(JobState.ACCEPTED)
    for job in waiting:
        await queue.put(job.id)
        if job.status_message is None:
            reporter.accepted(job)
    if waiting:
        log.info("jobs_recovered", waiting=len(waiting))


async def _hand_back(ledger: Ledger, job: Job) -> None:
    if job.attempts < MOST_ATTEMPTS:
        await ledger.move(job.id, JobState.ACCEPTED, finish_early=False)
        return
    log.warning("job_given_up", job=job.id, attempts=job.attempts)
    failure = Failure(
        code="painting_failed",
        sentence="Painting this picture failed; please try again or send another one.",
    )
    await ledger.move(job.id, JobState.FAILED, failure=failure)
