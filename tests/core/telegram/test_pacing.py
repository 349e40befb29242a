"""The pace of messages: answers wait for their turn, progress is dropped, floods are waited out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import SendMessage

from impasto.settings import TelegramSettings
from impasto.telegram.pacing import CHAT_BURST, MemoryBuckets, Pacing, patience
from impasto.telegram.retry import TryLater, call_once, call_until_answered

from .telegram_bench import flood


class Naps:
    """Time that goes by only while somebody sleeps, and a Telegram that notes when it is called."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[tuple[str, float]] = []
        self.faults: list[Exception] = []

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def __call__(self, bot: Bot, method: Any) -> Any:
        if self.faults:
            raise self.faults.pop(0)
        self.calls.append((type(method).__name__, self.now))
        return True

    @property
    def times(self) -> list[float]:
        return [time for _, time in self.calls]


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> Naps:
    naps = Naps()
    monkeypatch.setattr("impasto.telegram.pacing.asyncio.sleep", naps.sleep)
    return naps


@pytest.fixture
def make_bot(naps: Naps) -> Callable[..., Bot]:
    """A bot whose session is nothing but the pace."""

    def make(**settings: float) -> Bot:
        pacing = Pacing(MemoryBuckets(lambda: naps.now), TelegramSettings(**settings))

        class Paced(Bot):
            async def __call__(self, method: Any, request_timeout: int | None = None) -> Any:
                return await pacing(naps, self, method)

        return Paced("123456:EXAMPLE-TOKEN")

    return make


async def test_one_chat_gets_a_burst_and_then_a_message_a_second(
    make_bot: Callable[..., Bot], naps: Naps
) -> None:
    bot = make_bot()
    for _ in range(CHAT_BURST + 2):
        await bot.send_message(5, "hello")
    assert naps.times == [0.0] * CHAT_BURST + [1.0, 2.0]


async def test_a_group_gets_no_more_than_20_in_any_minute(
    make_bot: Callable[..., Bot], naps: Naps
) -> None:
    bot = make_bot()
    for _ in range(60):
        await bot.send_message(-100, "hello")
    for begin in naps.times:
        assert sum(begin <= time < begin + 60 for time in naps.times) <= 20


async def test_all_chats_together_have_a_pace_too(make_bot: Callable[..., Bot], naps: Naps) -> None:
    bot = make_bot(messages_per_second=10)
    for chat in range(30):
        await bot.send_message(chat, "hello")
    assert naps.times[9] == 0.0
    assert naps.times[-1] == pytest.approx(2.0)


async def test_without_limits_nothing_waits(make_bot: Callable[..., Bot], naps: Naps) -> None:
    bot = make_bot(messages_per_second=0, chat_messages_per_second=0)
    for _ in range(5):
        await bot.send_message(5, "hello")
    assert naps.now == 0


async def test_what_is_no_message_needs_no_token(make_bot: Callable[..., Bot], naps: Naps) -> None:
    bot = make_bot()
    for _ in range(20):
        await bot.answer_callback_query("1")
        await bot.delete_message(5, 1)
        await bot.send_chat_action(5, "typing")
        await bot.edit_message_text("text", inline_message_id="inline")
    assert naps.now == 0


async def test_a_flood_is_waited_out_and_what_was_said_is_said_again(
    make_bot: Callable[..., Bot], naps: Naps
) -> None:
    bot = make_bot()
    method = SendMessage(chat_id=5, text="hello")
    naps.faults = [flood(237)(method), flood(30)(method)]
    await bot(method)
    assert naps.times == [267]
    await bot.send_message(6, "somebody else")
    assert naps.times == [267, 267]


async def test_who_is_impatient_is_told_how_long_it_takes(
    make_bot: Callable[..., Bot], naps: Naps
) -> None:
    bot = make_bot(chat_messages_per_second=0.1)
    for _ in range(CHAT_BURST):
        await bot.send_message(5, "hello")
    with patience(1.0), pytest.raises(TelegramRetryAfter) as caught:
        await bot.send_message(5, "hello")
    assert caught.value.retry_after == 10
    assert (len(naps.calls), naps.now) == (CHAT_BURST, 0)


async def test_progress_is_dropped_while_the_chat_is_to_be_left_alone(
    make_bot: Callable[..., Bot], naps: Naps
) -> None:
    bot = make_bot()
    method = SendMessage(chat_id=5, text="progress")
    naps.faults = [flood(60)(method)]
    for _ in range(2):
        with pytest.raises(TryLater) as caught:
            await call_once(bot, method)
        assert caught.value.retry_after == 60
    assert naps.calls == []


async def test_a_result_waits_as_long_as_telegram_asks_and_says_so(
    make_bot: Callable[..., Bot], naps: Naps
) -> None:
    bot = make_bot()
    method, troubles = SendMessage(chat_id=5, text="result"), []
    naps.faults = [flood(60)(method)]
    await call_until_answered(bot, method, lambda: troubles.append(naps.now))
    assert naps.times == [60]
    assert troubles == [0]


async def test_a_storage_that_is_away_stops_no_message(naps: Naps) -> None:
    class Away(MemoryBuckets):
        async def take(self, *rates: Any, patience: float = 0.0) -> float:
            raise ConnectionError("no Redis")

        async def hold(self, rate: Any, seconds: float) -> None:
            raise ConnectionError("no Redis")

    pacing = Pacing(Away(), TelegramSettings())
    method = SendMessage(chat_id=5, text="hello")
    naps.faults = [flood(3)(method)]
    async with asyncio.timeout(10):
        await pacing(naps, Bot("123456:EXAMPLE-TOKEN"), method)
    assert naps.times == [3]
