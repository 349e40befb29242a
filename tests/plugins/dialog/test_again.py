"""What can be done with a finished picture, without sending anything again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram import Bot

from impasto.jobs.job import Job, JobState
from impasto.messages import Progress
from impasto_dialog.looks import STYLE_WEIGHTS, Strength
from impasto_dialog.presenter import DialogPresenter
from impasto_playground import Person, Playground

from .dialog_kit import RecordingJobService, photo, says, show, start_job, tap
from .test_options import WEIGHT


@pytest.fixture
async def job(alice: Person, bot: Bot, job_service: RecordingJobService, tmp_path: Path) -> Job:
    """A painted job of hers whose message is in the chat."""
    begun = await start_job(alice, job_service)
    result = tmp_path / "result.jpg"
    result.write_bytes(photo("navy"))
    done = await job_service.change(begun, state=JobState.DELIVERED, result=result)
    await show(bot, done, DialogPresenter(job_service.presets).painted(done))
    await alice.wait_for(says("✨ Painted"))
    return done


@pytest.mark.parametrize(
    ("button", "factor", "keep_colors"),
    [
        ("Stronger", STYLE_WEIGHTS[Strength.STRONG], False),
        ("Weaker", STYLE_WEIGHTS[Strength.SUBTLE], False),
        ("My colors", STYLE_WEIGHTS[Strength.BALANCED], True),
    ],
)
async def test_the_same_photo_a_little_different(
    alice: Person,
    job_service: RecordingJobService,
    job: Job,
    button: str,
    factor: float,
    keep_colors: bool,
) -> None:
    assert (await tap(alice, button)).text == "I’m painting it again."
    again = job_service.jobs[1]
    assert (again.content, again.styles) == (job.content, job.styles)
    assert again.options.style_weight == pytest.approx(WEIGHT * factor)
    assert again.options.keep_colors is keep_colors


async def test_what_was_kept_small_is_painted_in_full_size(
    alice: Person, bot: Bot, job_service: RecordingJobService
) -> None:
    begun = await start_job(alice, job_service)
    done = await job_service.change(begun, state=JobState.DELIVERED, reduced_for_time=True)
    presenter = DialogPresenter(job_service.presets)
    await show(bot, done, presenter.painted(done))
    await alice.wait_for(says("I kept it small"))
    assert (await tap(alice, "Larger")).text == "I’m painting it again."
    again = job_service.jobs[1]
    assert (again.content, again.styles) == (begun.content, begun.styles)
    assert again.options == begun.options.model_copy(update={"patient": True})
    assert "full size" in presenter.painted(again).text


async def test_a_second_tap_in_a_row_is_no_second_picture(
    alice: Person, job_service: RecordingJobService, job: Job
) -> None:
    taps = [await alice.tap("Stronger") for _ in range(2)]
    answers = [(await alice.answer_to(query)).text for query in taps]
    assert answers == ["I’m painting it again.", "I’m already on it!"]
    assert len(job_service.jobs) == 2


async def test_the_picture_becomes_a_style(
    alice: Person, job_service: RecordingJobService, job: Job
) -> None:
    await job_service.change(job, photo_id="the painting")
    await tap(alice, "Use as a style")
    await alice.wait_for(says("A beautiful style! Now send me the photo"))
    await alice.send_photo(photo("green"))
    again = (await job_service.wait_for_jobs(2))[1]
    assert again.styles[0].picture is not None
    assert again.styles[0].picture.file_id == "the painting"
    assert again.content != job.content


async def test_a_picture_that_the_journal_does_not_know_is_taken_from_its_message(
    alice: Person, job_service: RecordingJobService, job: Job
) -> None:
    await tap(alice, "Use as a style")
    await alice.wait_for(says("A beautiful style!"))
    await alice.send_photo(photo("green"))
    assert (await job_service.wait_for_jobs(2))[1].styles[0].picture is not None


async def test_the_file_of_full_quality_is_sent_and_then_known_to_telegram(
    alice: Person, job_service: RecordingJobService, job: Job
) -> None:
    assert job.result is not None
    await tap(alice, "As a file")
    sent = await alice.wait_for(lambda m: m.document)
    assert sent.document is not None
    assert sent.document.file_name == "impasto-wave.jpg"
    assert sent.caption == "💾 🎨 Woodblock wave, in full quality"
    assert await alice.download(sent.document.file_id) == job.result.read_bytes()
    job.result.unlink()
    await tap(alice, "As a file")
    again = await alice.wait_for(lambda m: m.document, after=sent.message_id)
    assert again.document is not None
    assert again.document.file_id == sent.document.file_id


async def test_a_file_that_is_gone_is_said_to_be(
    alice: Person, job_service: RecordingJobService, job: Job
) -> None:
    assert job.result is not None
    job.result.unlink()
    answer = await tap(alice, "As a file")
    assert answer.show_alert
    assert "this one is gone" in (answer.text or "")


async def test_a_file_on_another_machine_is_sent_from_there(
    alice: Person, job_service: RecordingJobService, job: Job
) -> None:
    assert job.result is not None
    job.result.unlink()
    job_service.is_file_elsewhere = True
    answer = await tap(alice, "As a file")
    assert not answer.show_alert
    [(wanted, caption)] = job_service.files_wanted
    assert wanted == job.id
    assert caption


async def test_stop_and_keep_is_asked_of_the_job_service(
    alice: Person, bot: Bot, job_service: RecordingJobService
) -> None:
    begun = await start_job(alice, job_service)
    await show(bot, begun, DialogPresenter(job_service.presets).waiting(begun, 0, None))
    await alice.wait_for(says("start in a moment"))
    with pytest.raises(Exception, match="no button"):
        alice.find_button("Stop and keep this")
    running = await job_service.move(begun, JobState.RUNNING)
    keyboard_of = DialogPresenter(job_service.presets).painting(running, half_way(running))
    await show(bot, running, keyboard_of)
    await alice.wait_for(says("50%"))
    assert "get it as it is" in ((await tap(alice, "Stop and keep this")).text or "")
    assert job_service.hurried == [begun.id]
    await job_service.move(running, JobState.DELIVERED)
    answer = await tap(alice, "Stop and keep this")
    assert answer.text == "This picture is no longer being painted."


def half_way(job: Job) -> Progress:
    return Progress(
        job_id=job.id,
        step=5,
        steps=10,
        level=1,
        levels=2,
        share=0.5,
        pixels=120_000,
        seconds=4,
        seconds_left=4,
    )


class TestInAGroup:
    @pytest.fixture
    async def group(self, playground: Playground, bot: Bot) -> AsyncIterator[tuple[Person, Person]]:
        async with (
            Person(playground.url, 1, "Alice", "en", group=5) as alice,
            Person(playground.url, 2, "Bob", "en", group=5) as bob,
        ):
            yield alice, bob

    async def test_somebody_elses_photo_is_painted_on_request(
        self, group: tuple[Person, Person], job_service: RecordingJobService
    ) -> None:
        alice, bob = group
        sent = await bob.send_photo(photo())
        await alice.send_text("/style", reply_to=sent.message_id)
        gallery = await alice.wait_for(says("Alice, which style"))
        assert gallery.reply_to_message is not None
        assert gallery.reply_to_message.message_id == sent.message_id
        assert "My own style" not in str(gallery.reply_markup)
        not_hers = await tap(bob, "Starry night", gallery.message_id)
        assert "belongs to somebody else" in (not_hers.text or "")
        assert job_service.jobs == []
        await tap(alice, "Starry night", gallery.message_id)
        [job] = job_service.jobs
        assert (job.person, job.chat, job.reply_to) == (1, -5, sent.message_id)
        assert [m.message_id for m in alice.from_bot()] == [], "the gallery has served"

    async def test_the_buttons_of_a_picture_are_its_owners(
        self, group: tuple[Person, Person], bot: Bot, job_service: RecordingJobService
    ) -> None:
        alice, bob = group
        sent = await alice.send_photo(photo())
        await alice.send_text("/style wave", reply_to=sent.message_id)
        [job] = await job_service.wait_for_jobs(1)
        done = await job_service.move(job, JobState.DELIVERED)
        message = await show(bot, done, DialogPresenter(job_service.presets).painted(done))
        await bob.wait_for(says("✨ Painted"))
        for button in ("Stronger", "Another style", "As a file"):
            answer = await tap(bob, button, message)
            assert "belongs to somebody else" in (answer.text or "")
        assert len(job_service.jobs) == 1
        assert len(bob.from_bot()) == 1, "nothing was said for it"
        await tap(alice, "Stronger", message)
        assert [job.chat for job in job_service.jobs] == [-5, -5]
