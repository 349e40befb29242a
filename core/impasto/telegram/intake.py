"""Updates: durable in the journal before Telegram is told that they were taken, then handled.

aiogram's own polling moves the offset before handlers finish, so a crash loses what they were at.
Here the offset moves after the updates are in the journal, and what was not finished is handled
again at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramConflictError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import Update
from aiogram.types.update import UpdateTypeLookupError
from aiogram.utils.backoff import Backoff, BackoffConfig
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from structlog.contextvars import bound_contextvars

from impasto.contracts import Journal
from impasto.errors import OwnerError
from impasto.jobs.service import handling_update

log = structlog.get_logger(__name__)

POLL_SECONDS = 30
MOST_TRIES = 3
"""An update that failed, or brought the process down, this often is given up."""

TRANSIENT = (TelegramNetworkError, TelegramServerError, TelegramRetryAfter)
"""Errors that say nothing about the update: the same may work a little later."""

OUTAGE_SECONDS = 600.0
"""So long an update waits for a Telegram that is away before that counts as one of its tries."""

JOURNAL_PAUSE_SECONDS = 5.0
"""When the journal cannot be written, it is tried again this much later."""

_BACKOFF = BackoffConfig(min_delay=1.0, max_delay=30.0, factor=1.5, jitter=0.1)


class Intake:
    """Takes updates by long polling and hands them to the dispatcher, in order within a chat."""

    def __init__(self, *, bot: Bot, dispatcher: Dispatcher, journal: Journal) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._journal = journal
        self._last_of_chat: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def replay(self) -> None:
        """Begins to handle what a process that is gone took and did not finish."""
        unfinished = await self._journal.adopt_updates()
        if unfinished:
            log.info("updates_replayed", count=len(unfinished))
        for update_id, body in unfinished:
            self._handle_later(update_id, body)

    async def poll(self) -> None:
        """Takes updates until cancelled.

        Raises:
            OwnerError: Telegram does not accept the token any more.
        """
        allowed = self._dispatcher.resolve_used_update_types()
        backoff = Backoff(_BACKOFF)
        offset: int | None = None
        while True:
            try:
                taken = await self._next_updates(offset, allowed)
            except (TelegramAPIError, ClientDecodeError) as error:
                await self._recover_from(error, backoff)
                continue
            try:
                await self.take(taken)
            except Exception:
                # A full disk, say. The offset stays, so Telegram will give them again.
                log.exception("updates_not_stored")
                await asyncio.sleep(JOURNAL_PAUSE_SECONDS)
                continue
            backoff.reset()
            if taken:
                offset = taken[-1][0] + 1

    async def take(self, updates: Sequence[tuple[int, str]]) -> None:
        """Stores updates (id, JSON) and begins to handle those that are new."""
        if not updates:
            return
        new = set(await self._journal.take_updates(updates))
        for update_id, body in updates:
            if update_id in new:
                new.discard(update_id)
                self._handle_later(update_id, body)

    async def drain(self, seconds: float) -> None:
        """Lets running handlers finish; those that take longer are cancelled and their updates
        handled again at the next start."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _next_updates(self, offset: int | None, allowed: list[str]) -> list[tuple[int, str]]:
        try:
            updates = await self._bot.get_updates(
                offset=offset,
                timeout=POLL_SECONDS,
                allowed_updates=allowed,
                request_timeout=POLL_SECONDS + 15,
            )
        except ClientDecodeError as error:
            return _raw_updates(error)
        return [(u.update_id, u.model_dump_json(by_alias=True, exclude_none=True)) for u in updates]

    async def _recover_from(
        self, error: TelegramAPIError | ClientDecodeError, backoff: Backoff
    ) -> None:
        if isinstance(error, TelegramUnauthorizedError | TelegramNotFound):
            raise OwnerError(
                "Telegram does not accept the token any more; get a new one from @BotFather and "
                "set IMPASTO_TELEGRAM__TOKEN"
            ) from error
        if isinstance(error, TelegramConflictError) and "webhook" in error.message.lower():
            log.warning("webhook_removed", why="this bot polls, and Telegram allows one of the two")
            with contextlib.suppress(*TRANSIENT):
                await self._bot.delete_webhook(drop_pending_updates=False)
        wanted = error.retry_after if isinstance(error, TelegramRetryAfter) else 0
        pause = max(float(wanted), next(backoff))
        hint = (
            "another process polls with the same token; stop it"
            if isinstance(error, TelegramConflictError)
            else "Telegram cannot be reached or is out of order"
        )
        log.warning("no_updates", hint=hint, why=str(error), again_in_seconds=round(pause, 1))
        await asyncio.sleep(pause)

    def _handle_later(self, update_id: int, body: str) -> None:
        try:
            update = Update.model_validate_json(body, context={"bot": self._bot})
            chat = _chat_of(update)
        except (ValidationError, UpdateTypeLookupError) as error:
            # Only where and why: what people wrote is not for the log.
            why = [(e["loc"], e["msg"]) for e in _details(error)] or "of an unknown type"
            log.warning("update_unreadable", update=update_id, why=why)
            self._start(self._journal.finish_update(update_id))
            return
        task = self._start(self._handle_after(self._last_of_chat.get(chat), update))
        self._last_of_chat[chat] = task
        task.add_done_callback(lambda done: self._forget(chat, done))

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_log_failure)
        return task

    def _forget(self, chat: int, task: asyncio.Task[None]) -> None:
        if self._last_of_chat.get(chat) is task:
            del self._last_of_chat[chat]

    async def _handle_after(self, earlier: asyncio.Task[None] | None, update: Update) -> None:
        if earlier is not None:
            await asyncio.wait({earlier})
        while True:
            try:
                return await self._handle(update)
            except Exception:
                log.exception("journal_not_written", update=update.update_id)
                await asyncio.sleep(JOURNAL_PAUSE_SECONDS)

    async def _handle(self, update: Update) -> None:
        """Handles an update, up to MOST_TRIES times over all processes; raises only what the
        journal raises."""
        update_id = update.update_id
        backoff = Backoff(_BACKOFF)
        while await self._journal.begin_update(update_id) <= MOST_TRIES:
            try:
                await self._feed_through_outages(update)
            except Exception as error:
                log.warning(
                    "update_failed",
                    update=update_id,
                    why=f"{type(error).__name__}: {error}",
                    exc_info=None if isinstance(error, TRANSIENT) else error,
                )
                await asyncio.sleep(max(0.0, next(backoff)))
            else:
                break
        else:
            log.error("update_parked", update=update_id, tries=MOST_TRIES)
        await self._journal.finish_update(update_id)

    async def _feed_through_outages(self, update: Update) -> None:
        """Feeds it; while Telegram is away that is no failure of the update, for OUTAGE_SECONDS."""
        loop, backoff = asyncio.get_running_loop(), Backoff(_BACKOFF)
        until = loop.time() + OUTAGE_SECONDS
        while True:
            try:
                return await self._feed(update)
            except TRANSIENT as error:
                if loop.time() >= until:
                    raise
                wanted = error.retry_after if isinstance(error, TelegramRetryAfter) else 0
                pause = max(float(wanted), next(backoff))
                log.warning(
                    "update_waits_for_telegram",
                    update=update.update_id,
                    why=f"{type(error).__name__}: {error}",
                    again_in_seconds=round(pause, 1),
                )
                await asyncio.sleep(pause)

    async def _feed(self, update: Update) -> None:
        # Every line that is logged meanwhile has it: with "job_changed" it leads to the job.
        with bound_contextvars(update=update.update_id), handling_update(update.update_id):
            answer = await self._dispatcher.feed_update(self._bot, update)
            if isinstance(answer, TelegramMethod):
                await self._bot(answer)


def _raw_updates(error: ClientDecodeError) -> list[tuple[int, str]]:
    """The updates of an answer that aiogram could not read as a whole: one of an unknown shape must
    not keep all others from being taken."""
    answer = error.data
    updates = answer.get("result") if isinstance(answer, dict) and answer.get("ok") else None
    if not isinstance(updates, list) or not all(_has_id(update) for update in updates):
        raise error
    return [(update["update_id"], json.dumps(update, ensure_ascii=False)) for update in updates]


def _has_id(update: Any) -> bool:
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)


def _details(error: Exception) -> list[ErrorDetails]:
    if not isinstance(error, ValidationError):
        return []
    return error.errors(include_url=False, include_input=False)[:3]


def _chat_of(update: Update) -> int:
    """The chat an update belongs to, else its user; 0 when it has neither.

    Raises:
        UpdateTypeLookupError: it is of a type that this aiogram does not know.
    """
    event = update.event
    for holder in (event, getattr(event, "message", None)):
        chat = getattr(holder, "chat", None)
        if chat is not None:
            return int(chat.id)
    user = getattr(event, "from_user", None) or getattr(event, "user", None)
    return int(user.id) if user is not None else 0


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("update_not_finished", exc_info=error)
