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

from impasto.telegram.intake import Intake

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
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
        "text": st.text(max_size=50),
        "photo": JSON,
        "document": JSON,
        "from": st.fixed_dictionaries(
            {"id": st.integers(), "is_bot": st.booleans(), "first_name": st.text(max_size=5)}
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
    await intake.take([(1, json.dumps({"update_id": 1, **update}))])
    await intake.drain(30)
    return memory


@given(update=UPDATE)
@settings(max_examples=150, deadline=None)
@pytest.mark.slow
def test_any_update_is_finished(update: dict[str, Any]) -> None:
    assert asyncio.run(taken(update)).unfinished == {}
