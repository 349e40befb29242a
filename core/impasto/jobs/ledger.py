"""The one way in which jobs change: the journal, and then everybody who watches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from impasto.jobs.job import Job, JobState
from impasto.jobs.journal import Journal
from impasto.plugins import PluginHost

log = structlog.get_logger(__name__)

Watcher = Callable[[Job, JobState], None]
"""Told of a job's new state after it was written; must not block."""

Hurrier = Callable[[str], None]
"""Told the id of a job whose person wants the picture as it is; must not block."""


class Ledger:
    """Writes jobs through to the journal and tells watchers and plugins of every change."""

    def __init__(self, journal: Journal, host: PluginHost | None = None) -> None:
        self.journal = journal
        self._host = host
        self._watchers: list[Watcher] = []
        self._hurriers: list[Hurrier] = []

    def watch(self, watcher: Watcher) -> None:
        self._watchers.append(watcher)

    def on_hurry(self, hurrier: Hurrier) -> None:
        self._hurriers.append(hurrier)

    async def add(self, job: Job, *, limit: int | None = None) -> Job | None:
        """As `Journal.add`."""
        stored = await self.journal.add(job, limit=limit)
        if stored is not None and stored.id == job.id:
            self._tell(stored)
        return stored

    async def move(self, job_id: str, to: JobState, **facts: Any) -> Job:
        """As `Journal.move`."""
        job = await self.journal.move(job_id, to, **facts)
        self._tell(job)
        return job

    async def claim(self) -> Job | None:
        """As `Journal.claim`."""
        job = await self.journal.claim()
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

    def _tell(self, job: Job) -> None:
        for watcher in self._watchers:
            try:
                watcher(job, job.state)
            except Exception:
                log.exception("job_watcher_failed", job=job.id, state=job.state.value)
        if self._host is not None:
            for _ in self._host.call("impasto_job_changed", job=job, change=job.state):
                pass
