"""What can be done with a job: stop it, list it, paint its photo in another style, try again."""

from __future__ import annotations

import asyncio

import pytest
from aiogram import Bot

from impasto.jobs.job import ChosenStyle, JobState
from impasto.jobs.service import Outlook
from impasto.messages import Failure
from impasto_dialog.presenter import DialogPresenter
from impasto_playground import Person

from .dialog_kit import RecordingJobService, is_gallery, photo, says, show, start_job, tap


@pytest.fixture
def presenter(job_service: RecordingJobService) -> DialogPresenter:
    return DialogPresenter(job_service.presets)


async def test_stop_by_the_button_of_the_status_message(
    alice: Person, bot: Bot, job_service: RecordingJobService, presenter: DialogPresenter
) -> None:
    job = await start_job(alice, job_service)
    await show(bot, job, presenter.waiting(job, 0, None))
    await alice.wait_for(says("Woodblock wave"))
    assert (await tap(alice, "Cancel")).text == "Stopped."
    assert job_service.jobs[0].state is JobState.CANCELLED
    answer = await tap(alice, "Cancel")
    assert answer.text == "This picture is no longer being painted."


async def test_nobody_stops_or_sees_the_job_of_another(
    alice: Person,
    boris: Person,
    bot: Bot,
    job_service: RecordingJobService,
    presenter: DialogPresenter,
) -> None:
    job = await start_job(alice, job_service)
    forwarded = job.model_copy(update={"chat": boris.user_id})
    await boris.send_text("/help")
    await boris.wait_for(says("Как это работает"))
    await show(bot, forwarded, presenter.waiting(job, 0, None))
    await boris.wait_for(says("Woodblock wave"))
    await tap(boris, "Cancel")
    assert job_service.jobs[0].state is JobState.ACCEPTED
    await show(bot, forwarded, presenter.painted(job))
    await boris.wait_for(says("✨ Painted"))
    assert (await tap(boris, "Another style")).text
    await boris.wait_for(says("Вот мои стили"))
    await tap(boris, "Витраж")
    assert len(job_service.jobs) == 1, "her photo is not his"


@pytest.mark.parametrize("count", [1, 2])
async def test_cancel_stops_what_is_painted_when_no_dialog_is_open(
    boris: Person, job_service: RecordingJobService, count: int
) -> None:
    for _ in range(count):
        await start_job(boris, job_service)
    await boris.send_text("/cancel")
    words = {1: "остановил 1 картину.", 2: "остановил 2 картины."}
    await boris.wait_for(says(words[count]))
    assert {job.state for job in job_service.jobs} == {JobState.CANCELLED}


async def test_cancel_closes_the_dialog_first(
    alice: Person, job_service: RecordingJobService
) -> None:
    await start_job(alice, job_service)
    await alice.send_photo(photo())
    await alice.wait_for(is_gallery)
    await alice.send_text("/cancel")
    await alice.wait_for(says("All right, cancelled"))
    assert job_service.jobs[0].state is JobState.ACCEPTED
    assert not any(is_gallery(message) for message in alice.from_bot())
    await alice.send_text("/cancel")
    await alice.wait_for(says("I stopped painting 1 picture."))
    await alice.send_text("/cancel")
    await alice.wait_for(says("There is nothing to cancel"))


async def test_status_lists_jobs_and_stops_them(
    alice: Person, job_service: RecordingJobService
) -> None:
    await alice.send_text("/status")
    await alice.wait_for(says("Nothing of yours is being painted"))
    first = await start_job(alice, job_service, "wave")
    second = await start_job(alice, job_service, "night")
    await start_job(alice, job_service, "glass")
    await job_service.move(first, JobState.RUNNING)
    job_service.outlooks = {
        first.id: Outlook(ahead=0, share=0.428, seconds_left=17.0),
        second.id: Outlook(ahead=1, share=0.0, seconds_left=41.0),
    }
    await alice.send_text("/status")
    shown = await alice.wait_for(says("Your pictures in progress"))
    assert shown.text.splitlines()[1:] == [
        "🖌 1. 🎨 Woodblock wave: 42% · ⏱ about 20 seconds left",
        "⏳ 2. 🎨 Starry night: 1 picture ahead · ⏱ ready in about 50 seconds",
        "⏳ 3. 🎨 Stained glass: next in line",
    ]
    await tap(alice, "Cancel 2")
    assert [job.state for job in job_service.jobs][:2] == [JobState.RUNNING, JobState.CANCELLED]


async def test_another_style_needs_no_second_upload(
    alice: Person, bot: Bot, job_service: RecordingJobService, presenter: DialogPresenter
) -> None:
    job = await start_job(alice, job_service)
    job = await job_service.move(job, JobState.DELIVERED)
    await show(bot, job, presenter.painted(job))
    await alice.wait_for(says("✨ Painted"))
    await tap(alice, "Another style")
    gallery = await alice.wait_for(says("The same photo, another style"))
    await tap(alice, "Starry night", gallery.message_id)
    assert job_service.jobs[1].content == job.content
    assert job_service.jobs[1].styles == (ChosenStyle(preset="night"),)


async def test_try_again_paints_the_same_once(
    alice: Person, bot: Bot, job_service: RecordingJobService, presenter: DialogPresenter
) -> None:
    job_service.limit = 1
    job = await start_job(alice, job_service)
    failed = job.model_copy(
        update={"failure": Failure(code="painting_failed", sentence="It failed.")}
    )
    message = await show(bot, failed, presenter.failed(failed))
    await alice.wait_for(says("Something went wrong while I painted"))
    answer = await tap(alice, "Try again")
    assert answer.show_alert
    assert "more pictures from you" in (answer.text or "")
    await job_service.move(job, JobState.EXPLAINED)
    job_service.limit = 5
    taps = [alice.tap("Try again", message) for _ in range(2)]
    answers = [await alice.answer_to(query) for query in await asyncio.gather(*taps)]
    assert {answer.text for answer in answers} == {"I’m painting it again.", "I’m already on it!"}
    assert len(job_service.jobs) == 2
    assert (job_service.jobs[1].content, job_service.jobs[1].styles) == (job.content, job.styles)
    shown = next(m for m in alice.from_bot() if m.message_id == message)
    assert [b.text for row in shown.reply_markup.inline_keyboard for b in row] == [
        "🎨 Another style"
    ]


async def test_buttons_of_a_job_that_is_forgotten_offer_the_gallery(
    alice: Person, bot: Bot, job_service: RecordingJobService, presenter: DialogPresenter
) -> None:
    job = await start_job(alice, job_service)
    failed = job.model_copy(update={"failure": Failure(code="plugin_failed", sentence="")})
    await show(bot, failed, presenter.failed(failed))
    await alice.wait_for(says("try another style, or try again later"))
    job_service.jobs = []
    for button in ("Try again", "Another style"):
        after = alice.messages()[-1].message_id
        answer = await tap(alice, button)
        assert answer.text == "This button no longer works. Here are the styles."
        await alice.wait_for(says("These are my styles"), after=after)
