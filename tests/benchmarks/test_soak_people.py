"""What the storm is to strike, on a bot that nothing strikes: people who get what they ask for, and
calls that come to every point."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiogram.types import Chat, InlineKeyboardButton, InlineKeyboardMarkup, Message, User
from benchmarks.soak.chat_facts import is_ready
from benchmarks.soak.installation import OneMachine, started
from benchmarks.soak.people import BROKEN, KINDS, Customer, End, Wishes
from benchmarks.soak.points import POINTS, held_at

from impasto_dialog import keyboards
from impasto_dialog.texts import LANGUAGES
from impasto_playground import Playground

PATIENCE = 120.0
ENDS = {BROKEN: {End.EXPLAINED}, "cancelled": {End.CANCELLED, End.PICTURE}}
"""Who cancels late gets the picture."""


@asynccontextmanager
async def quiet_bot(folder: Path) -> AsyncIterator[tuple[Playground, OneMachine]]:
    async with Playground(port=0) as playground:
        installation = OneMachine(playground, folder)
        try:
            await started(installation, playground)
            yield playground, installation
        finally:
            await installation.stop()
            installation.close()


@pytest.mark.slow
async def test_people_of_every_kind_get_what_they_ask_for(tmp_path: Path) -> None:
    async with quiet_bot(tmp_path) as (playground, _):
        customer = Customer(1, playground, Wishes(), seed=1)
        async with customer.person:
            for kind in KINDS:
                wish = await asyncio.wait_for(customer.ask_for(kind), PATIENCE)
                assert wish.end in ENDS.get(kind, {End.PICTURE}), kind
                assert wish.asked_again == 0, f"{kind}: a button was not found"


@pytest.mark.slow
async def test_calls_come_to_every_point(tmp_path: Path) -> None:
    async with quiet_bot(tmp_path) as (playground, installation):
        wishes, closing = Wishes(), asyncio.Event()
        customer = Customer(1, playground, wishes, seed=1)
        async with customer.person:
            life = asyncio.create_task(customer.live(closing))
            for point in POINTS:
                wishes.wanted = point.wish
                async with held_at(point, playground, installation, PATIENCE) as is_reached:
                    assert is_reached, point.name
            closing.set()
            await asyncio.wait_for(life, PATIENCE)


class ScriptedChat:
    """Stands for a `Person`: the bot's messages are these, one scene after the other."""

    def __init__(self, *scenes: list[Message]) -> None:
        self.user_id = 1
        self._scenes = list(scenes)
        self._sent = 0

    async def send_text(self, text: str) -> Message:
        return self._own()

    async def send_photo(self, photo: bytes, caption: str | None = None) -> Message:
        return self._own()

    async def send_document(self, content: bytes, name: str) -> Message:
        return self._own()

    def _own(self) -> Message:
        self._sent += 10
        return a_message(self._sent, "")

    def from_bot(self) -> list[Message]:
        return self._scenes[0]

    async def wait_for(
        self, fits: Callable[[Message], Any], timeout: float, after: int = 0
    ) -> Message:
        def found() -> list[Message]:
            return [one for one in self.from_bot() if one.message_id > after and fits(one)]

        await self.wait_until(found, timeout)
        return found()[0]

    async def wait_until(self, condition: Callable[[], Any], timeout: float) -> None:
        while not condition():
            assert len(self._scenes) > 1, "the chat is over, and the person still waits"
            self._scenes.pop(0)


def a_message(
    number: int, text: str, button: str | None = None, answers: Message | None = None
) -> Message:
    rows = [[InlineKeyboardButton(text="…", callback_data=button)]] if button else []
    return Message(
        message_id=number,
        date=datetime.now(UTC),
        chat=Chat(id=1, type="private"),
        from_user=User(id=1, is_bot=True, first_name="Impasto"),
        text=text,
        reply_markup=InlineKeyboardMarkup(inline_keyboard=rows) if rows else None,
        reply_to_message=answers,
    )


async def test_a_message_that_comes_too_late_is_not_taken_for_the_next_job() -> None:
    say = LANGUAGES["en"]
    refusal = a_message(11, say("failed", reason="It is damaged."))
    late = a_message(21, "waiting", keyboards.StopJob(job="late").pack())
    waiting = a_message(22, "waiting", keyboards.StopJob(job="new").pack())
    result = a_message(22, "painted", keyboards.SendFile(job="new").pack())
    ready = a_message(23, say("ready"), answers=result)
    chat = ScriptedChat([refusal], [refusal, late], [refusal, waiting], [refusal, result, ready])
    customer = Customer(1, Playground(port=0), Wishes(), seed=1)
    customer.person = chat  # type: ignore[assignment]
    assert (await customer.ask_for(BROKEN)).end is End.EXPLAINED
    wish = await customer.ask_for("named style")
    assert (wish.job, wish.end) == ("new", End.PICTURE)


def test_a_picture_is_ready_when_a_text_says_so_or_when_it_came_anew() -> None:
    ready = LANGUAGES["ru"]("ready")
    status, other = a_message(1, "painting"), a_message(2, "another picture")
    result = a_message(1, "painted")
    assert not is_ready(result, [result])
    assert not is_ready(result, [result, a_message(3, ready, answers=other)])
    assert is_ready(result, [result, a_message(3, ready, answers=status)])
    assert is_ready(result, [result, a_message(3, ready)]), "the job could not be read any more"
    assert is_ready(a_message(4, "painted", answers=status), []), "it was out of view"
