"""The store: every change is told, after it was written, and nobody who listens can stop it."""

from __future__ import annotations

from typing import Any

import impasto
from impasto.hookspecs import BOT_GROUP
from impasto.jobs.job import Job, JobState
from impasto.jobs.store import JobObserver, JobStore
from impasto.plugins import PluginHost
from impasto.settings import PluginsSettings, Settings
from impasto_sqlite import SqliteStorage

from .jobs_bench import job_that


def host_with(**plugins: Any) -> PluginHost:
    """A host of these plugins alone."""
    settings = Settings(plugins=PluginsSettings(allow=["none that is installed"]))
    return PluginHost(BOT_GROUP, settings, more=plugins).load()


class Observer:
    def __init__(self, *, broken: bool = False) -> None:
        self.seen: list[JobState] = []
        self.broken = broken

    @impasto.hookimpl
    def impasto_job_changed(self, job: Job, change: JobState) -> None:
        self.seen.append(change)
        if self.broken:
            raise RuntimeError("a plugin's bug")


class Curious:
    """Asks for the settings alone."""

    def __init__(self) -> None:
        self.seen: list[Settings] = []

    @impasto.hookimpl
    def impasto_job_changed(self, settings: Settings) -> None:
        self.seen.append(settings)


async def test_an_observer_gets_the_settings_if_it_asks(storage: SqliteStorage) -> None:
    observer = Curious()
    host = host_with(curious=observer)
    await JobStore(storage.journal, host).add(job_that("paint"))
    assert observer.seen == [host.settings]


async def test_plugins_see_every_change(storage: SqliteStorage) -> None:
    observer = Observer()
    store = JobStore(storage.journal, host_with(log=observer))
    job = job_that("paint")
    await store.add(job)
    await store.claim()
    await store.note(job.id, status_message=1)
    await store.move(job.id, JobState.PAINTED)
    await store.move(job.id, JobState.DELIVERED)
    assert observer.seen == [
        JobState.ACCEPTED,
        JobState.RUNNING,
        JobState.PAINTED,
        JobState.DELIVERED,
    ]


async def test_a_broken_observer_costs_only_itself(storage: SqliteStorage) -> None:
    broken, healthy = Observer(broken=True), Observer()
    host = host_with(a=broken, b=healthy)
    store = JobStore(storage.journal, host)
    job = job_that("paint")
    await store.add(job)
    await store.claim()
    assert broken.seen == healthy.seen == [JobState.ACCEPTED, JobState.RUNNING]
    assert host.records[0].status == "active", "once or twice may be a network that is away"
    await store.move(job.id, JobState.ACCEPTED)
    await store.claim()
    assert host.records[0].status == "failed"
    assert len(broken.seen) == 3
    assert len(healthy.seen) == 4


class Seeing(JobObserver):
    """Remembers what it is told, and may fail at it."""

    def __init__(self, *, broken: bool = False) -> None:
        self.seen: list[JobState] = []
        self.broken = broken

    def job_changed(self, job: Job) -> None:
        self.seen.append(job.state)
        if self.broken:
            raise RuntimeError("a bug of ours")


async def test_an_observer_that_raises_does_not_undo_the_change(storage: SqliteStorage) -> None:
    store = JobStore(storage.journal)
    broken, healthy = Seeing(broken=True), Seeing()
    store.observe(broken, healthy)
    job = job_that("paint")
    assert await store.add(job) == job
    assert broken.seen == healthy.seen == [JobState.ACCEPTED]


async def test_a_known_job_is_not_told_again(storage: SqliteStorage) -> None:
    observer = Seeing()
    store = JobStore(storage.journal)
    store.observe(observer)
    await store.add(job_that("paint", origin="update 1 job 1"))
    await store.add(job_that("paint", origin="update 1 job 1"))
    assert observer.seen == [JobState.ACCEPTED]
