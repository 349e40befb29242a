"""Strength, brush, colors, size, a mix of two styles and the language: chosen by taps, and kept."""

from __future__ import annotations

import pytest
from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardMarkup, Message

from impasto.jobs.job import ChosenStyle, JobState
from impasto.settings import PaintingSettings
from impasto_dialog.looks import STYLE_WEIGHTS, Strength
from impasto_playground import Person

from .dialog_kit import RecordingJobService, file_ids, is_gallery, photo, says, start_job, tap
from .feeder import Feeder

WEIGHT = PaintingSettings().style_weight
KEPT = "Got it. I’ll paint all your pictures like this."


DEFAULTS = [
    "💪 Strength: balanced",
    "🖌 Brush: medium",
    "🌈 Colors: the style’s",
    "📐 Size: standard",
]


def rows(message: Message) -> list[list[str]]:
    assert message.reply_markup is not None
    return [[button.text for button in row] for row in message.reply_markup.inline_keyboard]


def chosen(message: Message) -> list[str]:
    """What the rows of the options say."""
    return [row[0] for row in rows(message)[:4]]


async def choose(person: Person, kind: str, choice: str) -> str | None:
    """Opens a kind of options and chooses one; returns the toast."""
    await tap(person, kind)
    return (await tap(person, choice)).text


