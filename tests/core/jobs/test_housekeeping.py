"""What is kept for a while goes when its time is over, and not before."""

from __future__ import annotations

import asyncio
import functools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from impasto.jobs.folders import JobFolders, tidy_up
from impasto.jobs.job import JobState
from impasto.jobs.store import JobStore
from impasto.settings import QueueSettings, Settings
from impasto.tasks import repeatedly
from impasto_sqlite import SqliteStorage

from .jobs_bench import brought_to


async def aged(store: JobStore, state: JobState, **age: float) -> str:
    job = await brought_to(store, state, result=Path("result.jpg"))
    await store.note(job.id, changed_at=datetime.now(UTC) - timedelta(**age))
    return job.id


async def test_pictures_go_first_and_jobs_later(
    store: JobStore, storage: SqliteStorage, settings: Settings
) -> None:
    queue = QueueSettings(keep_hours=24, remember_days=30)
    folders = JobFolders(settings.state_dir, queue.keep_hours)
    today = await aged(store, JobState.DELIVERED, hours=23)
    past = await aged(store, JobState.EXPLAINED, days=29)
    gone = await aged(store, JobState.DELIVERED, days=31)
    unfinished = await aged(store, JobState.PAINTED, days=31)
    for job_id in (today, past, gone, unfinished):
        await folders.make(job_id)
    await tidy_up(storage.journal, folders, queue)
    assert {path.name for path in folders.root.iterdir()} == {today, unfinished}
    left = [await storage.journal.get(job_id) for job_id in (today, past, gone, unfinished)]
    assert [job is not None for job in left] == [True, True, False, True]


async def test_no_job_goes_before_its_pictures(
    store: JobStore, storage: SqliteStorage, settings: Settings
) -> None:
    queue = QueueSettings(keep_hours=720, remember_days=1)
    job_id = await aged(store, JobState.DELIVERED, days=10)
    await tidy_up(storage.journal, JobFolders(settings.state_dir, queue.keep_hours), queue)
    assert await storage.journal.get(job_id) is not None


async def test_a_full_disk_is_not_the_end_of_it(
    storage: SqliteStorage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = asyncio.Semaphore(0)

    async def prune(before: datetime) -> Any:
        rounds.release()
        raise OSError("no space left on device")

    monkeypatch.setattr(storage.journal, "prune", prune)
    folders = JobFolders(settings.state_dir, 24)
    tidying = functools.partial(tidy_up, storage.journal, folders, QueueSettings())
    keeping = asyncio.create_task(repeatedly(tidying, "tidying up", 0))
    async with asyncio.timeout(30):
        for _ in range(3):
            await rounds.acquire()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
