"""Whatever comes as an update, the bot goes on: it is handled or passed over, and finished."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.types import Message
from hypothesis import example, given, settings
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
    """Has these answers to give to getUpdates, each a status and a body."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        super().__init__()
        self._answers = list(answers)

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:
        if not isinstance(method, GetUpdates):
            return True
        if not self._answers:
            await asyncio.Event().wait()
        return self.check_response(bot, method, *self._answers.pop(0)).result


def updates_answer(*updates: Any) -> tuple[int, str]:
    return 200, json.dumps({"ok": True, "result": updates})


def is_of_a_bad_token(answer: tuple[int, str]) -> bool:
    """Telegram's own answer, after which the bot ends: its owner has to do something."""
    status, body = answer
    try:
        parsed = json.loads(body)
    except ValueError:
        return False
    return status in (401, 404) and isinstance(parsed, dict) and parsed.get("ok") is False


@given(
    answer=st.tuples(
        st.integers(100, 599),
        ANY_TEXT
        | st.dictionaries(
            st.sampled_from(["ok", "result", "description", "error_code", "parameters"]), JSON
        ).map(json.dumps)
        | JSON.map(lambda result: json.dumps({"ok": True, "result": result})),
    ).filter(lambda answer: not is_of_a_bad_token(answer))
)
@settings(max_examples=100, deadline=None)
@example(answer=(409, json.dumps({"ok": False, "description": "webhook is active"})))
@example(answer=(429, json.dumps({"ok": False, "parameters": {"retry_after": "x"}})))
def test_any_answer_to_a_poll_is_followed_by_the_next_poll(answer: tuple[int, str]) -> None:
    asyncio.run(polled(answer, updates_answer({"update_id": 7, "message": message("hello")})))


async def polled(*answers: tuple[int, str]) -> None:
    """Returns when a handler has heard "hello"; raises what ends the polling."""
    heard = asyncio.Event()
    router = Router()

    async def handle(message: Message) -> None:
        if message.text == "hello":
            heard.set()

    router.message.register(handle)
    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    bot = Bot("123456:EXAMPLE-TOKEN", session=Telegram(*answers))
    intake = Intake(bot=bot, dispatcher=dispatcher, journal=Memory())  # type: ignore[arg-type]
    polling = asyncio.create_task(intake.poll())
    listening = asyncio.create_task(heard.wait())
    async with asyncio.timeout(30):
        await asyncio.wait({polling, listening}, return_when=asyncio.FIRST_COMPLETED)
    if polling.done():
        polling.result()
    polling.cancel()
    await intake.drain(30)
    assert heard.is_set()


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
        telegram = Telegram(updates_answer(odd, {"update_id": 2, "message": message("sound")}))
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
