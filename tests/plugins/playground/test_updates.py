"""How the bot receives updates by long polling."""

from __future__ import annotations

import asyncio

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramConflictError

from impasto_playground import Person, Playground
from impasto_playground.updates import MAX_PENDING, UpdateQueue

from .conftest import newest


async def waiting_poll(playground: Playground, bot: Bot, **fields: object) -> asyncio.Task:
    """A poll that has reached the server and waits there."""
    updates = playground.world.updates
    before = updates._poll  # nothing else tells that a poll has begun to wait
    task = asyncio.create_task(bot.get_updates(timeout=50, **fields))
    while updates._poll is before:
        await asyncio.sleep(0)
    return task


async def test_updates_stay_until_a_higher_offset_confirms_them(bot: Bot, person: Person) -> None:
    for word in ("one", "two", "three"):
        await person.send_text(word)
    first = await bot.get_updates()
    assert [update.message.text for update in first] == ["one", "two", "three"]
    assert await bot.get_updates() == first
    rest = await bot.get_updates(offset=first[1].update_id)
    assert [update.message.text for update in rest] == ["two", "three"]
    assert await bot.get_updates(offset=first[2].update_id + 1) == []
    assert await bot.get_updates() == []


async def test_ids_grow_by_one(bot: Bot, person: Person) -> None:
    for word in "abc":
        await person.send_text(word)
    ids = [update.update_id for update in await bot.get_updates()]
    assert ids == list(range(ids[0], ids[0] + 3))


async def test_a_negative_offset_keeps_the_newest(bot: Bot, person: Person) -> None:
    for word in "abcd":
        await person.send_text(word)
    assert [update.message.text for update in await bot.get_updates(offset=-2)] == ["c", "d"]
    assert [update.message.text for update in await bot.get_updates()] == ["c", "d"]


async def test_limit(bot: Bot, person: Person) -> None:
    for word in "abc":
        await person.send_text(word)
    assert len(await bot.get_updates(limit=2)) == 2
    assert len(await bot.get_updates(limit=0)) == 3


async def test_a_long_poll_ends_with_the_first_update(
    playground: Playground, bot: Bot, person: Person
) -> None:
    poll = await waiting_poll(playground, bot)
    await person.send_text("hello")
    [update] = await poll
    assert update.message.text == "hello"


async def test_a_long_poll_ends_empty_after_its_timeout(bot: Bot) -> None:
    assert await bot.get_updates(timeout=1) == []


async def test_a_second_poll_ends_the_first(
    playground: Playground, bot: Bot, person: Person
) -> None:
    first = await waiting_poll(playground, bot)
    second = await waiting_poll(playground, bot)
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
        await first
    await person.send_text("for the second")
    assert len(await second) == 1


async def test_polls_that_take_turns_do_not_conflict(bot: Bot) -> None:
    for _ in range(3):
        assert await bot.get_updates() == []


async def test_stopping_ends_a_poll(bot: Bot) -> None:
    async with Playground(port=0) as other:
        bot.session.api = type(bot.session.api).from_base(other.url)
        poll = await waiting_poll(other, bot)
    assert await poll == []


async def test_a_webhook_forbids_polling(playground: Playground, bot: Bot) -> None:
    poll = await waiting_poll(playground, bot)
    await bot.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(TelegramConflictError, match="terminated by setWebhook request"):
        await poll
    with pytest.raises(TelegramConflictError, match="while webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates() == []


async def test_allowed_updates_hold_until_they_are_changed(bot: Bot, chat: Person) -> None:
    assert await bot.get_updates(allowed_updates=["callback_query"]) == []
    await chat.send_text("nobody hears this")
    assert await bot.get_updates() == []
    assert (await bot.get_webhook_info()).allowed_updates == ["callback_query"]
    await bot.get_updates(allowed_updates=[])
    await chat.send_text("this they do")
    assert (await newest(bot)).message.text == "this they do"


def test_a_bot_that_never_comes_costs_bounded_memory() -> None:
    queue = UpdateQueue()
    for number in range(MAX_PENDING + 5):
        queue.put("message", {"number": number})
    assert len(queue) == MAX_PENDING
    assert queue.snapshot()[-1]["message"] == {"number": MAX_PENDING + 4}
