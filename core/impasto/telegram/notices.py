"""What is said when something goes wrong: to the person whose message could not be handled, and to
the owners of the bot, who do not read its log all day."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import structlog
from aiogram import Bot, Router
from aiogram.types import CallbackQuery, ErrorEvent, TelegramObject, Update, User

from impasto.errors import ChatError, PluginError, described, is_of_full_disk, is_of_machine
from impasto.jobs.job import PHOTOS_FORBIDDEN
from impasto.logs import scrub
from impasto.plugins import PluginHost
from impasto.telegram.retry import (
    REFUSALS,
    ChatMoved,
    Done,
    PersonGone,
    PhotosForbidden,
    TryLater,
    meaning_of,
    means,
    overlooked,
)
from impasto.telegram.status.presenter import SafePresenter

log = structlog.get_logger(__name__)

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]

DEATHS: Final = 3
WITHIN_SECONDS: Final = 600.0
SILENT_SECONDS: Final = 3600.0
"""After an alert there is none of its kind for this long: the owners know."""


class ErrorReplies:
    """Answers for handlers that fail: with a sentence for the person, a traceback in the log."""

    def __init__(self, host: PluginHost, presenter: SafePresenter, alerts: OwnerAlerts) -> None:
        self._host = host
        self._presenter = presenter
        self._alerts = alerts

    def router(self) -> Router:
        """To be included last, so that plugins' own error handlers come first."""
        router = Router(name="error_replies")
        router.errors.register(self._handle)
        return router

    async def contain(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        """Outer middleware of updates, after aiogram's own for errors, which takes Exceptions
        alone: what handlers raise becomes one."""
        try:
            return await handler(event, data)
        except BaseException as error:
            raise self._host.contained(error)  # noqa: B904  (it is the same one, or its stand-in)

    async def _handle(
        self, event: ErrorEvent, bot: Bot, event_thread_id: int | None = None
    ) -> None:
        error, update = event.exception, event.update
        if means(error, TryLater) or (update.message and means(error, ChatMoved)):
            raise error  # Intake tries the update again; a reply would fail the same way
        if means(error, PersonGone):
            log.info("person_gone", update=update.update_id, why=str(error))
            return
        if means(error, Done):
            log.warning("answer_unreadable", update=update.update_id, why=str(meaning_of(error)))
            return
        if is_of_machine(error):
            self._alerts.machine_fails(error)
        elif not isinstance(error, ChatError) and not means(error, PhotosForbidden):
            plugin = self._host.raised_in(error)
            log.error("handler_failed", update=update.update_id, plugin=plugin, exc_info=error)
            if plugin is not None:
                why = error.problem if isinstance(error, PluginError) else described(error)
                self._alerts.plugin_fails(plugin, why)
        facts = {"update": update.update_id}
        with overlooked("apology_not_sent", PersonGone, ChatMoved, Done, *REFUSALS, **facts):
            await self._reply(bot, update, error, event_thread_id)

    async def _reply(self, bot: Bot, update: Update, error: Exception, thread: int | None) -> None:
        event = update.event
        if isinstance(event, CallbackQuery):
            with overlooked("callback_not_answered", update=update.update_id):
                await event.answer()
        user: User | None = getattr(event, "from_user", None)
        message = event.message if isinstance(event, CallbackQuery) else event
        chat = getattr(message, "chat", None) or user
        if chat is None:
            return
        language = user.language_code if user is not None else None
        if means(error, PhotosForbidden):
            forbidden = PHOTOS_FORBIDDEN
            say = self._presenter.notice(forbidden.code, language, sentence=forbidden.sentence)
        elif isinstance(error, ChatError):
            say = self._presenter.notice(error.code, language, error.facts, str(error))
        else:
            code = "no_room" if is_of_machine(error) else "handler_failed"
            say = self._presenter.notice(code, language)
        await bot.send_message(
            chat.id, say.text, message_thread_id=thread, reply_markup=say.keyboard
        )


class OwnerAlerts:
    """Tells all owners that the disk is full or the machine fails otherwise, that a plugin fails
    people, and that painting processes keep dying at jobs. One that dies idle harms nobody and is
    in the log alone."""

    def __init__(self, bot: Bot, owners: Sequence[int], presenter: SafePresenter) -> None:
        self._bot = bot
        self._presenter = presenter
        self.owners = tuple(owners)
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._told_at: dict[tuple[str, str], float] = {}
        """When there was an alert last, by its code and plugin."""
        self._telling: set[asyncio.Task[None]] = set()

    def painter_lost(self, why: str) -> None:
        """A job lost its painting process: that one died, fell silent or did not start."""
        now = time.monotonic()
        self._deaths.append(now)
        if len(self._deaths) == DEATHS and now - self._deaths[0] <= WITHIN_SECONDS:
            self._alert(
                "painter_keeps_dying", why, minutes=round(WITHIN_SECONDS / 60), count=DEATHS
            )

    def machine_fails(self, error: Exception) -> None:
        """A job was put off, or a message not handled: the disk is full, or the machine refuses
        something else."""
        self._alert("disk_full" if is_of_full_disk(error) else "machine_fails", str(error))

    def plugin_fails(self, plugin: str, why: str) -> None:
        """Somebody got no picture, or no answer, because of a plugin."""
        self._alert("plugin_fails", why, plugin=plugin)

    def _alert(self, code: str, why: str, **facts: str | int) -> None:
        now = time.monotonic()
        kind = code, str(facts.get("plugin", ""))
        if now - self._told_at.get(kind, float("-inf")) < SILENT_SECONDS:
            return
        self._told_at[kind] = now
        log.error(code, why=why, **facts)
        for owner in self.owners:
            task = asyncio.create_task(self._tell(owner, code, {"why": scrub(why), **facts}))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, owner: int, code: str, facts: dict[str, str | int]) -> None:
        say = self._presenter.notice(code, None, facts)
        # Owners who never wrote to the bot cannot be written to.
        with overlooked("owner_not_told", owner=owner):
            await self._bot.send_message(owner, say.text, reply_markup=say.keyboard)
