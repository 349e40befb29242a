"""Updates: stored in the journal before Telegram is told that they were taken, then handled.

aiogram's own polling moves the offset before handlers finish, so a crash loses updates. Here the
offset moves after the updates are in the journal, and those that were not handled to the end are
handled again at the next start.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog
from aiogram import Bot, Dispatcher, methods
from aiogram.enums import ChatType
from aiogram.exceptions import (
    AiogramError,
    TelegramConflictError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import Update
from structlog.contextvars import bound_contextvars

from impasto.contracts import Journal
from impasto.errors import OwnerError
from impasto.jobs.job import why_unreadable
from impasto.jobs.service import handling_update
from impasto.tasks import finished_within
from impasto.telegram.retry import BotRefused, CallFailed, TryLater, means, retried

log = structlog.get_logger(__name__)

RawUpdate = tuple[int, str]
"""An update's id and its JSON."""

Sender = tuple[int, int]
"""A chat and a person in it."""

POLL_SECONDS = 30
MOST_TRIES = 3
"""An update that fails, or brings the process down, this often is given up."""

OUTAGE_SECONDS = 600.0
"""While Telegram cannot be reached, an update is tried for this long before that counts as one of
its failures."""


class GetUpdates(methods.GetUpdates):
    """Answered by updates as they come: one of a shape that aiogram does not know, or that it could
    not write as JSON again, must not keep others from being taken."""

    __returning__ = list[Any]


