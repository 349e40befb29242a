"""Groups: several persons and the bot, which hears commands and answers to itself only."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiogram import Bot
from aiogram.types import BotCommand, BotCommandScopeAllGroupChats

from impasto_playground import Person, Playground


@pytest.fixture
async def friends(playground: Playground) -> AsyncIterator[tuple[Person, Person]]:
    async with (
        Person(playground.url, 1, "Alice", group=5) as alice,
        Person(playground.url, 2, "Борис", "ru", group=5) as boris,
    ):
        yield alice, boris


async def test_everybody_sees_what_is_said(friends: tuple[Person, Person], bot: Bot) -> None:
    alice, _ = friends
    sent = await alice.send_text("hello")
    assert (sent.chat.id, sent.chat.type, sent.from_user.first_name) == (-5, "group", "Alice")
    await bot.send_message(-5, "hello all", reply_to_message_id=sent.message_id)
    for person in friends:
        heard = await person.wait_for(lambda m: m.text == "hello all")
        assert heard.reply_to_message.message_id == sent.message_id
        assert [m.text for m in person.messages()] == ["hello", "hello all"]


async def test_the_bot_hears_commands_and_answers_to_itself(
    friends: tuple[Person, Person], bot: Bot
) -> None:
    alice, boris = friends
    photo = await alice.send_text("look at this")
    await boris.send_text("/style", reply_to=photo.message_id)
    said = await bot.send_message(-5, "which style?")
    await alice.send_text("any", reply_to=said.message_id)
    await alice.send_text("nothing for you")
    heard = [update.message for update in await bot.get_updates()]
    assert [(m.text, m.from_user.id, m.chat.id) for m in heard] == [
        ("/style", 2, -5),
        ("any", 1, -5),
    ]
    assert heard[0].reply_to_message.text == "look at this"


async def test_a_tap_says_whose_it_is(friends: tuple[Person, Person], bot: Bot) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Press", "callback_data": "x"}]]}
    _, boris = friends
    await bot.send_message(-5, "here", reply_markup=keyboard)
    await boris.wait_for(lambda m: m.text == "here")
    query_id = await boris.tap("Press")
    [update] = await bot.get_updates()
    assert update.callback_query.from_user.id == 2
    assert update.callback_query.message.chat.id == -5
    await bot.answer_callback_query(query_id, "for you")
    assert (await boris.answer_to(query_id)).text == "for you"


async def test_groups_have_a_menu_of_their_own_and_private_chats_stay_apart(
    friends: tuple[Person, Person], playground: Playground, bot: Bot
) -> None:
    alice, _ = friends
    command = BotCommand(command="style", description="Paint it")
    await bot.set_my_commands([command], BotCommandScopeAllGroupChats())
    async with Person(playground.url, 1, "Alice") as private:
        assert private.messages() == []
        assert private.profile["commands"] == []
    async with Person(playground.url, 3, "Carol", group=5) as carol:
        assert [c["command"] for c in carol.profile["commands"]] == ["style"]
    await alice.send_text("/style")
