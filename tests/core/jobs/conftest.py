"""A real journal, a scripted painting child, and a chat side that only remembers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from impasto.contracts import Limits, StylePreset
from impasto.jobs.estimates import Estimates
from impasto.jobs.folders import JobFolders
from impasto.jobs.job import Job
from impasto.jobs.service import JobService
from impasto.jobs.store import JobStore
from impasto.jobs.trials import Trials
from impasto.jobs.worker import Worker
from impasto.settings import PaintingSettings, QueueSettings, Settings
from impasto_sqlite import SqliteStorage

from .jobs_bench import OWNER, SCRIPTED_CHILD, CountingQueue, Pictures, Reports


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    storage = SqliteStorage(tmp_path / "state")
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
def store(storage: SqliteStorage) -> JobStore:
    return JobStore(storage.journal)


@pytest.fixture
async def reports() -> Reports:
    return Reports()


@pytest.fixture
def queue() -> CountingQueue:
    return CountingQueue()


@pytest.fixture
def trials(settings: Settings, store: JobStore, pictures: Pictures, preset: StylePreset) -> Trials:
    folders = JobFolders(settings.state_dir, settings.queue.keep_hours)
    return Trials(store=store, pictures=pictures, folders=folders, presets=[preset])


@pytest.fixture
def job_service(
    trials: Trials,
    store: JobStore,
    storage: SqliteStorage,
    queue: CountingQueue,
    reports: Reports,
    preset: StylePreset,
) -> JobService:
    service = JobService(
        store=store,
        storage=storage,
        queue=queue,
        reporter=reports,
        presets=[preset],
        limits=Limits(unfinished=3),
        owners=[OWNER],
        trials=trials,
        estimates=Estimates(store.journal, PaintingSettings()),
    )
    store.observe(service)
    return service


@pytest.fixture
async def pictures() -> Pictures:
    return Pictures()


@pytest.fixture
def preset(tmp_path: Path) -> StylePreset:
    picture = tmp_path / "wave.png"
    picture.write_bytes(b"a wave")
    return StylePreset(
        name="wave", titles={"en": "Wave"}, picture=picture, credit="us", licence="CC0"
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    # Below the bound of the setting: a test must not wait for seconds.
    queue = QueueSettings().model_copy(update={"silence_seconds": 20.0})
    return Settings(state_dir=tmp_path / "state").model_copy(update={"queue": queue})


@pytest.fixture
async def make_worker(
    settings: Settings,
    store: JobStore,
    queue: CountingQueue,
    reports: Reports,
    pictures: Pictures,
    preset: StylePreset,
    trials: Trials,
) -> AsyncIterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def make(
        *arguments: str,
        on_loss: Callable[[str], None] = lambda why: None,
        on_machine_failing: Callable[[str], None] = lambda why: None,
        on_plugin_failing: Callable[[str, str], None] = lambda plugin, why: None,
        **limits: Any,
    ) -> Worker:
        changed = settings.queue.model_copy(update=limits)
        worker = Worker(
            settings=settings.model_copy(update={"queue": changed}),
            store=store,
            pictures=pictures,
            reporter=reports,
            presets=[preset],
            folders=JobFolders(settings.state_dir, changed.keep_hours),
            queue=queue,
            estimates=Estimates(store.journal, settings.painting),
            trials=trials,
            on_loss=on_loss,
            on_machine_failing=on_machine_failing,
            on_plugin_failing=on_plugin_failing,
            command=[sys.executable, str(SCRIPTED_CHILD), *arguments],
        )
        store.observe(worker)
        workers.append(worker)
        return worker

    yield make
    for worker in workers:
        await worker.close()


@pytest.fixture
def worker(make_worker: Callable[..., Worker]) -> Worker:
    return make_worker()


@pytest.fixture
def painted_by(worker: Worker, store: JobStore) -> Callable[[Job], Awaitable[Job]]:
    """Has a job worked on and returns it as the journal has it afterwards."""

    async def paint(job: Job) -> Job:
        await store.add(job)
        async with asyncio.timeout(60):
            assert await worker.work()
        stored = await store.journal.get(job.id)
        assert stored is not None
        return stored

    return paint