class Intake:
    """Takes updates and hands them to the dispatcher, those of one person in one chat in order: who
    sends a hundred to a group keeps nobody else in it waiting."""

    def __init__(self, *, bot: Bot, dispatcher: Dispatcher, journal: Journal) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._journal = journal
        self._last_of: dict[Sender, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def wanted(self) -> list[str]:
        """The types of updates that there are handlers for."""
        return self._dispatcher.resolve_used_update_types()

    async def poll(self) -> None:
        """Takes updates by long polling until cancelled.

        Raises:
            OwnerError: Telegram does not accept the token any more.
        """
        wanted = self.wanted
        offset: int | None = None
        while True:
            updates = await retried(
                functools.partial(self._next_updates, offset, wanted),
                event="no_updates",
                retry_if=lambda error: isinstance(error, AiogramError | CallFailed),
            )
            # Until they are stored, none after them is asked for: the disk may be full.
            await retried(functools.partial(self.take, updates), event="updates_not_stored")
            if updates:
                offset = updates[-1][0] + 1

    async def replay(self) -> None:
        """Begins to handle what a process that is gone took and did not finish."""
        unfinished = await self._journal.adopt_updates()
        if unfinished:
            log.info("updates_replayed", count=len(unfinished))
        for update in unfinished:
            self._handle_later(*update)

    async def take(self, updates: Sequence[RawUpdate]) -> None:
        """Stores updates and begins to handle those that are new; one that cannot be stored does
        not keep others from it."""
        if not updates:
            return
        try:
            new = set(await self._journal.take_updates(updates))
        except (ValueError, OverflowError) as error:
            if len(updates) == 1:
                log.error("update_parked", update=updates[0][0], why=type(error).__name__)
            else:
                for update in updates:
                    await self.take([update])
            return
        for update_id, body in updates:
            if update_id in new:
                new.discard(update_id)  # the same one may be in `updates` twice
                self._handle_later(update_id, body)

    async def drain(self, seconds: float) -> None:
        """Lets running handlers finish; those that take longer are cancelled and their updates
        handled again at the next start."""
        await finished_within(seconds, self._tasks)

    async def _next_updates(self, offset: int | None, wanted: list[str]) -> list[RawUpdate]:
        method = GetUpdates(offset=offset, timeout=POLL_SECONDS, allowed_updates=wanted)
        try:
            updates = await self._bot(method, request_timeout=POLL_SECONDS + 15)
        except (TelegramUnauthorizedError, TelegramNotFound) as error:
            raise OwnerError(
                "Telegram does not accept the token any more; get a new one from @BotFather and "
                "set IMPASTO_TELEGRAM__TOKEN"
            ) from error
        except TelegramConflictError as error:
            if "webhook" not in error.message.lower():
                raise BotRefused("another process polls with the same token; stop it") from error
            await self._bot.delete_webhook(drop_pending_updates=False)
            raise TryLater("a webhook was set, which is removed now: this bot polls") from error
        stored = []
        for update in updates:
            try:
                stored.append(as_stored(update))
            except (ValueError, RecursionError) as error:
                log.error("update_parked", why=str(error))
        if updates and not stored:
            raise TryLater("there is no update among those that came")
        return stored

    def _handle_later(self, update_id: int, body: str) -> None:
        try:
            update = Update.model_validate_json(body, context={"bot": self._bot})
            sender = _sender_of(update)
        except Exception as error:  # whatever it is, the next update may be sound
            log.warning("update_unreadable", update=update_id, why=why_unreadable(error))
            self._start(self._finish(update_id))
            return
        task = self._start(self._handle_after(self._last_of.get(sender), update))
        self._last_of[sender] = task
        task.add_done_callback(lambda done: self._forget(sender, done))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _forget(self, sender: Sender, task: asyncio.Task[None]) -> None:
        if self._last_of.get(sender) is task:
            del self._last_of[sender]

    async def _handle_after(self, earlier: asyncio.Task[None] | None, update: Update) -> None:
        """Handles an update, up to MOST_TRIES times over all processes, after an earlier one of the
        same person in the same chat."""
        if earlier is not None:
            await asyncio.wait({earlier})
        await retried(
            functools.partial(self._try, update), event="update_failed", update=update.update_id
        )
        await self._finish(update.update_id)

    async def _try(self, update: Update) -> None:
        """Hands an update to the dispatcher, unless that was tried often enough."""
        tries = await retried(
            functools.partial(self._journal.begin_update, update.update_id),
            event="journal_not_written",
            update=update.update_id,
        )
        if tries > MOST_TRIES:
            log.error("update_parked", update=update.update_id, tries=MOST_TRIES)
            return
        await retried(
            functools.partial(self._feed, update),
            event="update_waits_for_telegram",
            retry_if=lambda error: means(error, TryLater),
            seconds=OUTAGE_SECONDS,
            update=update.update_id,
        )

    async def _finish(self, update_id: int) -> None:
        await retried(
            functools.partial(self._journal.finish_update, update_id),
            event="journal_not_written",
            update=update_id,
        )

    async def _feed(self, update: Update) -> None:
        # Every line that is logged meanwhile carries the update's id; the line "job_changed" also
        # carries the job's.
        with bound_contextvars(update=update.update_id), handling_update(update.update_id):
            try:
                answer = await self._dispatcher.feed_update(self._bot, update)
            except TelegramMigrateToChat as moved:
                update = _in_chat(update, moved.migrate_to_chat_id)
                answer = await self._dispatcher.feed_update(self._bot, update)
            if isinstance(answer, TelegramMethod):
                await self._bot(answer)


def as_stored(update: Any) -> RawUpdate:
    """An update as the journal takes it. Lone surrogates, which JSON may name though UTF-8 does not
    have them, become question marks.

    Raises:
        ValueError, RecursionError: it has no id, or cannot be written as JSON.
    """
    update_id = update.get("update_id") if isinstance(update, dict) else None
    # SQLite's integers have 64 bits; True is an int, too.
    if type(update_id) is not int or not 0 <= update_id < 2**63:
        raise ValueError("not an update")
    return update_id, json.dumps(update, ensure_ascii=False).encode(errors="replace").decode()


def _in_chat(update: Update, chat_id: int) -> Update:
    """A message to a group as one to the supergroup that the group has become. What else comes from
    there, a tap on a button say, stays as it is."""
    message = update.message
    if message is None:
        return update
    chat = message.chat.model_copy(update={"id": chat_id, "type": ChatType.SUPERGROUP})
    return update.model_copy(update={"message": message.model_copy(update={"chat": chat})})


def _sender_of(update: Update) -> Sender:
    """The chat that an update belongs to, else its user, and that user; 0 where it has none.

    Raises:
        UpdateTypeLookupError: it is of a type that this aiogram does not know.
    """
    event = update.event
    user = getattr(event, "from_user", None) or getattr(event, "user", None)
    person = int(user.id) if user is not None else 0
    for holder in (event, getattr(event, "message", None)):
        chat = getattr(holder, "chat", None)
        if chat is not None:
            return int(chat.id), person
    return person, person
