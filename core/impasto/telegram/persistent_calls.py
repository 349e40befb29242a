"""The line to Telegram for talk about jobs: what its errors mean, and calls that do not give up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
)
from aiogram.methods import TelegramMethod
from aiogram.utils.backoff import Backoff, BackoffConfig

from impasto.telegram.pacing import patience

log = structlog.get_logger(__name__)
T = TypeVar("T")

SECONDS_IN_QUEUE = 1.0
"""What must be said waits so long for its turn before that counts as a try in vain."""

BACKOFF = BackoffConfig(min_delay=1.0, max_delay=60.0, factor=2.0, jitter=0.1)

_NOT_MODIFIED = "message is not modified"
_PERSON_GONE = ("chat not found", "user not found", "peer_id_invalid", "user_deactivated")
_MESSAGE_GONE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message identifier is not specified",
    "there is no media in the message",
    "there is no caption in the message",
    "there is no text in the message",
)


class PersonGone(Exception):
    """The person blocked the bot, or the chat is gone."""


class MessageGone(Exception):
    """This message cannot be edited so: it is deleted, too old, or of the wrong kind."""


class ChatMoved(Exception):
    """A group became a supergroup of another id."""

    def __init__(self, to: int) -> None:
        super().__init__(f"the chat moved to {to}")
        self.to = to


class Refused(Exception):
    """Telegram does not take this, however often it is asked."""


class TryLater(Exception):
    """Telegram cannot be reached, is out of order, or asks for patience."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds
        """How long to wait, when Telegram said so."""


def meaning(error: TelegramAPIError | ClientDecodeError) -> Exception | None:
    """What an error of aiogram's means for talk about a job; None: what was asked is so already."""
    text = str(getattr(error, "message", error))
    match error:
        case TelegramRetryAfter():
            return TryLater(text, float(error.retry_after))
        case TelegramForbiddenError():
            return PersonGone(text)
        case TelegramMigrateToChat():
            return ChatMoved(error.migrate_to_chat_id)
        case TelegramEntityTooLarge():
            return Refused(text)
        case TelegramBadRequest() | TelegramNotFound():
            return _meaning_of_refusal(text)
        case _:
            return TryLater(text)


def _meaning_of_refusal(text: str) -> Exception | None:
    lower = text.lower()
    if _NOT_MODIFIED in lower:
        return None
    if any(part in lower for part in _PERSON_GONE):
        return PersonGone(text)
    if any(part in lower for part in _MESSAGE_GONE):
        return MessageGone(text)
    return Refused(text)


class PersistentCalls:
    """Calls to Telegram about jobs."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def once(self, method: TelegramMethod[T]) -> T | None:
        """One try, at once or not at all; None when what was asked is so already.

        Raises:
            PersonGone, MessageGone, ChatMoved, Refused, TryLater: as they say.
        """
        return await self._try(method, 0.0)

    async def insist(
        self, method: TelegramMethod[T], on_trouble: Callable[[], None] = lambda: None
    ) -> T | None:
        """Tries until Telegram answers, waiting as long as it asks; `on_trouble` is called after
        each try in vain.

        Raises:
            PersonGone, MessageGone, ChatMoved, Refused: as they say.
        """
        backoff = Backoff(BACKOFF)
        while True:
            try:
                return await self._try(method, SECONDS_IN_QUEUE)
            except TryLater as trouble:
                on_trouble()
                pause = trouble.seconds if trouble.seconds is not None else max(0.0, next(backoff))
                log.warning(
                    "telegram_tried_in_vain",
                    call=type(method).__name__,
                    why=str(trouble),
                    again_in_seconds=round(pause, 1),
                )
                await asyncio.sleep(pause)

    async def _try(self, method: TelegramMethod[T], seconds: float) -> T | None:
        try:
            with patience(seconds):
                return await self._bot(method)
        except (TelegramAPIError, ClientDecodeError) as error:
            reason = meaning(error)
            if reason is None:
                return None
            raise reason from error
