"""The one way in which jobs change: the journal, and then everybody who watches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from impasto.contracts import NO_LIMITS, Journal, Limits, News
from impasto.jobs.job import Job, JobState
from impasto.plugins import PluginHost

log = structlog.get_logger(__name__)

Watcher = Callable[[Job, JobState], None]
"""Told of a job's new state after it was written; must not block."""

Hurrier = Callable[[str], None]
"""Told the id of a job whose person wants the picture as it is; must not block."""

Forgetter = Callable[[Sequence[Job]], None]
"""Told of jobs that their person had the bot forget, after that was written; must not block."""

FileSender = Callable[[Job], None]
"""Told of a job whose full-quality file a process on another machine wants; must not block."""

Leaver = Callable[[Job], None]
"""Told of a job that another process is in charge of now, or that it has ended; must not block."""


class JobStore:
    """Writes jobs through to the journal and tells watchers and plugins of every change.

    Watchers are also told of what other processes change; plugins are told there.
    """

    def __init__(self, journal: Journal, host: PluginHost | None = None) -> None:
        self.journal = journal
        self._host = host
        self._watchers: list[Watcher] = []
        self._hurriers: list[Hurrier] = []
        self._forgetters: list[Forgetter] = []
        self._leavers: list[Leaver] = []
        self._file_senders: list[FileSender] = []

    def watch(self, watcher: Watcher) -> None:
        self._watchers.append(watcher)

    def on_hurry(self, hurrier: Hurrier) -> None:
        self._hurriers.append(hurrier)

    def on_forgetting(self, forgetter: Forgetter) -> None:
        self._forgetters.append(forgetter)

    def on_file_wanted(self, sender: FileSender) -> None:
        self._file_senders.append(sender)

    def on_leaving(self, leaver: Leaver) -> None:
        self._leavers.append(leaver)

    async def add(self, job: Job, *, limits: Limits = NO_LIMITS) -> Job:
        """As `Journal.add`."""
        stored = await self.journal.add(job, limits=limits)
        if stored.id == job.id:
            self._tell(stored)
        return stored

    async def move(self, job_id: str, to: JobState, **facts: Any) -> Job:
        """As `Journal.move`."""
        job = await self.journal.move(job_id, to, **facts)
        self._tell(job)
        return job

    async def claim(self, *, larger_than: int | None = None) -> Job | None:
        """As `Journal.claim`."""
        job = await self.journal.claim(larger_than=larger_than)
        if job is not None:
            self._tell(job)
        return job

    async def note(self, job_id: str, **facts: Any) -> Job:
        """As `Journal.note`; no change of state, so nobody is told."""
        return await self.journal.note(job_id, **facts)

    async def hurry(self, job_id: str) -> Job:
        """The person wants this running job's picture as it is by now."""
        job = await self.journal.note(job_id, finish_early=True)
        for hurrier in self._hurriers:
            hurrier(job_id)
        return job

    async def forget(self, person: int) -> None:
        """As `Journal.forget`."""
        jobs = await self.journal.forget(person)
        for forgetter in self._forgetters:
            forgetter(jobs)

    async def listen(self) -> None:
        """Tells of what other processes do, until cancelled."""
        await self.journal.listen(self._hear)

    def _hear(self, news: News) -> None:
        job = news.job
        if not news.is_ours:
            for leaver in self._leavers:
                leaver(job)
        elif job.finish_early:
            for hurrier in self._hurriers:
                hurrier(job.id)
        if job.file_caption is not None:
            for sender in self._file_senders:
                sender(job)
        if job.is_forgotten:
            for forgetter in self._forgetters:
                forgetter([job])
        self._tell_watchers(job)

    def _tell_watchers(self, job: Job) -> None:
        for watcher in self._watchers:
            try:
                watcher(job, job.state)
            except Exception:
                log.exception("job_watcher_failed", job=job.id, state=job.state.value)

    def _tell(self, job: Job) -> None:
        self._tell_watchers(job)
        if self._host is not None:
            for _ in self._host.call("impasto_job_changed", job=job, change=job.state):
                pass
