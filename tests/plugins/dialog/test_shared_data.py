"""What other plugins keep in the dialogue's data stays, and what the dialog tells them is so."""

from __future__ import annotations

import pytest
from aiogram import Bot, Dispatcher
from aiogram.fsm.context import FSMContext
from aiogram.types import User

from impasto import language_of, last_photo
from impasto_playground import Person

from .dialog_kit import RecordingJobService, is_gallery, photo, says, tap

MINE = {"mine": {"count": 3}}


@pytest.fixture
async def data(dispatcher: Dispatcher, bot: Bot, alice: Person) -> FSMContext:
    """Of Alice's chat, with something of another plugin in it."""
    state = dispatcher.fsm.get_context(bot, chat_id=1, user_id=1)
    await state.set_data(MINE)
    return state


async def test_what_others_keep_outlives_a_whole_conversation(
    alice: Person, data: FSMContext, job_service: RecordingJobService
) -> None:
    await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    assert (await data.get_data())["mine"] == MINE["mine"]
    await tap(alice, "Woodblock wave")
    await job_service.wait_for_jobs(1)
    await alice.send_text("/start")
    await alice.wait_for(says("Ready?"))
    assert (await data.get_data())["mine"] == MINE["mine"]


@pytest.mark.parametrize("way", ["gallery", "caption"])
async def test_the_last_photo_is_known_also_when_it_is_painted(
    alice: Person, data: FSMContext, job_service: RecordingJobService, way: str
) -> None:
    assert await last_photo(data) is None
    await alice.send_photo(photo(), "wave" if way == "caption" else None)
    if way == "gallery":
        await alice.wait_for(is_gallery)
        known = await last_photo(data)
        assert known is not None
        await tap(alice, "Woodblock wave")
    await job_service.wait_for_jobs(1)
    await alice.send_text("/start")
    await alice.wait_for(says("Ready?"))
    assert await last_photo(data) == job_service.jobs[0].content


async def test_what_is_no_photo_is_none(data: FSMContext) -> None:
    await data.update_data(last_photo={"file": 3})
    assert await last_photo(data) is None


async def test_the_language_is_the_chosen_one_else_that_of_the_app(
    alice: Person, data: FSMContext
) -> None:
    def person(code: str | None) -> User:
        return User(id=1, is_bot=False, first_name="Alice", language_code=code)

    assert [await language_of(data, person(code)) for code in ("pt-br", None)] == ["pt", "en"]
    await alice.send_text("/language")
    await alice.wait_for(says("language"))
    await tap(alice, "Русский")
    assert await language_of(data, person("pt-br")) == "ru"
