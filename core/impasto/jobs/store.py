"""The one way in which jobs change: the journal, and then everybody who observes it; and who tells
people of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import structlog

from impasto.contracts import NO_LIMITS, Journal, Limits, News
from impasto.jobs.job import Job, JobState
from impasto.messages import Progress
from impasto.plugins import PluginHost

log = structlog.get_logger(__name__)


class JobObserver:
    """What a part of the bot hears of jobs, after it was written, whichever process wrote it.

    Each method does nothing unless it is overridden; none may block.
    """

    def job_changed(self, job: Job) -> None:
        """The job has come into the state that it has now."""

    def job_hurried(self, job: Job) -> None:
        """The person wants the picture as it is by now."""

    def job_left(self, job: Job) -> None:
        """Another process is in charge of the job now, or it has ended."""

    def job_forgotten(self, job: Job) -> None:
        """The person had the bot forget the job."""

    def jobs_at_hand(self) -> Iterable[Job]:
        """Those that something is being done about here."""
        return ()

    def job_vanished(self, job: Job) -> None:
        """The journal has lost a job that is at hand here."""

    def file_wanted(self, job: Job) -> None:
        """A process on another machine wants the full-quality file of the job sent."""


class Reporter(Protocol):
    """Tells a person how their job is getting on."""

    def accepted(self, job: Job) -> Awaitable[None]:
        """Shows that the job waits, also when a worker has begun with it by now, unless it has been
        shown already. Begins at once; what it returns can be awaited until that was tried once.
        What fails is tried again."""
        ...

    def progress(self, job: Job, progress: Progress) -> None:
        """Painting goes on; shown when there is time for it, else dropped. Never blocks."""
        ...

    def progress_of(self, job_id: str) -> Progress | None:
        """The newest progress of a job that this process paints."""
        ...

    def reworded(self, job: Job) -> None:
        """What is said about the job is to be said anew, in another language. Never blocks."""
        ...

    def finished(self, job: Job) -> None:
        """The job is painted, failed or cancelled: tells the person, trying until it is done, and
        writes `delivered`, `explained` or `abandoned`, of a cancelled one that it is not untold
        any more. Never blocks: that happens in the background."""
        ...


class JobStore:
    """Writes jobs through to the journal and tells observers and plugins of every change.

    Observers are also told of what other processes change; plugins are told there.
    """

    def __init__(self, journal: Journal, host: PluginHost | None = None) -> None:
        self.journal = journal
        self._host = host
        self._observers: list[JobObserver] = []

    def observe(self, *observers: JobObserver) -> None:
        """Tells these from now on."""
        self._observers += observers

    async def add(self, job: Job, *, limits: Limits = NO_LIMITS) -> Job:
        """As `Journal.add`."""
        stored = await self.journal.add(job, limits=limits)
        if stored.id == job.id:
            self._tell_of_change(stored)
        return stored

    async def move(self, job_id: str, to: JobState, **facts: Any) -> Job:
        """As `Journal.move`."""
        job = await self.journal.move(job_id, to, **facts)
        self._tell_of_change(job)
        return job

    async def claim(self, *, larger_than: int | None = None) -> Job | None:
        """As `Journal.claim`."""
        job = await self.journal.claim(larger_than=larger_than)
        if job is not None:
            self._tell_of_change(job)
        return job

    async def note(self, job_id: str, **facts: Any) -> Job:
        """As `Journal.note`; no change of state, so nobody is told."""
        return await self.journal.note(job_id, **facts)

    async def hurry(self, job_id: str) -> Job:
        """The person wants this running job's picture as it is by now."""
        job = await self.journal.note(job_id, finish_early=True)
        self._tell(JobObserver.job_hurried, job)
        return job

    async def forget(self, person: int) -> None:
        """As `Journal.forget`."""
        for job in await self.journal.forget(person):
            self._tell(JobObserver.job_forgotten, job)

    async def look_for_vanished(self) -> None:
        """Tells of jobs at hand that the journal has lost, as a Redis may that is emptied."""
        at_hand = {job.id: job for one in self._observers for job in one.jobs_at_hand()}
        for job_id, job in at_hand.items():
            if await self.journal.get(job_id) is None:
                log.error("job_vanished", job=job_id, person=job.person)
                self._tell(JobObserver.job_vanished, job)

    async def listen(self) -> None:
        """Tells of what other processes do, until cancelled."""
        await self.journal.listen(self._hear)

    def _hear(self, news: News) -> None:
        job = news.job
        if not news.is_ours:
            self._tell(JobObserver.job_left, job)
        elif job.finish_early:
            self._tell(JobObserver.job_hurried, job)
        if job.file_caption is not None:
            self._tell(JobObserver.file_wanted, job)
        if job.is_forgotten:
            self._tell(JobObserver.job_forgotten, job)
        self._tell(JobObserver.job_changed, job)

    def _tell_of_change(self, job: Job) -> None:
        self._tell(JobObserver.job_changed, job)
        if self._host is not None:
            facts = {"job": job, "change": job.state, "settings": self._host.settings}
            for _ in self._host.call("impasto_job_changed", **facts):
                pass

    def _tell(self, of: Callable[[JobObserver, Job], None], job: Job) -> None:
        for observer in self._observers:
            try:
                getattr(observer, of.__name__)(job)
            except Exception:
                log.exception("job_observer_failed", observer=type(observer).__name__)