async def test_options_are_under_the_gallery_and_the_next_tap_paints_with_them(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_photo(photo(size=(1200, 900)))
    gallery = await alice.wait_for(is_gallery)
    await tap(alice, "⚙️ Settings")
    shown = await alice.wait_for(says("How shall I paint?"))
    assert shown.message_id == gallery.message_id
    assert chosen(shown) == DEFAULTS
    taps = {"Strength": "strong", "Brush": "broad", "Colors": "my photo’s", "Size": "large"}
    for kind, choice in taps.items():
        assert await choose(alice, kind, choice) == KEPT
        await alice.wait_until(
            lambda said=f"{kind}: {choice}": any(said in b for b in chosen(alice.from_bot()[-1]))
        )
    await tap(alice, "Back to the styles")
    again = await alice.wait_for(says("Which style shall I paint it in?"))
    assert "⚙️ strong style · broad brush · my colors · large size" in (again.caption or "")
    alice.find_button("⚙️ Settings")
    await tap(alice, "Starry night")
    [job] = job_service.jobs
    assert job.options.style_weight == pytest.approx(WEIGHT * STYLE_WEIGHTS[Strength.STRONG])
    assert job.options.brush_size == pytest.approx(2.0)
    assert job.options.keep_colors
    assert job.options.max_pixels is not None
    assert job.wishes == {
        "strength": "strong",
        "brush": "broad",
        "colors": "own",
        "quality": "large",
    }


async def test_what_was_chosen_is_kept_and_is_ones_own(
    alice: Person, boris: Person, job_service: RecordingJobService
) -> None:
    await alice.send_text("/settings")
    await alice.wait_for(says("for all your pictures"))
    await choose(alice, "Size", "quick look")
    await alice.send_text("/start")
    await alice.wait_for(says("Hello"))
    await alice.send_photo(photo(), "wave")
    await boris.send_photo(photo(), "wave")
    jobs = {job.person: job for job in await job_service.wait_for_jobs(2)}
    assert jobs[1].wishes["quality"] == "quick"
    assert jobs[2].wishes["quality"] == "standard"


async def test_the_same_choice_twice_changes_nothing(alice: Person) -> None:
    await alice.send_text("/settings")
    await alice.wait_for(says("How shall I paint?"))
    for _ in range(2):
        assert await choose(alice, "Brush", "thin") == KEPT
    await alice.wait_until(lambda: "🖌 Brush: thin" in chosen(alice.from_bot()[-1]))


async def test_a_choice_is_marked_and_can_be_left(alice: Person) -> None:
    await alice.send_text("/settings")
    await alice.wait_for(says("How shall I paint?"))
    await tap(alice, "Strength")
    shown = await alice.wait_for(says("how much should the style change your photo?"))
    assert rows(shown) == [["subtle", "✅ balanced", "strong"], ["⬅️ All settings"]]
    await tap(alice, "All settings")
    await alice.wait_for(says("How shall I paint?"))
    assert chosen(alice.from_bot()[-1]) == DEFAULTS


async def test_a_button_of_an_older_version_still_chooses(feeder: Feeder) -> None:
    """It showed all choices on one keyboard."""
    await feeder.tap("look:strong:")
    await feeder.message(text="/settings")
    [said] = [m for m in feeder.session.methods if isinstance(m, SendMessage)]
    assert isinstance(said.reply_markup, InlineKeyboardMarkup)
    assert said.reply_markup.inline_keyboard[0][0].text == "💪 Strength: strong"


async def test_fine_is_offered_where_it_can_be_had(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_text("/settings")
    await alice.wait_for(says("How shall I paint?"))
    await tap(alice, "Size")
    usual = await alice.wait_for(says("how large should it be?"))
    assert rows(usual)[0] == ["quick look", "✅ standard", "large"]
    job_service.estimates.has_fine = True
    await alice.send_photo(photo())
    gallery = await alice.wait_for(is_gallery)
    await tap(alice, "⚙️ Settings")
    await tap(alice, "Size", gallery.message_id)
    shown = await alice.wait_for(says("how large should it be?"), after=gallery.message_id - 1)
    assert rows(shown)[:2] == [["quick look", "✅ standard"], ["fine finish", "large"]]
    await tap(alice, "fine finish")
    await alice.wait_until(lambda: "📐 Size: fine finish" in chosen(alice.from_bot()[-1]))
    await tap(alice, "Back to the styles")
    again = await alice.wait_for(says("Which style"), after=gallery.message_id - 1)
    assert (again.caption or "").splitlines()[-1] == "⚙️ fine finish"
    await tap(alice, "Starry night")
    [job] = job_service.jobs
    assert job.options.fine
    assert job.wishes["quality"] == "fine_picture"


async def test_fine_is_standard_where_it_is_gone(
    alice: Person, job_service: RecordingJobService
) -> None:
    job_service.estimates.has_fine = True
    await alice.send_text("/settings")
    shown = await alice.wait_for(says("How shall I paint?"))
    await choose(alice, "Size", "fine")
    job_service.estimates.has_fine = False
    await alice.send_text("/settings")
    again = await alice.wait_for(says("How shall I paint?"), after=shown.message_id)
    assert chosen(again)[-1] == "📐 Size: standard"
    await alice.send_photo(photo(), "wave")
    [job] = await job_service.wait_for_jobs(1)
    assert job.options.fine is None
    assert job.wishes["quality"] == "standard"


async def test_two_presets_are_mixed(alice: Person, job_service: RecordingJobService) -> None:
    await alice.send_photo(photo())
    gallery = await alice.wait_for(is_gallery)
    await tap(alice, "Mix two styles")
    await alice.wait_for(says("Tap the first one"))
    await tap(alice, "Starry night")
    asks = await alice.wait_for(says("Starry night and …? Tap the second one"))
    assert asks.message_id == gallery.message_id
    assert "is already the first style" in ((await tap(alice, "Starry night")).text or "")
    assert job_service.jobs == []
    await tap(alice, "Stained glass")
    [job] = job_service.jobs
    assert job.styles == (ChosenStyle(preset="night"), ChosenStyle(preset="glass"))


async def test_a_preset_is_mixed_with_a_picture_of_ones_own(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_photo(photo())
    first = await alice.wait_for(is_gallery)
    await tap(alice, "Mix two styles")
    await tap(alice, "My own style")
    own = await alice.send_photo(photo("blue"))
    await alice.wait_for(says("your own style and …?"), after=first.message_id)
    await tap(alice, "Woodblock wave")
    [job] = job_service.jobs
    assert job.styles[0].picture is not None
    assert job.styles[0].picture.file_id in file_ids(own)
    assert job.styles[1] == ChosenStyle(preset="wave")


async def test_a_mix_can_be_chosen_before_the_photo_and_taken_back(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_text("/styles")
    await alice.wait_for(is_gallery)
    await tap(alice, "Mix two styles")
    await tap(alice, "Starry night")
    await tap(alice, "Only one style")
    await alice.wait_for(says("These are my styles"))
    await tap(alice, "Mix two styles")
    await tap(alice, "Stained glass")
    await tap(alice, "Woodblock wave")
    await alice.wait_for(says("Stained glass + 🎨 Woodblock wave it is!"))
    await alice.send_photo(photo())
    [job] = await job_service.wait_for_jobs(1)
    assert [style.preset for style in job.styles] == ["glass", "wave"]


async def test_the_language_can_be_another_than_the_apps(
    alice: Person, job_service: RecordingJobService
) -> None:
    under_way = await start_job(alice, job_service)
    await alice.send_text("/language")
    await alice.wait_for(says("Which language shall I speak?"))
    await tap(alice, "Русский")
    await alice.wait_for(says("Хорошо, говорим по-русски."))
    await alice.wait_until(
        lambda: alice.profile["commands"][0]["description"] == "Что умеет этот бот"
    )
    await alice.send_text("what now?")
    await alice.wait_for(says("Пришлите фото"))
    await alice.send_photo(photo(), "wave")
    jobs = await job_service.wait_for_jobs(2)
    assert [job.language for job in jobs] == ["ru", "ru"]
    assert under_way.language == "en"
    await alice.send_text("/settings")
    await alice.wait_for(says("Как рисовать?"))
    await tap(alice, "Язык")
    await tap(alice, "English")
    await alice.wait_for(says("All right, English it is."))


async def test_style_in_reply_to_a_photo_in_a_private_chat(
    alice: Person, job_service: RecordingJobService
) -> None:
    sent = await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    await alice.send_text("/style stained glass", reply_to=sent.message_id)
    [job] = await job_service.wait_for_jobs(1)
    assert job.styles == (ChosenStyle(preset="glass"),)
    assert (job.reply_to, job.chat) == (None, 1)
    await job_service.move(job, JobState.DELIVERED)
    await alice.send_text("/style wave")
    await alice.wait_for(says("Woodblock wave it is!"))
    await alice.send_text("/style")
    await alice.wait_for(says("These are my styles"))
