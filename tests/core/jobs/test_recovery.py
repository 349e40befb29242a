"""After a restart every job goes on where the journal says; folders go when their time is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from impasto.jobs.folders import JobFolders
from impasto.jobs.job import Job, JobState
from impasto.jobs.ledger import Ledger
from impasto.jobs.recovery import MOST_ATTEMPTS, hand_back_orphans, resume
from impasto.settings import Settings
from impasto_sqlite import SqliteStorage

from .jobs_bench import Reports, Tickets, job_that, state_of

WAY = {
    JobState.ACCEPTED: [],
    JobState.RUNNING: [JobState.RUNNING],
    JobState.PAINTED: [JobState.RUNNING, JobState.PAINTED],
    JobState.DELIVERED: [JobState.RUNNING, JobState.PAINTED, JobState.DELIVERED],
    JobState.FAILED: [JobState.FAILED],
    JobState.EXPLAINED: [JobState.FAILED, JobState.EXPLAINED],
    JobState.CANCELLED: [JobState.CANCELLED],
    JobState.ABANDONED: [JobState.ABANDONED],
}


async def brought_to(ledger: Ledger, state: JobState, **fields: object) -> Job:
    job = job_that("paint", **fields)
    await ledger.add(job)
    for step in WAY[state]:
        job = await ledger.move(job.id, step)
    return job


async def test_every_state_goes_on(ledger: Ledger, reports: Reports, tickets: Tickets) -> None:
    jobs = {state: await brought_to(ledger, state) for state in JobState}
    await hand_back_orphans(ledger)
    await resume(ledger, tickets, reports)
    waiting = [jobs[JobState.ACCEPTED].id, jobs[JobState.RUNNING].id]
    assert tickets.taken == waiting
    assert reports.announced == waiting
    assert {job.id for job in reports.ended} == {
        jobs[JobState.PAINTED].id,
        jobs[JobState.FAILED].id,
    }
    assert await state_of(ledger, jobs[JobState.RUNNING]) is JobState.ACCEPTED


async def test_a_job_with_a_status_message_is_not_announced_again(
    ledger: Ledger, reports: Reports, tickets: Tickets
) -> None:
    job = await brought_to(ledger, JobState.ACCEPTED, status_message=5)
    await resume(ledger, tickets, reports)
    assert (tickets.taken, reports.announced) == ([job.id], [])


async def test_a_job_that_was_running_at_every_crash_is_given_up(
    ledger: Ledger, reports: Reports, tickets: Tickets
) -> None:
    job = await brought_to(ledger, JobState.RUNNING, attempts=MOST_ATTEMPTS)
    await hand_back_orphans(ledger)
    await resume(ledger, tickets, reports)
    assert await state_of(ledger, job) is JobState.FAILED
    assert [ended.id for ended in reports.ended] == [job.id]


class TestFolders:
    async def test_are_swept_when_their_time_is_over(
        self, ledger: Ledger, storage: SqliteStorage, settings: Settings
    ) -> None:
        folders = JobFolders(settings.state_dir, keep_hours=1)
        old = datetime.now(UTC) - timedelta(hours=2)
        kept = [
            await brought_to(ledger, JobState.DELIVERED),
            await brought_to(ledger, JobState.PAINTED),
            await brought_to(ledger, JobState.ACCEPTED),
        ]
        await ledger.note(kept[1].id, changed_at=old)
        over = await brought_to(ledger, JobState.DELIVERED)
        await ledger.note(over.id, changed_at=old)
        for job in (*kept, over):
            (await folders.make(job.id) / "content").write_bytes(b"photo")
        (folders.root / "of-no-job").mkdir()
        assert await folders.sweep(storage.journal) == 2
        assert {path.name for path in folders.root.iterdir()} == {job.id for job in kept}

    async def test_there_is_nothing_to_sweep(
        self, storage: SqliteStorage, settings: Settings
    ) -> None:
        assert await JobFolders(settings.state_dir, keep_hours=1).sweep(storage.journal) == 0

    @pytest.mark.parametrize("keep_hours", [0, 1])
    async def test_are_released_at_once_only_when_nothing_is_to_be_kept(
        self, ledger: Ledger, settings: Settings, keep_hours: float
    ) -> None:
        folders = JobFolders(settings.state_dir, keep_hours)
        delivered = await brought_to(ledger, JobState.DELIVERED)
        painted = await brought_to(ledger, JobState.PAINTED)
        for job in (delivered, painted):
            await folders.make(job.id)
            await folders.release(job)
        assert folders.of(delivered.id).exists() is (keep_hours > 0)
        assert folders.of(painted.id).exists()
