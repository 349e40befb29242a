"""The pace of messages: no more than Telegram takes, in one chat and in all of them, and none while
it asks to be left alone.

Telegram says that about one message a second is fine in one chat, more in short bursts, 20 a minute
in a group and 30 a second in all (https://core.telegram.org/bots/faq, "My bot is hitting limits");
of edits it says nothing, so they count as messages. All other calls pass.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import Response, SendChatAction, TelegramMethod
from aiogram.methods.base import TelegramType

from impasto.contracts import Buckets, Rate
from impasto.errors import described
from impasto.settings import TelegramSettings

log = structlog.get_logger(__name__)

CHAT_BURST = 5
"""Messages in a row that need not wait: an answer of the dialog has two or three."""
GROUP_SHARE = 0.25
"""A group's pace, as a share of a private chat's: with the burst that makes Telegram's 20 messages
in any minute."""
LEAST_TO_CLEAN_UP = 1024
"""Buckets of one process, from which on those that are full are forgotten."""
UNLIMITED = 1000.0
"""Messages a second where the settings name no limit; more than one process can send."""

_COUNTED = ("send", "edit", "copy", "forward")

_patience: ContextVar[float] = ContextVar("patience", default=math.inf)


@contextlib.contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Calls made inside wait no longer than this for their turn: they raise TelegramRetryAfter
    instead, also when it is Telegram that asks to wait. All others wait as long as it takes."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


class Pacing(BaseRequestMiddleware):
    """Makes every message of the bot wait for its turn; a middleware of the bot's session."""

    def __init__(self, buckets: Buckets, settings: TelegramSettings) -> None:
        self._buckets = buckets
        whole = settings.messages_per_second or UNLIMITED
        self._whole_bot = Rate("all chats", whole, max(1, int(whole)))
        self._chat_pace = settings.chat_messages_per_second

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        chat = self._chat_of(method)
        if chat is None:
            return await make_request(bot, method)
        while True:
            await self._wait_for_turn(method, chat)
            try:
                return await make_request(bot, method)
            except TelegramRetryAfter as error:
                await self._leave_alone(chat, error.retry_after)
                if _patience.get() < math.inf:
                    raise
                log.warning(
                    "telegram_asks_to_wait",
                    call=type(method).__name__,
                    again_in_seconds=error.retry_after,
                )

    def _chat_of(self, method: TelegramMethod[TelegramType]) -> Rate | None:
        """The bucket of the chat that gets a message; None when none is sent or changed."""
        chat = getattr(method, "chat_id", None)
        is_message = method.__api_method__.startswith(_COUNTED)
        if chat is None or not is_message or isinstance(method, SendChatAction):
            return None
        if not self._chat_pace:
            return Rate(f"chat {chat}", UNLIMITED, CHAT_BURST)
        in_group = isinstance(chat, int) and chat < 0
        return Rate(f"chat {chat}", self._chat_pace * (GROUP_SHARE if in_group else 1), CHAT_BURST)

    async def _wait_for_turn(self, method: TelegramMethod[TelegramType], chat: Rate) -> None:
        longest = _patience.get()
        try:
            wait = await self._buckets.take(chat, self._whole_bot, patience=longest)
        except Exception as error:
            # Better a message too many, which Telegram refuses, than none.
            log.warning("buckets_not_reached", why=described(error))
            return
        if wait > longest:
            raise TelegramRetryAfter(
                method=method, message="this bot's own pace", retry_after=math.ceil(wait)
            )
        if wait > 0:
            await asyncio.sleep(wait)

    async def _leave_alone(self, chat: Rate, seconds: float) -> None:
        try:
            await self._buckets.hold(chat, seconds)
        except Exception as error:
            log.warning("buckets_not_reached", why=described(error))
            await asyncio.sleep(seconds if _patience.get() == math.inf else 0)


class MemoryBuckets:
    """Buckets of one process, for storages that only one process uses."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at: dict[str, float] = {}
        self._clean_up_at = LEAST_TO_CLEAN_UP

    async def take(self, *rates: Rate, patience: float = math.inf) -> float:
        """See `Buckets.take`."""
        now = self._clock()
        wait = max((self._known(rate, now) - rate.slack - now for rate in rates), default=0.0)
        if wait <= patience:
            for rate in rates:
                self._full_at[rate.bucket] = self._known(rate, now) + rate.seconds
            self._clean_up(now)
        return max(0.0, wait)

    async def hold(self, rate: Rate, seconds: float) -> None:
        """See `Buckets.hold`."""
        now = self._clock()
        self._full_at[rate.bucket] = max(self._known(rate, now), now + seconds + rate.slack)

    def _known(self, rate: Rate, now: float) -> float:
        return max(now, self._full_at.get(rate.bucket, now))

    def _clean_up(self, now: float) -> None:
        """Forgets buckets that are full: a busy bot has one per chat."""
        if len(self._full_at) >= self._clean_up_at:
            self._full_at = {name: at for name, at in self._full_at.items() if at > now}
            self._clean_up_at = max(LEAST_TO_CLEAN_UP, 2 * len(self._full_at))
