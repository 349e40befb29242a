"""Delivery: one conversation per job, as many at a time as there are unfinished jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import structlog
from aiogram import Bot
from structlog.contextvars import bound_contextvars

from impasto.contracts import Presenter
from impasto.jobs.estimates import Estimates
from impasto.jobs.job import Job, JobState
from impasto.jobs.store import JobObserver, JobStore
from impasto.messages import Progress
from impasto.telegram.persistent_calls import PersistentCalls
from impasto.telegram.status.conversation import Conversation
from impasto.telegram.status.safe_presenter import SafePresenter

log = structlog.get_logger(__name__)

SECONDS_TO_CLOSE = 3.0
"""At the end of the process, results on their way have this long; the journal has the others."""

IN_GROUPS = 2
"""Edits come this much slower in groups, where 20 messages a minute are all that a bot has."""

PAUSE_SECONDS = 30.0
"""After an unexpected error (a full disk, say) a conversation goes on this much later."""


class Delivery(JobObserver):
    """See `impasto.jobs.store.Reporter`."""

    def __init__(
        self,
        *,
        bot: Bot,
        store: JobStore,
        estimates: Estimates,
        presenter: Presenter,
        edit_seconds: float,
    ) -> None:
        self._store = store
        self._estimates = estimates
        self._line = PersistentCalls(bot)
        self._words = SafePresenter(presenter)
        self._edit_seconds = edit_seconds
        self._conversations: dict[str, Conversation] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def renew(self, presenter: Presenter) -> None:
        """Has this one speak about jobs that are not talked about yet."""
        self._words = SafePresenter(presenter)

    def accepted(self, job: Job) -> Awaitable[None]:
        conversation = self._conversation(job)
        conversation.is_announced_here = True
        # Shielded: the handler that waits for it may be cancelled, the conversation goes on.
        return asyncio.shield(conversation.announced)

    def progress(self, job: Job, progress: Progress) -> None:
        self._conversation(job).show(progress)

    def finished(self, job: Job) -> None:
        self._conversation(job).finish()

    async def close(self) -> None:
        """Lets what is about to be told be told; everything else is in the journal."""
        for job_id, task in self._tasks.items():
            if not self._conversations[job_id].is_over.is_set():
                task.cancel()
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks.values()), timeout=SECONDS_TO_CLOSE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def job_changed(self, job: Job) -> None:
        if job.state is not JobState.ACCEPTED:
            for conversation in self._conversations.values():
                conversation.queue_moved()

    def job_left(self, job: Job) -> None:
        conversation = self._conversations.get(job.id)
        if conversation is not None:
            conversation.leave(job)

    def _conversation(self, job: Job) -> Conversation:
        known = self._conversations.get(job.id)
        if known is not None:
            return known
        conversation = Conversation(
            job,
            line=self._line,
            store=self._store,
            estimates=self._estimates,
            words=self._words,
            edit_seconds=self._edit_seconds * (IN_GROUPS if job.chat < 0 else 1),
        )
        self._conversations[job.id] = conversation
        self._tasks[job.id] = asyncio.create_task(self._run(conversation))
        return conversation

    async def _run(self, conversation: Conversation) -> None:
        job_id = conversation.job.id
        try:
            while True:
                try:
                    with bound_contextvars(job=job_id):
                        return await conversation.run()
                except Exception:
                    log.exception("conversation_failed", job=job_id, again_in=PAUSE_SECONDS)
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            del self._conversations[job_id]
            del self._tasks[job_id]
