"""Calls to Telegram that fail: what their errors mean, and the one loop that tries again.

Calls about jobs are made by `call_once` and `call_until_answered`, whose errors say what to do
next. Whatever else may have to be tried again goes through `retried`.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Iterator
from typing import ClassVar, Final, TypeVar

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
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.utils.backoff import Backoff, BackoffConfig

from impasto.errors import is_of_machine
from impasto.telegram.pacing import patience

log = structlog.get_logger(__name__)
T = TypeVar("T")

BACKOFF: Final = BackoffConfig(min_delay=1.0, max_delay=30.0, factor=2.0, jitter=0.1)
"""Pauses in seconds between two tries, where Telegram names none."""

SECONDS_IN_QUEUE: Final = 1.0
"""How long a call of `call_until_answered` waits for its turn (see `pacing`) before that counts as
a failed try."""


class CallFailed(Exception):
    """A call to Telegram failed; the class says what that means."""

    result: ClassVar[str] = "refused"
    """In a word, for the hook `impasto_telegram_called`."""


class TryLater(CallFailed):
    """Telegram cannot be reached."""

    result = "not_reached"


class AskedToWait(TryLater):
    """Telegram asks to wait."""

    result = "retry_after"

    def __init__(self, why: str, retry_after: float) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        """In seconds."""


class OutOfOrder(TryLater):
    """Telegram, or a proxy before it, has an error of its own."""

    result = "server_error"


class Unreadable(TryLater):
    """An answer came that is none of Telegram's; the call may have taken effect."""


class Done(CallFailed):
    """Telegram did as it was asked, and what it says of that cannot be read."""

    result = "ok"


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


class PhotosForbidden(Refused):
    """The bot may not send photos in this group."""


class TopicGone(CallFailed):
    """The topic of a forum was deleted or closed; the rest of the chat is there."""


class TooLarge(Refused):
    """What is sent or asked for is larger than Telegram, or a proxy before it, lets pass."""


_WORDS: Final[dict[type[CallFailed], tuple[str, ...]]] = {
    NotModified: ("message is not modified",),
    PersonGone: ("chat not found", "user not found", "peer_id_invalid", "user_deactivated"),
    MessageGone: (
        "message to edit not found",
        "message can't be edited",
        "message_id_invalid",
        "message identifier is not specified",
        "there is no media in the message",
        "there is no caption in the message",
        "there is no text in the message",
    ),
    TopicGone: ("message thread not found", "topic_closed", "topic_deleted"),
    PhotosForbidden: (
        "not enough rights to send photos",
        "chat_send_photos_forbidden",
        "chat_send_media_forbidden",
    ),
    TooLarge: ("too big", "too large"),
}
"""What Telegram says, in lower case, when a refusal means one of these."""

_OF_THE_CONNECTION = (AiogramError, CallFailed, aiohttp.ClientError, TimeoutError)

UNANSWERED: Final = (TryLater, BotRefused)
"""What says nothing about what was asked for: the same call may work later, where the bot is
refused when its owner has mended it."""

REFUSALS: Final = (Refused, TopicGone, MessageGone, NotModified)
"""Telegram's answer to what was asked for: there is no use in asking again."""


def meaning_of(error: BaseException) -> CallFailed | None:
    """What the error of a call means; None of any other error.

    `Session` of `impasto.telegram.answers` has gone by the status of the answer and by its body
    before: what it leaves as a ClientDecodeError says that the call was made.
    """
    # A proxy's answer may come without a description.
    text = str(getattr(error, "message", None) or error)
    meaning: CallFailed | None
    match error:
        case TelegramRetryAfter():
            meaning = AskedToWait(text, float(error.retry_after))
        case TelegramMigrateToChat():
            meaning = ChatMoved(error.migrate_to_chat_id)
        case TelegramEntityTooLarge():
            meaning = TooLarge(text)
        case TelegramBadRequest() | TelegramNotFound():
            meaning = _meaning_of_refusal(text)
        case TelegramForbiddenError():
            meaning = PersonGone(text)
        case TelegramUnauthorizedError() | TelegramConflictError():
            meaning = BotRefused(text)
        case TelegramServerError():
            meaning = OutOfOrder(text)
        case TelegramAPIError():  # of the network
            meaning = TryLater(text)
        case ClientDecodeError():
            # The rest of it is what people wrote, or a page of HTML: nothing for the log.
            meaning = Done(text) if says_ok(error.data) else Unreadable(text)
        case _:
            meaning = None
    return meaning


