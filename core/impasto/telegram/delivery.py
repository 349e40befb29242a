"""Delivery: all that is sent about jobs. Each unfinished job has a conversation of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import NextRequestMiddlewareType
from aiogram.methods import SendDocument
from aiogram.methods.base import Response, TelegramMethod, TelegramType
from aiogram.types import FSInputFile, Message, TelegramObject
from structlog.contextvars import bound_contextvars

from impasto.jobs.estimates import Estimates
from impasto.jobs.job import Job, JobState
from impasto.jobs.store import JobObserver, JobStore
from impasto.messages import Progress
from impasto.tasks import cancelled, finished_within
from impasto.telegram.retry import CallFailed, call_until_answered, retried
from impasto.telegram.status.conversation import Conversation
from impasto.telegram.status.presenter import SafePresenter

log = structlog.get_logger(__name__)

SECONDS_TO_CLOSE = 3.0
"""At the end of the process, results on their way have this long; the journal has the others."""

SLOWDOWN_IN_GROUPS = 2
"""Edits come slower by this factor in groups, where a bot may send 20 messages a minute in all."""


class Delivery(JobObserver):
    """See `impasto.jobs.store.Reporter`."""

    def __init__(
        self,
        *,
        bot: Bot,
        store: JobStore,
        estimates: Estimates,
        presenter: SafePresenter,
        edit_seconds: float,
    ) -> None:
        self._bot = bot
        self._store = store
        self._estimates = estimates
        self._presenter = presenter
        self._edit_seconds = edit_seconds
        self._conversations: dict[str, Conversation] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._files: dict[str, asyncio.Task[None]] = {}
        bot.session.middleware(self._see_sent)

    def accepted(self, job: Job) -> Awaitable[None]:
        conversation = self._conversation(job)
        conversation.is_announced_here = True
        # Shielded: the handler that waits for it may be cancelled, the conversation goes on.
        return asyncio.shield(conversation.announced)

    def progress(self, job: Job, progress: Progress) -> None:
        self._conversation(job).show(progress)

    def progress_of(self, job_id: str) -> Progress | None:
        conversation = self._conversations.get(job_id)
        return conversation.newest_progress if conversation is not None else None

    def reworded(self, job: Job) -> None:
        self._conversation(job).reword()

    def finished(self, job: Job) -> None:
        self._conversation(job).finish()

    def job_changed(self, job: Job) -> None:
        if job.state is not JobState.ACCEPTED:
            for conversation in self._conversations.values():
                conversation.queue_moved()

    def job_left(self, job: Job) -> None:
        conversation = self._conversations.get(job.id)
        if conversation is not None:
            conversation.leave(job)

    def jobs_at_hand(self) -> Iterable[Job]:
        return [conversation.job for conversation in self._conversations.values()]

    def job_vanished(self, job: Job) -> None:
        if job.id in self._conversations:
            self._conversations[job.id].finish()

    def file_wanted(self, job: Job) -> None:
        """Sends the picture in full quality, if it is on the disk of this machine."""
        # The same file may be wanted again while it is on its way: after a second tap, say.
        if job.id not in self._files:
            task = asyncio.create_task(self._send_file(job))
            self._files[job.id] = task
            task.add_done_callback(lambda _: self._files.pop(job.id))

    async def see_received(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        """Middleware of the dispatcher: what people send may bring messages about jobs out of
        view."""
        self._see(event)
        return await handler(event, data)

    async def _see_sent(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        response = await make_request(bot, method)
        self._see(*response if isinstance(response, list) else [response])
        return response

    def _see(self, *messages: object) -> None:
        for message in messages:
            if isinstance(message, Message):
                for conversation in self._conversations.values():
                    if conversation.job.chat == message.chat.id:
                        conversation.message_came(message.message_id)

    async def close(self) -> None:
        """Lets people be told of jobs that have ended; everything else is in the journal."""
        ending = {self._tasks[i] for i, one in self._conversations.items() if one.is_over.is_set()}
        await cancelled({*self._tasks.values(), *self._files.values()} - ending)
        await finished_within(SECONDS_TO_CLOSE, ending)

    def _conversation(self, job: Job) -> Conversation:
        known = self._conversations.get(job.id)
        if known is not None:
            return known
        conversation = Conversation(
            job,
            bot=self._bot,
            store=self._store,
            estimates=self._estimates,
            presenter=self._presenter,
            edit_seconds=self._edit_seconds * (SLOWDOWN_IN_GROUPS if job.chat < 0 else 1),
        )
        self._conversations[job.id] = conversation
        self._tasks[job.id] = asyncio.create_task(self._run(conversation))
        return conversation

    async def _run(self, conversation: Conversation) -> None:
        job_id = conversation.job.id
        try:
            with bound_contextvars(job=job_id):
                # An unexpected error, of a full disk, say, does not end it.
                await retried(conversation.run, event="conversation_failed", job=job_id)
        finally:
            del self._conversations[job_id]
            del self._tasks[job_id]

    async def _send_file(self, job: Job) -> None:
        result = job.result
        if result is None or not await asyncio.to_thread(result.is_file):
            return
        method = SendDocument(
            chat_id=job.chat,
            message_thread_id=job.thread,
            document=FSInputFile(result, filename=f"impasto-{job.label}{result.suffix}"),
            caption=job.file_caption,
            disable_content_type_detection=True,
        )
        try:
            sent = await call_until_answered(self._bot, method)
            if sent is not None and sent.document is not None:
                file_id = sent.document.file_id
                await self._store.note(job.id, file_id=file_id, file_caption=None)
        except CallFailed as refusal:
            log.info("file_not_sent", job=job.id, why=str(refusal))
        except Exception:
            log.exception("file_not_sent", job=job.id)
