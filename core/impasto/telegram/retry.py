"""Calls to Telegram that fail: what their errors mean, and the one loop that tries again.

Calls about jobs are made by `call_once` and `call_until_answered`, whose errors say what to do
next. Whatever else may have to be tried again goes through `retried`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import aiohttp
import structlog
from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.utils.backoff import Backoff, BackoffConfig

from impasto.telegram.pacing import patience

log = structlog.get_logger(__name__)
T = TypeVar("T")

BACKOFF: Final = BackoffConfig(min_delay=1.0, max_delay=30.0, factor=2.0, jitter=0.1)
"""Pauses in seconds between two tries, where Telegram names none."""

SECONDS_IN_QUEUE: Final = 1.0
"""How long a call of `call_until_answered` waits for its turn (see `pacing`) before that counts as
a failed try."""

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


class CallFailed(Exception):
    """A call to Telegram failed; the class says what that means."""


class TryLater(CallFailed):
    """Telegram cannot be reached, is out of order, or asks to wait."""

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        """Seconds to wait, where Telegram names them."""


class Unreadable(CallFailed):
    """An answer came that aiogram cannot read; the call may have taken effect."""


class BotRefused(CallFailed):
    """Telegram does not accept the token, or another process uses it; the owner can end this."""


class PersonGone(CallFailed):
    """The person blocked the bot, or the chat is gone."""


class ChatMoved(CallFailed):
    """A group became a supergroup with another id."""

    def __init__(self, to: int) -> None:
        super().__init__(f"the chat moved to {to}")
        self.to = to


class MessageGone(CallFailed):
    """The message cannot be edited like this: it is deleted, too old, or of the wrong kind."""


class NotModified(CallFailed):
    """The message is as asked for already."""


class Refused(CallFailed):
    """Telegram will not take this call, however often it is made."""


_OF_THE_CONNECTION = (AiogramError, CallFailed, aiohttp.ClientError, TimeoutError)

PASSING: Final = (TryLater, Unreadable)
"""What says nothing about what was asked for: the same call may work later."""

UNANSWERED: Final = (*PASSING, BotRefused)
"""The same, and what may work when the owner has mended it."""


def meaning_of(error: TelegramAPIError | ClientDecodeError) -> CallFailed:
    """What the error of a call means."""
    text = str(getattr(error, "message", error))
    kind: type[CallFailed]
    match error:
        case TelegramRetryAfter():
            return TryLater(text, float(error.retry_after))
        case TelegramMigrateToChat():
            return ChatMoved(error.migrate_to_chat_id)
        case TelegramBadRequest() | TelegramNotFound() | TelegramEntityTooLarge():
            return _meaning_of_refusal(text)
        case TelegramForbiddenError():
            kind = PersonGone
        case TelegramUnauthorizedError() | TelegramConflictError():
            kind = BotRefused
        case ClientDecodeError():
            kind = Unreadable
        case _:  # of the network or the server
            kind = TryLater
    return kind(text)


def _meaning_of_refusal(text: str) -> CallFailed:
    lower = text.lower()
    if _NOT_MODIFIED in lower:
        return NotModified(text)
    if any(part in lower for part in _PERSON_GONE):
        return PersonGone(text)
    if any(part in lower for part in _MESSAGE_GONE):
        return MessageGone(text)
    return Refused(text)


def means(error: Exception, *meanings: type[CallFailed]) -> bool:
    """Whether this is the error of a call that means one of these."""
    if not isinstance(error, TelegramAPIError | ClientDecodeError):
        return False
    return isinstance(meaning_of(error), meanings)


def result_of(error: Exception) -> str:
    """A failed call's result in a word, for the hook `impasto_telegram_called`."""
    match error:
        case TelegramRetryAfter():
            return "retry_after"
        case TelegramServerError():
            return "server_error"
        case TelegramEntityTooLarge():
            return "refused"
        case TelegramNetworkError() | ClientDecodeError():
            return "not_reached"
        case TelegramAPIError():
            return "refused"
        case _:
            return "failed"


async def retried(
    work: Callable[[], Awaitable[T]],
    *,
    event: str,
    retry_if: Callable[[Exception], bool] = lambda _: True,
    seconds: float = math.inf,
    **facts: object,
) -> T:
    """What `work` returns, which is called again after each error that `retry_if` holds of.

    Pauses grow (see BACKOFF), or are as long as Telegram asks. Each failed try is logged as `event`
    with `facts`, with a traceback where the error is not one of the connection. After `seconds` no
    other try is begun.

    Raises:
        Exception: whatever `work` raises that is not tried again.
    """
    loop, backoff = asyncio.get_running_loop(), Backoff(BACKOFF)
    until = loop.time() + seconds
    while True:
        try:
            return await work()
        except Exception as error:
            if not retry_if(error) or loop.time() >= until:
                raise
            pause = getattr(error, "retry_after", None) or max(0.0, next(backoff))
            tell = log.warning if isinstance(error, _OF_THE_CONNECTION) else log.exception
            why = f"{type(error).__name__}: {error}"
            tell(event, why=why, again_in_seconds=round(pause, 1), **facts)
        await asyncio.sleep(pause)


async def through_outages(call: Callable[[], Awaitable[T]], *, event: str) -> T:
    """What a call answers; while Telegram cannot be reached or read, it is made again.

    Raises:
        TelegramAPIError: Telegram's refusal.
    """
    return await retried(call, event=event, retry_if=lambda error: means(error, *PASSING))


async def call_once(bot: Bot, method: TelegramMethod[T], seconds_in_queue: float = 0.0) -> T | None:
    """One try, at once or not at all; None when everything is as asked for already.

    Raises:
        CallFailed: of the class that says why, never NotModified.
    """
    try:
        with patience(seconds_in_queue):
            return await bot(method)
    except (TelegramAPIError, ClientDecodeError) as error:
        reason = meaning_of(error)
        if isinstance(reason, NotModified):
            return None
        raise reason from error


async def call_until_answered(
    bot: Bot, method: TelegramMethod[T], on_failure: Callable[[], None] = lambda: None
) -> T | None:
    """Tries until Telegram answers; None when everything is as asked for already. `on_failure` is
    called after each failed try.

    Raises:
        PersonGone, ChatMoved, MessageGone, Refused: Telegram's answer.
    """

    def may_be_answered_later(error: Exception) -> bool:
        if not isinstance(error, UNANSWERED):
            return False
        on_failure()
        return True

    return await retried(
        lambda: call_once(bot, method, SECONDS_IN_QUEUE),
        event="telegram_tried_in_vain",
        retry_if=may_be_answered_later,
        call=type(method).__name__,
    )
