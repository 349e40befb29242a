"""A finished picture is put into another chat by its file_id, by the person whose it is."""

from __future__ import annotations

import pytest
from aiogram.types import InlineQueryResultCachedPhoto

from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture

from .dialog_kit import RecordingJobService
from .feeder import Feeder


@pytest.fixture
def job(job_service: RecordingJobService) -> Job:
    done = Job(
        person=7,
        chat=7,
        content=TelegramPicture(file_id="photo"),
        styles=(ChosenStyle(preset="wave"),),
        state=JobState.DELIVERED,
        photo_id="painting",
    )
    job_service.jobs = [done]
    return done


async def test_the_query_of_the_button_gives_the_picture(feeder: Feeder, job: Job) -> None:
    answer = await feeder.inline_query(f" {job.id} ")
    [shared] = answer.results
    assert isinstance(shared, InlineQueryResultCachedPhoto)
    assert (shared.photo_file_id, shared.caption) == ("painting", "🎨 Woodblock wave")
    assert answer.is_personal


@pytest.mark.parametrize("case", ["somebody else's", "unknown", "empty", "not delivered"])
async def test_all_else_gives_the_way_to_the_bot(
    feeder: Feeder, job_service: RecordingJobService, job: Job, case: str
) -> None:
    words, person = job.id, 7
    if case == "somebody else's":
        person = 8
    elif case == "not delivered":
        await job_service.change(job, photo_id=None)
    else:
        words = "" if case == "empty" else "no such job"
    answer = await feeder.inline_query(words, person)
    assert answer.results == []
    assert answer.button is not None
    assert answer.button.start_parameter
    said = await feeder.message(text=f"/start {answer.button.start_parameter}")
    assert "Hello" in said[0]
