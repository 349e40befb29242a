"""The gallery shows the own photo in each style once it is painted, and is as usual where not."""

from __future__ import annotations

import io

import pytest
from aiogram import Bot
from PIL import Image

from impasto import StylePreset
from impasto.settings import Settings
from impasto_dialog.contact_sheet import GalleryPage, gallery_sheet
from impasto_dialog.own_sheets import own_sheet
from impasto_playground import Person, Playground

from .dialog_kit import RecordingJobService, file_ids, is_gallery, photo, says, tap

OPTIONS, BACK = "⚙️", "Back to the styles"


@pytest.fixture(autouse=True)
def thumbnails(job_service: RecordingJobService) -> None:
    job_service.thumbnail = photo("red", (240, 320))


async def color_of(person: Person, file_id: str) -> tuple[int, ...]:
    """In the middle of the first tile of a sheet."""
    sheet = Image.open(io.BytesIO(await person.download(file_id)))
    return sheet.getpixel((200, 200))


async def replaced(person: Person, before: set[str]) -> str:
    """The `file_id` of the gallery's picture, once it is another one."""
    shown = await person.wait_for(lambda m: is_gallery(m) and not file_ids(m) & before)
    return shown.photo[-1].file_id


async def test_the_own_photo_takes_the_place_of_the_presets(
    alice: Person, job_service: RecordingJobService
) -> None:
    job_service.may_answer.clear()
    sent = await alice.send_photo(photo())
    gallery = await alice.wait_for(is_gallery)
    job_service.may_answer.set()
    own = await replaced(alice, file_ids(gallery))
    red, green, blue = await color_of(alice, own)
    assert red > 200 > 60 > max(green, blue)
    shown = next(m for m in alice.messages() if m.message_id == gallery.message_id)
    assert (shown.caption, shown.reply_markup) == (gallery.caption, gallery.reply_markup)
    [(content, styles)] = job_service.tried
    assert content.file_id == sent.photo[-1].file_id
    assert list(styles) == ["night", "wave", "glass"]
    await tap(alice, "Woodblock wave")
    [job] = job_service.jobs
    assert job.options == styles["wave"], "what is seen is what will come"


async def test_another_look_is_tried_anew_and_an_old_one_is_not(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_photo(photo())
    gallery = await alice.wait_for(is_gallery)
    first = await replaced(alice, file_ids(gallery))
    await tap(alice, OPTIONS)
    await tap(alice, "Strength")
    await tap(alice, "strong")
    assert len(job_service.tried) == 1
    await tap(alice, BACK)
    await replaced(alice, file_ids(gallery) | {first})
    (_, before), (_, after) = job_service.tried
    assert after["wave"].style_weight > before["wave"].style_weight
    await tap(alice, OPTIONS)
    await tap(alice, BACK)
    assert len(job_service.tried) == 2


async def test_the_next_gallery_for_a_photo_has_its_sheet_at_once(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_photo(photo())
    gallery = await alice.wait_for(is_gallery)
    own = await replaced(alice, file_ids(gallery))
    await alice.send_text("/styles")
    again = await alice.wait_for(lambda m: is_gallery(m) and m.message_id != gallery.message_id)
    assert own in file_ids(again)
    assert len(job_service.tried) == 1


async def test_where_there_is_no_time_the_presets_stay(
    alice: Person, job_service: RecordingJobService
) -> None:
    job_service.thumbnail = None
    await alice.send_photo(photo())
    gallery = await alice.wait_for(is_gallery)
    await alice.send_text("/help")
    await alice.wait_for(says("/styles"))
    shown = next(m for m in alice.messages() if m.message_id == gallery.message_id)
    assert file_ids(shown) == file_ids(gallery)


@pytest.mark.parametrize("how", ["tap", "cancel", "options"])
async def test_what_nobody_waits_for_is_dropped(
    alice: Person, job_service: RecordingJobService, how: str
) -> None:
    job_service.may_answer.clear()
    await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    if how == "tap":
        await tap(alice, "Woodblock wave")
    elif how == "options":
        await tap(alice, OPTIONS)
    else:
        await tap(alice, "Cancel")
    assert (len(job_service.tried), job_service.dropped) == (1, 1)


async def test_without_a_photo_nothing_is_tried(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_text("/styles")
    await alice.wait_for(is_gallery)
    assert job_service.tried == []


@pytest.mark.parametrize(
    "settings", [Settings.model_validate({"painting": {"try_styles": "never"}})]
)
async def test_the_settings_turn_it_off(alice: Person, job_service: RecordingJobService) -> None:
    await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    await tap(alice, "Cancel")
    assert job_service.tried == []


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        (Settings(), 0),
        (Settings.model_validate({"painting": {"try_styles": "always"}}), 1),
    ],
)
async def test_in_groups_it_is_off_unless_the_settings_turn_it_on(
    playground: Playground, bot: Bot, job_service: RecordingJobService, count: int
) -> None:
    async with Person(playground.url, 1, "Alice", "en", group=5) as alice:
        sent = await alice.send_photo(photo())
        await alice.send_text("/style", reply_to=sent.message_id)
        await alice.wait_for(is_gallery)
        await tap(alice, "Cancel")
    assert len(job_service.tried) == count


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (320, 40), (64, 64)])
def test_a_sheet_is_as_wide_as_that_of_the_presets(
    presets: list[StylePreset], size: tuple[int, int]
) -> None:
    page = GalleryPage(presets=presets, first_number=1, page=0, pages=1)
    pictures = {preset.name: photo("red", size) for preset in presets}
    sheet = Image.open(io.BytesIO(own_sheet(page, pictures, "en")))
    usual = Image.open(io.BytesIO(gallery_sheet(presets, "en")))
    assert sheet.width == usual.width
    assert 0.5 < sheet.height / usual.height < 1.5
