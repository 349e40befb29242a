"""What a button does it does for whom it was made; what it carries, others cannot guess or use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiogram import Dispatcher
from aiogram.filters.callback_data import CallbackData
from aiogram.methods import AnswerCallbackQuery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto_dialog import keyboards
from impasto_dialog.keyboards import OfGallery, OfJob

from .dialog_kit import RecordingJobService
from .feeder import FILE, Feeder

HERS = "file of Alice"


def kinds(base: type[CallbackData]) -> Iterator[type[CallbackData]]:
    for kind in vars(keyboards).values():
        if isinstance(kind, type) and issubclass(kind, base) and kind is not base:
            yield kind


@pytest.fixture
async def feeder(dispatcher: Dispatcher) -> AsyncIterator[Feeder]:
    """Eve, whose id is 7."""
    feeder = Feeder(dispatcher)
    yield feeder
    await feeder.bot.session.close()


@pytest.fixture
async def job(job_service: RecordingJobService) -> Job:
    """One of Alice's, whose id is 1."""
    job = await job_service.accept(
        person=1,
        chat=1,
        language="en",
        content=TelegramPicture(file_id=HERS),
        styles=[ChosenStyle(preset="wave")],
    )
    return await job_service.change(job, photo_id=HERS, file_id=HERS)


def test_there_are_buttons_of_jobs() -> None:
    assert len(list(kinds(OfJob))) >= 6


@pytest.mark.parametrize("kind", list(kinds(OfJob)), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.DELIVERED])
@pytest.mark.parametrize("chat", ["private", "group"])
async def test_a_button_of_somebody_elses_job_does_nothing(
    feeder: Feeder,
    job_service: RecordingJobService,
    job: Job,
    kind: type[OfJob],
    state: JobState,
    chat: str,
) -> None:
    job = await job_service.move(job, state)
    where = {"id": 7 if chat == "private" else -100, "type": chat, "title": "A place"}
    await feeder.tap(kind(job=job.id).pack(), {"message_id": 1, "date": 1, "chat": where})
    assert (job_service.jobs, job_service.hurried) == ([job], [])
    assert all(HERS not in repr(method) for method in feeder.session.methods)
    answers = [m for m in feeder.session.methods if isinstance(m, AnswerCallbackQuery)]
    assert len(answers) == 1


@pytest.mark.parametrize("kind", list(kinds(OfGallery)), ids=lambda kind: kind.__name__)
async def test_a_button_of_somebody_elses_gallery_does_nothing(
    feeder: Feeder, dispatcher: Dispatcher, job_service: RecordingJobService, kind: type[OfGallery]
) -> None:
    hers = dispatcher.fsm.get_context(feeder.bot, 1, 1)
    remembered = {"turn": "turn", "content": {"file_id": HERS}, "styles": [{"preset": "wave"}]}
    await hers.set_state("Step:choosing_style")
    await hers.set_data(remembered)
    values = dict.fromkeys(kind.model_fields, 1)
    await feeder.tap(kind.model_validate(values | {"turn": "turn", "preset": "wave"}).pack())
    assert job_service.jobs == []
    assert await hers.get_data() == remembered
    assert all(HERS not in repr(method) for method in feeder.session.methods)


def test_ids_of_jobs_cannot_be_guessed_and_name_nobody() -> None:
    ids = {Job(**fields(person)).id for person in range(1000)}
    assert len(ids) == 1000
    assert {len(job_id) for job_id in ids} == {11}, "64 bits"
    assert len({job_id[0] for job_id in ids}) > 40, "random from the first letter on"


def fields(person: int) -> dict[str, Any]:
    return {
        "person": person,
        "chat": person,
        "content": TelegramPicture(file_id="x"),
        "styles": (ChosenStyle(preset="wave"),),
    }


PARTS = st.lists(st.text(max_size=12) | st.sampled_from(["0", "1", "-1", "wave"]), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(kind=st.sampled_from(list(kinds(CallbackData))), parts=PARTS)
async def test_whatever_a_known_button_carries_is_answered_once(
    feeder: Feeder, kind: type[CallbackData], parts: list[str]
) -> None:
    await feeder.tap(":".join([kind.__prefix__, *parts]))
    answers = [m for m in feeder.session.methods if isinstance(m, AnswerCallbackQuery)]
    assert len(answers) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    caption=st.text(max_size=1024) | st.from_regex(r"/?(style|wave)?[ <>&\"]*\w*", fullmatch=True)
)
async def test_any_caption_and_text_is_answered(feeder: Feeder, caption: str) -> None:
    await feeder.message(photo=[{**FILE, "width": 9, "height": 9}], caption=caption)
    await feeder.message(text=caption or "x")
    assert feeder.session.methods, "nobody is left without an answer"


@pytest.mark.parametrize("named", ["", " wave"])
async def test_who_writes_as_a_group_is_nobody_to_paint_for(
    feeder: Feeder, job_service: RecordingJobService, named: str
) -> None:
    photo = {"photo": [{**FILE, "width": 90, "height": 90}]}
    answered = {"message_id": 900, "date": 1, "chat": {"id": -100, "type": "supergroup"}, **photo}
    hidden = {
        "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"},
        "sender_chat": {"id": -100, "type": "supergroup", "title": "A place"},
    }
    asked = {"text": f"/style{named}", "reply_to_message": answered}
    asked["entities"] = [{"type": "bot_command", "offset": 0, "length": 6}]
    [said] = await feeder.message(chat="supergroup", **asked, **hidden)
    assert "write as yourself" in said
    assert job_service.jobs == []
    await feeder.message(chat="supergroup", **asked)
    assert "write as yourself" not in "".join(feeder.session.texts)
    assert feeder.session.methods or job_service.jobs, "who writes as themselves is served"
