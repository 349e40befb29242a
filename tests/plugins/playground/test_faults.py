"""Faults that a test sets: what the bot meets, what has taken effect, and watching its calls."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import BufferedInputFile
from pydantic import ValidationError

from impasto_playground import Fault, FaultKind, Person, Playground

from .conftest import picture

CUT, ERROR, FLOOD = FaultKind.CUT, FaultKind.ERROR, FaultKind.FLOOD
PAGE, SILENCE = FaultKind.PAGE, FaultKind.SILENCE


def texts(person: Person) -> list[str | None]:
    return [message.text for message in person.from_bot()]


async def say(bot: Bot, person: Person, text: str) -> None:
    await bot.send_message(person.user_id, text)


async def test_a_flood_tells_how_long_to_wait(
    playground: Playground, bot: Bot, chat: Person
) -> None:
    playground.faults.add(Fault(kind=FLOOD, retry_after=7, times=1))
    with pytest.raises(TelegramRetryAfter) as refused:
        await say(bot, chat, "too fast")
    assert refused.value.retry_after == 7
    await say(bot, chat, "slowly")
    await chat.wait_for(lambda m: m.text == "slowly")
    assert "too fast" not in texts(chat)


@pytest.mark.parametrize("code", [500, 502])
async def test_an_error_has_the_code_that_was_asked_for(
    playground: Playground, bot: Bot, chat: Person, code: int
) -> None:
    with (
        playground.faults.during(Fault(kind=ERROR, code=code)),
        pytest.raises(TelegramServerError),
    ):
        await say(bot, chat, "hello")
    await say(bot, chat, "hello again")


@pytest.mark.parametrize("acts", [False, True])
@pytest.mark.parametrize(
    ("kind", "error"),
    [(CUT, TelegramNetworkError), (ERROR, TelegramServerError), (PAGE, ClientDecodeError)],
)
async def test_only_a_call_that_acts_takes_effect(
    playground: Playground,
    bot: Bot,
    chat: Person,
    kind: FaultKind,
    error: type[Exception],
    acts: bool,
) -> None:
    playground.faults.add(Fault(kind=kind, acts=acts, times=1))
    with pytest.raises(error):
        await say(bot, chat, "first")
    await say(bot, chat, "last")
    await chat.wait_for(lambda m: m.text == "last")
    assert texts(chat)[-2:] == (["first", "last"] if acts else ["last"])[-2:]
    assert ("first" in texts(chat)) is acts


@pytest.mark.parametrize("acts", [False, True])
async def test_silence_lasts_until_it_is_removed(
    playground: Playground, bot: Bot, chat: Person, acts: bool
) -> None:
    silence = playground.faults.add(Fault(kind=SILENCE, acts=acts, times=1))
    with playground.faults.watch() as calls:
        call = asyncio.create_task(say(bot, chat, "are you there?"))
        for stage in ("received", "acted") if acts else ("received",):
            assert (await calls.next())["stage"] == stage
        await say(bot, chat, "others get through")
        assert not call.done()
        playground.faults.remove(silence)
        with pytest.raises(TelegramNetworkError):
            await call
    await chat.wait_for(lambda m: m.text == "others get through")
    assert ("are you there?" in texts(chat)) is acts


async def test_a_playground_that_stops_lets_go_of_who_waits(bot: Bot) -> None:
    playground = Playground(port=0)
    await playground.start()
    playground.faults.add(Fault(kind=SILENCE))
    async with aiohttp.ClientSession() as session:
        with playground.faults.watch() as calls:
            url = f"{playground.url}/bot{playground.token}/getMe"
            call = asyncio.create_task(session.get(url))
            await calls.next()
            await playground.stop()
            assert (await calls.next()) is None
        with pytest.raises(aiohttp.ClientError):
            await call


async def test_faults_choose_by_method_chat_and_text(
    playground: Playground, bot: Bot, chat: Person
) -> None:
    faults = playground.faults
    faults.add(Fault(kind=CUT, method="sendphoto"))
    faults.add(Fault(kind=CUT, chat=chat.user_id + 1))
    faults.add(Fault(kind=CUT, text="secret"))
    await say(bot, chat, "hello")
    with pytest.raises(TelegramNetworkError):
        await say(bot, chat, "a secret word")
    photo = BufferedInputFile(picture(), "photo.jpg")
    with pytest.raises(TelegramNetworkError):
        await bot.send_photo(chat.user_id, photo)
    async with Person(playground.url, chat.user_id + 1) as neighbor:
        await neighbor.send_text("/start")
        with pytest.raises(TelegramNetworkError):
            await say(bot, neighbor, "hello")
    assert [active.struck for active in faults.active] == [1, 1, 1]


async def test_the_text_of_a_new_medium_counts(
    playground: Playground, bot: Bot, chat: Person
) -> None:
    from aiogram.types import InputMediaPhoto

    photo = BufferedInputFile(picture(), "photo.jpg")
    sent = await bot.send_photo(chat.user_id, photo, caption="before")
    media = InputMediaPhoto(media=photo, caption="Пейзаж")
    playground.faults.add(Fault(kind=CUT, text="Пейзаж", acts=True, times=1))
    with pytest.raises(TelegramNetworkError):
        await bot.edit_message_media(media, chat_id=chat.user_id, message_id=sent.message_id)
    await chat.wait_for(lambda m: m.caption == "Пейзаж")


async def test_the_answer_to_a_tap_belongs_to_its_chat(
    playground: Playground, bot: Bot, chat: Person
) -> None:
    from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

    button = InlineKeyboardButton(text="Go", callback_data="go")
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[button]])
    await bot.send_message(chat.user_id, "?", reply_markup=keyboard)
    await chat.wait_for(lambda m: m.reply_markup)
    query = await chat.tap("Go")
    playground.faults.add(Fault(kind=CUT, chat=chat.user_id, times=1))
    with pytest.raises(TelegramNetworkError):
        await bot.answer_callback_query(query)
    await bot.answer_callback_query(query)


async def test_chance_is_repeatable(playground: Playground, bot: Bot, chat: Person) -> None:
    async def fates(seed: int) -> list[bool]:
        playground.faults.random.seed(seed)
        found = []
        with playground.faults.during(Fault(kind=ERROR, probability=0.5)):
            for _ in range(20):
                try:
                    await bot.get_me()
                except TelegramServerError:
                    found.append(False)
                else:
                    found.append(True)
        return found

    first = await fates(1)
    assert set(first) == {True, False}
    assert await fates(1) == first
    assert await fates(2) != first


@pytest.mark.parametrize("acts", [False, True])
async def test_a_download_is_cut_before_it_or_in_its_middle(
    playground: Playground, bot: Bot, chat: Person, acts: bool
) -> None:
    sent = await chat.send_document(b"0123456789" * 1000, "digits.txt")
    assert sent.document
    file = await bot.get_file(sent.document.file_id)
    url = f"{playground.url}/file/bot{playground.token}/{file.file_path}"
    received = bytearray()

    async def download() -> None:
        async with session.get(url) as response:
            async for chunk in response.content.iter_any():
                received.extend(chunk)

    async with aiohttp.ClientSession() as session:
        # Not once only: aiohttp itself tries a GET again whose answer never began.
        fault = playground.faults.during(Fault(kind=CUT, method="download", acts=acts))
        with fault, pytest.raises(aiohttp.ClientError):
            await download()
        assert len(received) == (5000 if acts else 0)
        received.clear()
        await download()
    assert received == b"0123456789" * 1000


async def test_a_lost_answer_of_get_updates_loses_no_update(
    playground: Playground, bot: Bot, chat: Person
) -> None:
    await bot.get_updates(offset=-1)
    await chat.send_text("hello")
    playground.faults.add(Fault(kind=CUT, method="getUpdates", acts=True, times=1))
    with pytest.raises(TelegramNetworkError):
        await bot.get_updates()
    assert (await bot.get_updates())[-1].message.text == "hello"


async def test_a_watcher_is_told_what_was_asked_and_what_came_of_it(
    playground: Playground, bot: Bot, chat: Person
) -> None:
    with playground.faults.watch(lambda call, stage: call.method == "sendMessage") as calls:
        await bot.get_me()
        await say(bot, chat, "hello")
        received, acted = [await calls.next() for _ in range(2)]
    assert received["stage"] == "received"
    assert "result" not in received
    assert (acted["stage"], acted["chat"], acted["text"]) == ("acted", chat.user_id, "hello")
    assert acted["fields"]["text"] == "hello"
    assert acted["result"]["message_id"] == (await chat.wait_for(lambda m: m.text)).message_id


def test_a_flood_cannot_act() -> None:
    with pytest.raises(ValidationError, match="does not act"):
        Fault(kind=FLOOD, acts=True)


class TestOverHttp:
    """The same for a bot of any language: JSON beside the Bot API."""

    @staticmethod
    async def ask(playground: Playground, verb: str, path: str, **body: object) -> tuple[int, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.request(verb, f"{playground.url}/api/{path}", json=body or None) as response,
        ):
            return response.status, await response.json()

    async def test_faults_are_added_listed_and_removed(
        self, playground: Playground, bot: Bot, chat: Person
    ) -> None:
        wanted = {"kind": "flood", "method": "sendMessage", "retry_after": 3, "times": 2}
        status, added = await self.ask(playground, "POST", "faults", **wanted)
        assert status == 201
        assert added == {**wanted, "number": 1, "struck": 0}
        with pytest.raises(TelegramRetryAfter):
            await say(bot, chat, "hello")
        assert (await self.ask(playground, "GET", "faults"))[1] == [{**added, "struck": 1}]
        assert (await self.ask(playground, "DELETE", "faults/1"))[0] == 200
        assert (await self.ask(playground, "DELETE", "faults/1"))[0] == 404
        await say(bot, chat, "hello")
        await self.ask(playground, "POST", "faults", kind="cut", acts=True, chat=5)
        assert await self.ask(playground, "DELETE", "faults") == (200, [])
        assert playground.faults.active == []

    @pytest.mark.parametrize(
        ("body", "word"),
        [
            ({}, "kind"),
            ({"kind": "earthquake"}, "kind"),
            ({"kind": "cut", "probability": 2}, "probability"),
            ({"kind": "cut", "metod": "getMe"}, "metod"),
            ({"kind": "flood", "acts": True}, "does not act"),
        ],
    )
    async def test_what_is_no_fault_is_refused(
        self, playground: Playground, body: dict[str, object], word: str
    ) -> None:
        status, answer = await self.ask(playground, "POST", "faults", **body)
        assert status == 400
        assert word in answer["error"]
        assert playground.faults.active == []

    async def test_calls_come_as_events(
        self, playground: Playground, bot: Bot, chat: Person
    ) -> None:
        url = f"{playground.url}/api/calls?method=sendMessage&stage=acted"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert await response.content.readuntil(b"\n\n") == b":\n\n"
            await say(bot, chat, "hello")
            event = await response.content.readuntil(b"\n\n")
        seen = json.loads(event.removeprefix(b"data: "))
        assert (seen["method"], seen["stage"], seen["text"]) == ("sendMessage", "acted", "hello")

    async def test_a_stage_that_is_none_is_refused(self, playground: Playground) -> None:
        status, answer = await self.ask(playground, "GET", "calls?stage=lost")
        assert status == 400
        assert "lost" in answer["error"]
