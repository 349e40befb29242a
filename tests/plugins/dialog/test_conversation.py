"""Every way from a photo and a style to a job, as a person in a chat goes it."""

from __future__ import annotations

import asyncio

import pytest

from impasto.errors import TooManyJobs
from impasto.jobs.job import ChosenStyle, JobState
from impasto_playground import Person

from .dialog_kit import RecordingJobService, file_ids, is_gallery, photo, says, tap


async def test_a_photo_then_a_tap_is_a_job(alice: Person, job_service: RecordingJobService) -> None:
    sent = await alice.send_photo(photo())
    gallery = await alice.wait_for(is_gallery)
    assert "Which style" in (gallery.caption or "")
    answer = await tap(alice, "2")
    assert not answer.show_alert
    [job] = job_service.jobs
    assert (job.person, job.chat, job.language) == (1, 1, "en")
    assert job.content.file_id == sent.photo[-1].file_id
    assert job.styles == (ChosenStyle(preset="wave"),)
    assert gallery.message_id not in [m.message_id for m in alice.messages()], "it has served"


async def test_the_largest_size_is_painted(alice: Person, job_service: RecordingJobService) -> None:
    sent = await alice.send_photo(photo(size=(1600, 1200)))
    await alice.wait_for(is_gallery)
    await tap(alice, "Starry night")
    largest = max(sent.photo, key=lambda size: size.width)
    assert job_service.jobs[0].content.file_id == largest.file_id


async def test_an_image_file_is_a_photo_too(
    alice: Person, job_service: RecordingJobService
) -> None:
    sent = await alice.send_document(photo(), "holiday.jpg")
    await alice.wait_for(is_gallery)
    await tap(alice, "Stained glass")
    [job] = job_service.jobs
    assert (job.content.file_id, job.content.as_photo) == (sent.document.file_id, False)


