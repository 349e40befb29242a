"""Whatever comes as an update, the bot goes on: it is handled or passed over, and finished."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.types import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.telegram.answers import Session
from impasto.telegram.intake import GetUpdates, Intake, as_stored
from impasto_sqlite import SqliteStorage

ANY_TEXT = st.text(st.characters(codec=None), max_size=20)
"""Lone surrogates, too."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)
CHAT = st.fixed_dictionaries(
    {"id": st.integers(), "type": st.sampled_from(["private", "group", "channel", "moon"])}
)
MESSAGE = st.fixed_dictionaries(
    {"message_id": st.integers(), "date": st.integers(), "chat": CHAT},
    optional={
        "text": ANY_TEXT,
        "photo": JSON,
        "document": JSON,
        "from": st.fixed_dictionaries(
            {"id": st.integers(), "is_bot": st.booleans(), "first_name": ANY_TEXT}
        ),
    },
)
UPDATE = st.one_of(
    st.fixed_dictionaries({"message": MESSAGE}),
    st.dictionaries(
        st.sampled_from(["message", "callback_query", "poll", "chat_member", "of_tomorrow"]),
        JSON,
        max_size=2,
    ),
)


class Memory:
    """A journal of updates that a test can look into."""

    def __init__(self) -> None:
        self.unfinished: dict[int, str] = {}

    async def take_updates(self, updates: list[tuple[int, str]]) -> list[int]:
        self.unfinished.update(updates)
        return [update_id for update_id, _ in updates]

    async def begin_update(self, update_id: int) -> int:
        return 1

    async def finish_update(self, update_id: int) -> None:
        del self.unfinished[update_id]


async def taken(update: dict[str, Any]) -> Memory:
    router = Router()

    async def handle(message: Message) -> None: ...

    router.message.register(handle)
    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    memory = Memory()
    bot = Bot("123456:EXAMPLE-TOKEN")
    intake = Intake(bot=bot, dispatcher=dispatcher, journal=memory)  # type: ignore[arg-type]
    await intake.take([as_stored({"update_id": 1, **update})])
    await intake.drain(30)
    return memory


@given(update=UPDATE)
@settings(max_examples=150, deadline=None)
@pytest.mark.slow
def test_any_update_is_finished(update: dict[str, Any]) -> None:
    assert asyncio.run(taken(update)).unfinished == {}


@given(updates=st.lists(JSON | UPDATE.map(lambda update: {"update_id": 7, **update}), max_size=3))
def test_any_updates_are_read_as_they_come(updates: list[Any]) -> None:
    bot = Bot("123456:EXAMPLE-TOKEN", session=Session())
    answer = json.dumps({"ok": True, "result": updates})
    assert bot.session.check_response(bot, GetUpdates(), 200, answer).result == updates


class Telegram(Session):
    """Has these updates to give."""

    def __init__(self, updates: list[Any]) -> None:
        super().__init__()
        self._updates = updates

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:
        updates, self._updates = self._updates, []
        if not updates:
            await asyncio.Event().wait()
        answer = json.dumps({"ok": True, "result": updates})
        return self.check_response(bot, method, 200, answer).result


def message(text: str, name: str = "Alice") -> dict[str, Any]:
    chat = {"id": 1, "type": "private", "first_name": name}
    person = {"id": 1, "is_bot": False, "first_name": name}
    return {"message_id": 1, "date": 1, "chat": chat, "from": person, "text": text}


class TestOneAmongOthers:
    """What is wrong with one update concerns that one only."""

    @pytest.mark.parametrize(
        "odd",
        [
            {"update_id": 1, "message": message("\ud800 alone")},
            {"update_id": 1, "message": message("hello", name="\udfff")},
            {"update_id": 1, "message": message("hello") | {"date": 10**30}},
            {"update_id": 2**70, "message": message("hello")},
            {"update_id": "1"},
            {"update_id": 1, "\ud83d": {}},
            None,
            7,
        ],
        ids=repr,
    )
    async def test_the_others_are_handled(self, odd: Any, storage: SqliteStorage) -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()
        router = Router()

        async def handle(message: Message) -> None:
            await heard.put(message.text or "")

        router.message.register(handle)
        dispatcher = Dispatcher()
        dispatcher.include_router(router)
        telegram = Telegram([odd, {"update_id": 2, "message": message("sound")}])
        bot = Bot("123456:EXAMPLE-TOKEN", session=telegram)
        intake = Intake(bot=bot, dispatcher=dispatcher, journal=storage.journal)
        polling = asyncio.create_task(intake.poll())
        async with asyncio.timeout(30):
            while await heard.get() != "sound":
                pass
        assert not polling.done()
        polling.cancel()
        await intake.drain(30)
        assert await storage.journal.unfinished_updates() == []

    async def test_one_that_cannot_be_stored_is_parked(self, storage: SqliteStorage) -> None:
        intake = Intake(
            bot=Bot("123456:EXAMPLE-TOKEN"), dispatcher=Dispatcher(), journal=storage.journal
        )
        sound = as_stored({"update_id": 3, "message": message("sound")})
        await intake.take([(1, "\ud800"), (2**70, "{}"), sound])
        await intake.drain(30)
        assert await storage.journal.take_updates([sound]) == []
