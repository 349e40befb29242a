"""Every step can be left, and buttons that no longer work say so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import (
    GetMe,
)
from aiogram.types import Message, Update

from impasto_playground import Person, Playground

from .dialog_kit import RecordingJobService, file_ids, is_gallery, photo, says, tap


@pytest.mark.parametrize("album_wait_s", [0])
async def test_an_album_of_one_usable_picture_becomes_a_question(
    alice: Person, bot: Bot, dispatcher: Dispatcher, job_service: RecordingJobService
) -> None:
    first = await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    alone = first.model_copy(update={"media_group_id": "5", "message_id": 500})
    update = Update(update_id=10**6, message=alone)
    await dispatcher.feed_update(bot, update)
    gallery = await alice.wait_for(says("instead of the last one"))
    await tap(alice, "Starry night", gallery.message_id)
    assert [job.content.file_id in file_ids(first) for job in job_service.jobs] == [True]


async def test_start_greets_and_forgets(alice: Person, job_service: RecordingJobService) -> None:
    await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    await alice.send_text("/start")
    greeting = await alice.wait_for(says("Hello, Alice <3!"))
    assert greeting.reply_markup.inline_keyboard[0][0].text == "🎨 See the styles"
    assert not any(is_gallery(message) for message in alice.from_bot())
    await tap(alice, "See the styles")
    await alice.wait_for(says("Tap a number, then send me a photo"))


@pytest.mark.parametrize(
    ("language", "greeting"),
    [("en", "👋 Hello! I repaint"), ("ru", "👋 Здравствуйте! Я перерисовываю")],
)
async def test_who_has_no_name_is_greeted_without_one(
    playground: Playground, bot: Bot, language: str, greeting: str
) -> None:
    async with Person(playground.url, 3, "", language) as nobody:
        await nobody.send_text("/start")
        await nobody.wait_for(says(greeting))


@pytest.mark.parametrize(
    ("link", "answer"),
    [("style_wave", "Woodblock wave it is!"), ("style_gone", "Hello"), ("wave", "Hello")],
)
async def test_a_link_starts_with_a_style(alice: Person, link: str, answer: str) -> None:
    await alice.send_text(f"/start {link}")
    await alice.wait_for(says(answer))


async def test_each_step_has_its_own_hint_and_a_way_back(alice: Person) -> None:
    await alice.send_text("/styles")
    await alice.wait_for(is_gallery)
    await alice.send_text("what now?")
    await alice.wait_for(says("Tap the number of a style above"))
    await alice.tap("My own style")
    await alice.wait_for(says("First send me the picture"))
    await alice.send_text("what now?")
    await alice.wait_for(says("I’m waiting for the picture whose style"))
    await alice.send_text("starry night")
    await alice.wait_for(says("Starry night it is"))
    await alice.send_text("what now?")
    await alice.wait_for(says("chosen a style; now I need a photo"))
    await alice.send_text("/styles")
    await alice.wait_for(is_gallery, after=alice.messages()[-1].message_id - 1)


@pytest.mark.parametrize("way", ["/cancel", "button"])
@pytest.mark.parametrize("step", ["photo", "own", "style first", "own style first"])
async def test_cancel_at_every_step(
    alice: Person, job_service: RecordingJobService, step: str, way: str
) -> None:
    await (alice.send_text("/styles") if "first" in step else alice.send_photo(photo()))
    await alice.wait_for(is_gallery)
    if "own" in step:
        await tap(alice, "My own style")
    elif step == "style first":
        await tap(alice, "Starry night")
    if way == "button":
        answer = await tap(alice, "Cancel")
        assert answer.text == "Cancelled."
    else:
        await alice.send_text("/cancel")
    await alice.wait_for(says("All right, cancelled"))
    await alice.send_photo(photo())
    gallery = await alice.wait_for(says("Which style shall I paint it in?"))
    assert "instead of" not in (gallery.caption or "")
    assert job_service.jobs == []


async def test_buttons_of_an_earlier_picture(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    await tap(alice, "My own style")
    prompt = await alice.wait_for(says("Send me the picture whose style"))
    await alice.send_text("/cancel")
    await alice.wait_for(says("All right, cancelled"))
    answer = await tap(alice, "Cancel", prompt.message_id)
    assert answer.text == "This button no longer works."
    await tap(alice, "See the styles", prompt.message_id)
    await alice.wait_for(says("These are my styles"))
    assert job_service.jobs == []


async def test_a_gallery_of_an_earlier_picture_says_so_and_opens_a_new_one(
    alice: Person, bot: Bot, job_service: RecordingJobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def keep(*_: Any, **__: Any) -> bool:
        raise TelegramBadRequest(GetMe(), "Bad Request: message can't be deleted for everyone")

    monkeypatch.setattr(bot, "delete_message", keep)
    await alice.send_photo(photo("red"))
    old = await alice.wait_for(is_gallery)
    newer = await alice.send_photo(photo("blue"))
    await alice.wait_for(is_gallery, after=old.message_id)
    answer = await tap(alice, "Starry night", old.message_id)
    assert answer.text == "This button no longer works. Here are the styles."
    assert job_service.jobs == []
    newest = alice.from_bot()[-1]
    await tap(alice, "Starry night", newest.message_id)
    assert [job.content.file_id in file_ids(newer) for job in job_service.jobs] == [True]


async def test_a_preset_that_is_gone(alice: Person, job_service: RecordingJobService) -> None:
    await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    job_service.presets = job_service.presets[1:]
    answer = await tap(alice, "Starry night")
    assert "no longer have this style" in (answer.text or "")
    await tap(alice, "2")
    assert len(job_service.jobs) == 1


async def test_many_presets_have_pages(alice: Person, job_service: RecordingJobService) -> None:
    first = job_service.presets[0]
    job_service.presets = tuple(
        replace(first, name=f"preset_{i}", titles={"en": f"Number {i}"}) for i in range(1, 31)
    )
    await alice.send_text("/styles")
    gallery = await alice.wait_for(is_gallery)
    assert numbers(gallery) == [["1", "2", "3", "4", "5"], ["6", "7", "8", "9", "1/4 ▶️"]]
    await tap(alice, "▶️", gallery.message_id)
    gallery = await alice.wait_for(lambda m: "2/4" in str(m.reply_markup))
    assert numbers(gallery) == [["10", "11", "12", "13", "14"], ["15", "16", "17", "18", "2/4 ▶️"]]
    await tap(alice, "⚙️", gallery.message_id)
    await alice.wait_for(says("How shall I paint?"))
    await tap(alice, "Back to the styles", gallery.message_id)
    gallery = await alice.wait_for(says("These are my styles"))
    assert numbers(gallery)[0][0] == "10", "the page is kept"
    await tap(alice, "15", gallery.message_id)
    await alice.wait_for(says("Number 15 it is!"))
    await alice.send_text("29")
    await alice.wait_for(says("Number 29 it is!"))


def numbers(gallery: Message) -> list[list[str]]:
    """The rows of numbers, and the button to the next page."""
    assert gallery.reply_markup is not None
    rows = [[button.text for button in row] for row in gallery.reply_markup.inline_keyboard]
    return [row for row in rows if row[0].isdigit()]