async def test_the_second_of_two_taps_is_answered_and_no_second_job(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_photo(photo())
    gallery = await alice.wait_for(is_gallery)
    taps = [alice.tap("1", gallery.message_id) for _ in range(2)]
    answers = [await alice.answer_to(query) for query in await asyncio.gather(*taps)]
    assert {answer.text for answer in answers} == {None, "I’m already on it!"}
    assert len(job_service.jobs) == 1


async def test_a_picture_of_ones_own_as_style(
    boris: Person, job_service: RecordingJobService
) -> None:
    content = await boris.send_photo(photo("red"))
    await boris.wait_for(is_gallery)
    await boris.tap("Свой стиль")
    await boris.wait_for(says("Пришлите картинку, стиль которой"))
    style = await boris.send_photo(photo("blue"))
    [job] = await job_service.wait_for_jobs(1)
    assert job.content.file_id in file_ids(content)
    assert job.styles[0].picture.file_id in file_ids(style)
    assert job.language == "ru"


async def test_the_style_first(alice: Person, job_service: RecordingJobService) -> None:
    await alice.send_text("/styles")
    await alice.wait_for(says("These are my styles"))
    await tap(alice, "Stained glass")
    await alice.wait_for(says("Stained glass it is!"))
    assert (await tap(alice, "Stained glass")).text
    await tap(alice, "Starry night")
    await alice.wait_for(says("Starry night it is!"))
    await alice.send_photo(photo())
    [job] = await job_service.wait_for_jobs(1)
    assert job.styles == (ChosenStyle(preset="night"),), "the last one that was tapped"
    await alice.wait_until(lambda: not any(is_gallery(m) for m in alice.from_bot()))


async def test_an_own_style_first(alice: Person, job_service: RecordingJobService) -> None:
    await alice.send_text("/styles")
    await alice.wait_for(is_gallery)
    await alice.tap("My own style")
    await alice.wait_for(says("First send me the picture whose style"))
    style = await alice.send_photo(photo("blue"))
    await alice.wait_for(says("A beautiful style!"))
    content = await alice.send_document(photo("red"), "me.png")
    [job] = await job_service.wait_for_jobs(1)
    assert job.content.file_id == content.document.file_id
    assert job.styles[0].picture.file_id in file_ids(style)


@pytest.mark.parametrize(
    "caption",
    ["wave", "/style wave", "Woodblock Wave!", "ВОЛНА, ГРАВЮРА", "in style woodblock wave please"],
)
async def test_a_caption_that_names_a_style_starts_at_once(
    alice: Person, job_service: RecordingJobService, caption: str
) -> None:
    await alice.send_photo(photo(), caption)
    [job] = await job_service.wait_for_jobs(1)
    assert job.styles == (ChosenStyle(preset="wave"),)
    assert alice.from_bot() == [], "the job's own message says the rest"


async def test_any_other_caption_leaves_the_choice(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_photo(photo(), "A night in Paris")
    await alice.wait_for(is_gallery)
    assert job_service.jobs == []


@pytest.mark.parametrize(
    "text", ["2", "woodblock wave", " Волна, гравюра. ", "/style wave", "/style 2"]
)
async def test_a_style_can_be_written(
    alice: Person, job_service: RecordingJobService, text: str
) -> None:
    await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    await alice.send_text(text)
    [job] = await job_service.wait_for_jobs(1)
    assert job.styles == (ChosenStyle(preset="wave"),)


async def test_a_misspelt_caption_is_asked_about(
    alice: Person, job_service: RecordingJobService
) -> None:
    sent = await alice.send_photo(photo(), "woodblok wave")
    asked = await alice.wait_for(says("Did you mean 🎨 Woodblock wave?"))
    await tap(alice, "Yes")
    [job] = job_service.jobs
    assert job.styles == (ChosenStyle(preset="wave"),)
    assert job.content.file_id in file_ids(sent)
    assert asked.message_id not in [m.message_id for m in alice.messages()], "it has served"


async def test_a_misspelt_text_is_asked_about_and_may_mean_another(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_text("stainde glas")
    await alice.wait_for(says("Did you mean 🎨 Stained glass?"))
    await tap(alice, "Yes")
    await alice.wait_for(says("Stained glass it is!"))
    sent = await alice.send_photo(photo())
    [first] = await job_service.wait_for_jobs(1)
    assert first.styles == (ChosenStyle(preset="glass"),)
    sent = await alice.send_photo(photo("red"))
    gallery = await alice.wait_for(is_gallery)
    await alice.send_text("stary night")
    await alice.wait_for(says("Did you mean 🎨 Starry night?"))
    assert gallery.message_id not in [m.message_id for m in alice.messages()]
    await tap(alice, "See the styles")
    await alice.wait_for(says("Which style shall I paint it in?"))
    await tap(alice, "Woodblock wave")
    second = job_service.jobs[1]
    assert second.styles == (ChosenStyle(preset="wave"),)
    assert second.content.file_id in file_ids(sent)


async def test_a_new_photo_replaces_the_first_and_says_so(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_photo(photo("red"))
    old = await alice.wait_for(is_gallery)
    second = await alice.send_photo(photo("blue"))
    new = await alice.wait_for(says("instead of the last one"))
    assert old.message_id not in [m.message_id for m in alice.messages()]
    await tap(alice, "Starry night", new.message_id)
    assert [job.content.file_id in file_ids(second) for job in job_service.jobs] == [True]


async def test_both_pictures_in_one_album(alice: Person, job_service: RecordingJobService) -> None:
    content, style, *_ = await alice.send_album([photo("red"), photo("blue"), photo("green")])
    await alice.wait_for(says("the first is your photo, the second is the style"))
    await alice.send_text("/status")
    await alice.wait_for(says("Your pictures in progress"))
    [job] = job_service.jobs
    assert job.content.file_id in file_ids(content)
    assert job.styles[0].picture.file_id in file_ids(style)
    assert not any(is_gallery(m) for m in alice.versions()), "nobody was asked for a style"


@pytest.mark.parametrize("album_wait_s", [0])
async def test_an_album_whose_second_picture_comes_late(
    alice: Person, job_service: RecordingJobService
) -> None:
    content, _ = await alice.send_album([photo("red"), photo("blue")])
    [job] = await job_service.wait_for_jobs(1)
    assert job.content.file_id in file_ids(content)
    await alice.send_text("/help")
    await alice.wait_for(says("How it works"))
    # The question may be on its way when the second picture comes: then it is taken back.
    await alice.wait_until(lambda: not any(is_gallery(m) for m in alice.from_bot()))


async def test_an_album_with_a_named_style_is_painted_whole(
    alice: Person, job_service: RecordingJobService
) -> None:
    sent = await alice.send_album([photo("red"), photo("blue")], "wave")
    jobs = await job_service.wait_for_jobs(2)
    assert [job.styles for job in jobs] == [(ChosenStyle(preset="wave"),)] * 2
    assert all(
        job.content.file_id in file_ids(message) for job, message in zip(jobs, sent, strict=True)
    )


async def test_an_album_for_a_chosen_style_stops_at_the_limit(
    alice: Person, job_service: RecordingJobService
) -> None:
    job_service.limit = 2
    await alice.send_text("/styles")
    await alice.wait_for(is_gallery)
    await tap(alice, "Starry night")
    await alice.send_album([photo(color) for color in ("red", "blue", "green", "white")])
    await job_service.wait_for_jobs(2)
    await alice.wait_for(says("more pictures from you right now"))
    await alice.send_text("/help")
    await alice.wait_for(says("How it works"))
    assert len(job_service.jobs) == 2
    assert sum(says("more pictures from you")(m) for m in alice.from_bot()) == 1, "said once"


async def test_too_many_jobs_keeps_photo_and_style(
    alice: Person, job_service: RecordingJobService
) -> None:
    job_service.limit = 1
    await alice.send_photo(photo(), "wave")
    await job_service.wait_for_jobs(1)
    second = await alice.send_photo(photo("blue"), "night")
    await alice.wait_for(says("more pictures from you right now"))
    await tap(alice, "Try again")
    assert len(job_service.jobs) == 1
    await job_service.move(job_service.jobs[0], JobState.CANCELLED)
    await tap(alice, "Try again")
    assert job_service.jobs[1].styles == (ChosenStyle(preset="night"),)
    assert job_service.jobs[1].content.file_id in file_ids(second)


@pytest.mark.parametrize(
    ("code", "facts", "sentence"),
    [
        ("too_many_this_hour", {"limit": 5, "seconds": 700}, "Come back in about 12 minutes."),
        ("too_many_waiting", {"seconds": 20}, "Come back in about 20 seconds."),
        ("too_many_waiting", {}, "Come back a little later."),
        ("of_another_plugin", {}, "Not on Sundays & Mondays."),
    ],
)
async def test_a_refusal_says_when_to_come_back(
    alice: Person, job_service: RecordingJobService, code: str, facts: dict[str, int], sentence: str
) -> None:
    job_service.refusal = TooManyJobs(code, "Not on Sundays & Mondays.", **facts)
    await alice.send_photo(photo(), "wave")
    refused = await alice.wait_for(says(sentence))
    job_service.refusal = None
    await tap(alice, "Try again", refused.message_id)
    assert len(await job_service.wait_for_jobs(1)) == 1


async def test_another_picture_can_be_started_while_one_is_painted(
    alice: Person, job_service: RecordingJobService
) -> None:
    for count in (1, 2):
        after = max((m.message_id for m in alice.messages()), default=0)
        await alice.send_photo(photo())
        gallery = await alice.wait_for(is_gallery, after=after)
        await tap(alice, "Starry night", gallery.message_id)
        assert len(job_service.jobs) == count


async def test_people_do_not_get_in_each_others_way(
    alice: Person, boris: Person, job_service: RecordingJobService
) -> None:
    hers = await alice.send_photo(photo("red"))
    his = await boris.send_photo(photo("blue"))
    await alice.wait_for(is_gallery)
    await boris.wait_for(is_gallery)
    await tap(boris, "Витраж")
    await tap(alice, "Starry night")
    by_person = {job.person: job for job in job_service.jobs}
    assert by_person[1].content.file_id in file_ids(hers)
    assert by_person[2].content.file_id in file_ids(his)


async def test_the_gallery_is_uploaded_once(alice: Person, boris: Person) -> None:
    galleries = []
    for person in (alice, alice, boris):
        after = max((m.message_id for m in person.messages()), default=0)
        await person.send_text("/styles")
        galleries.append(await person.wait_for(is_gallery, after=after))
    first, again, in_russian = map(file_ids, galleries)
    assert first == again
    assert first != in_russian, "titles are on it"


async def test_no_presets_leaves_ones_own_style(
    alice: Person, job_service: RecordingJobService
) -> None:
    job_service.presets = ()
    await alice.send_photo(photo())
    await alice.wait_for(says("I have no styles of my own here"))
    await tap(alice, "My own style")
    await alice.send_photo(photo("blue"))
    await job_service.wait_for_jobs(1)
