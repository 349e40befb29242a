"""Whom the bot works for: `telegram.allow` and `telegram.ban`, checked before any handler runs.

Somebody who is banned gets no answer at all: one would tell them that it works. Somebody who is not
on the list of those allowed may have come in good faith and is told so, once a day, not in groups.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiogram import BaseMiddleware, Bot
from aiogram.types import CallbackQuery, Message, TelegramObject, Update, User

from impasto.settings import TelegramSettings
from impasto.telegram.retry import overlooked
from impasto.telegram.status.presenter import SafePresenter

log = structlog.get_logger(__name__)

SECONDS_BETWEEN_ANSWERS = 24 * 3600.0
MOST_REMEMBERED = 10_000
"""People who were told; when one more comes, all are forgotten."""


class AccessControl(BaseMiddleware):
    """An outer middleware of updates."""

    def __init__(self, settings: TelegramSettings, presenter: SafePresenter) -> None:
        self._presenter = presenter
        self.renew(settings)
        self._told: dict[int, float] = {}

    def renew(self, settings: TelegramSettings) -> None:
        """Goes by the lists of these settings from here on."""
        self._banned = frozenset(settings.ban)
        self._allowed = frozenset([*settings.allow, *settings.admins]) if settings.allow else None

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        person: User | None = data.get("event_from_user")
        if person is None:
            return await handler(event, data)
        if person.id in self._banned:
            log.debug("banned", person=person.id)
            return None
        if self._allowed is None or person.id in self._allowed:
            return await handler(event, data)
        log.debug("not_allowed", person=person.id)
        if isinstance(event, Update) and self._is_to_be_told(event, person):
            await self._tell(data["bot"], person, data.get("event_thread_id"))
        return None

    def _is_to_be_told(self, update: Update, person: User) -> bool:
        event = update.event
        message = event.message if isinstance(event, CallbackQuery) else event
        in_private = isinstance(message, Message) and message.chat.type == "private"
        told_at = self._told.get(person.id, float("-inf"))
        return in_private and time.monotonic() - told_at > SECONDS_BETWEEN_ANSWERS

    async def _tell(self, bot: Bot, person: User, thread: int | None) -> None:
        if len(self._told) >= MOST_REMEMBERED:
            self._told.clear()
        self._told[person.id] = time.monotonic()
        say = self._presenter.notice("not_allowed", person.language_code)
        with overlooked("refusal_not_sent", person=person.id):
            await bot.send_message(
                person.id, say.text, message_thread_id=thread, reply_markup=say.keyboard
            )