def says_ok(answer: object) -> bool:
    """Whether this is the answer of a Bot API that has done what it was asked for."""
    return isinstance(answer, dict) and answer.get("ok") is True


def _meaning_of_refusal(text: str) -> CallFailed:
    lower = text.lower()
    for kind, parts in _WORDS.items():
        if any(part in lower for part in parts):
            return kind(text)
    return Refused(text)


def means(error: BaseException, *meanings: type[CallFailed]) -> bool:
    """Whether this is the error of a call that means one of these."""
    return isinstance(meaning_of(error), meanings)


@contextlib.contextmanager
def overlooked(event: str, *meanings: type[CallFailed], **facts: object) -> Iterator[None]:
    """Errors of calls made inside that mean one of these, or anything where none is named, are
    logged as `event` and not raised: nothing depends on these calls."""
    try:
        yield
    except Exception as error:
        meaning = meaning_of(error)
        if meaning is None or not isinstance(meaning, meanings or CallFailed):
            raise
        log.info(event, why=f"{type(meaning).__name__}: {meaning}", **facts)


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
            why = f"{type(error).__name__}: {meaning_of(error) or error}"
            tell(event, why=why, again_in_seconds=round(pause, 1), **facts)
        await asyncio.sleep(pause)


async def through_outages(call: Callable[[], Awaitable[T]], *, event: str) -> T:
    """What a call answers; while Telegram cannot be reached or read, it is made again.

    Raises:
        TelegramAPIError: Telegram's refusal.
    """
    return await retried(call, event=event, retry_if=lambda error: means(error, TryLater, Done))


async def call_once(bot: Bot, method: TelegramMethod[T], seconds_in_queue: float = 0.0) -> T | None:
    """One try, at once or not at all; None when everything is as asked for already, and when it is
    done, but what Telegram says of that cannot be read.

    Raises:
        CallFailed: of the class that says why, never NotModified or Done.
    """
    try:
        with patience(seconds_in_queue):
            return await bot(method)
    except (TelegramAPIError, ClientDecodeError) as error:
        reason = meaning_of(error)
        if reason is None or isinstance(reason, NotModified):
            return None
        if isinstance(reason, Done):
            log.warning("answer_unreadable", call=type(method).__name__, why=str(reason))
            return None
        raise reason from error


async def call_until_answered(
    bot: Bot,
    method: TelegramMethod[T],
    on_failure: Callable[[], None] = lambda: None,
    is_needless: Callable[[], bool] = lambda: False,
) -> T | None:
    """Tries until Telegram answers, also where it is the machine that fails, or until the call is
    needless; None then, and where `call_once` returns it. `on_failure` is called after each failed
    try.

    Raises:
        PersonGone, ChatMoved, MessageGone, Refused: Telegram's answer.
    """

    async def a_try() -> T | None:
        if is_needless():
            return None
        return await call_once(bot, method, SECONDS_IN_QUEUE)

    def may_be_answered_later(error: Exception) -> bool:
        # A file that is sent may be one that cannot be opened just now.
        if not isinstance(error, UNANSWERED) and not is_of_machine(error):
            return False
        on_failure()
        return True

    return await retried(
        a_try,
        event="telegram_tried_in_vain",
        retry_if=may_be_answered_later,
        call=type(method).__name__,
    )
