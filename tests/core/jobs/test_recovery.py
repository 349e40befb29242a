"""After a restart every job goes on where the journal says; folders go when their time is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import pytest

from impasto.jobs.folders import JobFolders
from impasto.jobs.job import JobState
from impasto.jobs.recovery import MOST_ATTEMPTS, Recovery
from impasto.jobs.store import JobStore
from impasto.settings import Settings
from impasto_sqlite import SqliteStorage

from .jobs_bench import CountingQueue, Reports, brought_to, state_of


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A finished picture."""
    path = tmp_path / "result.jpg"
    path.write_bytes(b"picture")
    return path


async def test_every_state_goes_on(
    store: JobStore, reports: Reports, queue: CountingQueue, picture: Path
) -> None:
    jobs = {state: await brought_to(store, state, result=picture) for state in JobState}
    untold = await brought_to(store, JobState.CANCELLED, is_untold=True)
    await Recovery(store, queue, reports).recover()
    waiting = [jobs[JobState.ACCEPTED].id, jobs[JobState.RUNNING].id]
    assert queue.announced == len(waiting)
    assert reports.announced == waiting
    assert {job.id for job in reports.ended} == {
        jobs[JobState.PAINTED].id,
        jobs[JobState.FAILED].id,
        untold.id,
    }
    assert await state_of(store, jobs[JobState.RUNNING]) is JobState.ACCEPTED


async def test_a_picture_that_was_lost_before_it_was_sent_is_painted_again(
    store: JobStore, reports: Reports, queue: CountingQueue, tmp_path: Path
) -> None:
    told = {"status_message": 5, "result_message": 5, "has_said_ready": True}
    job = await brought_to(
        store, JobState.PAINTED, result=tmp_path / "on-another-machine.jpg", **told
    )
    await Recovery(store, queue, reports).recover()
    again = await store.journal.get(job.id)
    assert again is not None
    assert (again.state, again.status_message) == (JobState.ACCEPTED, 5)
    assert (again.result_message, again.has_said_ready) == (None, False), "it is told again"
    assert (queue.announced, reports.ended) == (1, [])


async def test_what_failed_half_way_is_gone_on_with_the_next_time(
    store: JobStore, reports: Reports, queue: CountingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [await brought_to(store, JobState.RUNNING) for _ in range(2)]
    recovery = Recovery(store, queue, reports)
    with monkeypatch.context() as patch:
        patch.setattr(store, "move", AsyncMock(side_effect=OSError("no space left on device")))
        with pytest.raises(OSError, match="no space"):
            await recovery.recover()
    await recovery.recover()
    assert queue.announced == len(jobs)


async def test_a_job_with_a_status_message_is_not_announced_again(
    store: JobStore, reports: Reports, queue: CountingQueue
) -> None:
    await brought_to(store, JobState.ACCEPTED, status_message=5)
    await Recovery(store, queue, reports).recover()
    assert (queue.announced, reports.announced) == (1, [])


async def test_a_job_that_was_running_at_every_crash_is_given_up(
    store: JobStore, reports: Reports, queue: CountingQueue
) -> None:
    job = await brought_to(store, JobState.RUNNING, attempts=MOST_ATTEMPTS)
    await Recovery(store, queue, reports).recover()
    assert await state_of(store, job) is JobState.FAILED
    assert [ended.id for ended in reports.ended] == [job.id]


class TestFolders:
    async def test_are_swept_when_their_time_is_over(
        self, store: JobStore, storage: SqliteStorage, settings: Settings
    ) -> None:
        folders = JobFolders(settings.state_dir, keep_hours=1)
        old = datetime.now(UTC) - timedelta(hours=2)
        kept = [
            await brought_to(store, JobState.DELIVERED, result=Path("result.jpg")),
            await brought_to(store, JobState.PAINTED),
            await brought_to(store, JobState.ACCEPTED),
        ]
        await store.note(kept[1].id, changed_at=old)
        over = await brought_to(store, JobState.DELIVERED)
        await store.note(over.id, changed_at=old)
        for job in (*kept, over):
            for name in ("content", "result.jpg"):
                (await folders.make(job.id) / name).write_bytes(b"picture")
        (folders.root / "of-no-job").mkdir()
        assert await folders.sweep(storage.journal) == 2
        assert {path.name for path in folders.root.iterdir()} == {job.id for job in kept}
        left = [{path.name for path in folders.of(job.id).iterdir()} for job in kept]
        assert left == [{"result.jpg"}, *[{"content", "result.jpg"}] * 2]

    async def test_there_is_nothing_to_sweep(
        self, storage: SqliteStorage, settings: Settings
    ) -> None:
        assert await JobFolders(settings.state_dir, keep_hours=1).sweep(storage.journal) == 0

    @pytest.mark.parametrize("keep_hours", [0, 1])
    async def test_are_released_at_once_only_when_nothing_is_to_be_kept(
        self, store: JobStore, settings: Settings, keep_hours: float
    ) -> None:
        folders = JobFolders(settings.state_dir, keep_hours)
        result = Path("result.jpg")
        delivered = await brought_to(store, JobState.DELIVERED, result=result)
        painted = await brought_to(store, JobState.PAINTED, result=result)
        for job in (delivered, painted):
            await folders.make(job.id)
            await folders.release(job)
        assert folders.of(delivered.id).exists() is (keep_hours > 0)
        assert folders.of(painted.id).exists()

    async def test_of_what_is_over_only_the_result_takes_room(
        self, store: JobStore, settings: Settings
    ) -> None:
        folders = JobFolders(settings.state_dir, keep_hours=24)
        jobs = {
            state: await brought_to(store, state, result=result)
            for state, result in (
                (JobState.DELIVERED, Path("/of/another/machine/result.jpg")),
                (JobState.CANCELLED, None),
                (JobState.EXPLAINED, None),
                (JobState.RUNNING, None),
            )
        }
        names = {"content", "style_0", "preview-3.jpg", "result.jpg"}
        for job in jobs.values():
            for name in names:
                (await folders.make(job.id) / name).write_bytes(b"picture")
            await folders.release(job)
        left = {
            state: {path.name for path in folders.of(job.id).iterdir()}
            for state, job in jobs.items()
            if folders.of(job.id).exists()
        }
        assert left == {JobState.DELIVERED: {"result.jpg"}, JobState.RUNNING: names}
