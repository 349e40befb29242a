"""The studio: what dialog handlers may ask for, and what it must refuse."""

from __future__ import annotations

import asyncio

import pytest

from impasto.contracts import PaintOptions, StylePreset
from impasto.errors import TooManyJobs
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.jobs.ledger import Ledger
from impasto.jobs.studio import Studio, handling_update

from .jobs_bench import Reports, Tickets, state_of

PHOTO = TelegramPicture(file_id="photo")
STYLE = ChosenStyle(preset="wave")


async def accepted(studio: Studio, person: int = 1) -> Job:
    return await studio.accept(
        person=person, chat=person, language="en", content=PHOTO, styles=[STYLE]
    )


async def test_an_accepted_job_is_written_announced_and_queued(
    studio: Studio, ledger: Ledger, reports: Reports, tickets: Tickets
) -> None:
    options = PaintOptions(keep_colors=True)
    job = await studio.accept(
        person=1, chat=2, language="ru", content=PHOTO, styles=[STYLE], options=options
    )
    assert await ledger.journal.get(job.id) == job
    assert (job.person, job.chat, job.language, job.options) == (1, 2, "ru", options)
    assert reports.announced == [job.id]
    assert tickets.taken == [job.id]


async def test_a_person_may_have_so_many_jobs(studio: Studio) -> None:
    jobs = [await accepted(studio) for _ in range(3)]
    with pytest.raises(TooManyJobs) as caught:
        await accepted(studio)
    assert (caught.value.code, caught.value.facts) == ("too_many_jobs", {"limit": 3})
    await accepted(studio, person=2)
    await studio.cancel(jobs[0].id, 1)
    await accepted(studio)


async def test_the_limit_holds_for_what_is_accepted_at_once(studio: Studio) -> None:
    results = await asyncio.gather(*(accepted(studio) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(result, Job) for result in results) == 3


async def test_a_replayed_update_leads_to_the_same_jobs(
    studio: Studio, reports: Reports, tickets: Tickets
) -> None:
    with handling_update(7):
        first = [await accepted(studio), await accepted(studio)]
    with handling_update(7):
        again = [await accepted(studio), await accepted(studio)]
    assert [job.id for job in again] == [job.id for job in first]
    assert len({job.id for job in first}) == 2
    with handling_update(8):
        assert (await accepted(studio)).id not in {job.id for job in first}


async def test_a_task_of_a_handler_belongs_to_its_update(studio: Studio) -> None:
    with handling_update(7):
        first = await asyncio.create_task(accepted(studio))
    with handling_update(7):
        again = await asyncio.create_task(accepted(studio))
    assert again.id == first.id


async def test_a_replay_does_not_announce_what_is_over(
    studio: Studio, ledger: Ledger, reports: Reports, tickets: Tickets
) -> None:
    with handling_update(7):
        job = await accepted(studio)
    await studio.cancel(job.id, 1)
    with handling_update(7):
        assert (await accepted(studio)).state is JobState.CANCELLED
    assert reports.announced == tickets.taken == [job.id]


async def test_only_the_owner_sees_and_cancels_a_job(studio: Studio, ledger: Ledger) -> None:
    job = await accepted(studio)
    assert await studio.job(job.id, person=2) is None
    assert await studio.cancel(job.id, person=2) is None
    assert await state_of(ledger, job) is JobState.ACCEPTED
    assert await studio.job(job.id, person=1) == job
    assert [own.id for own in await studio.jobs_of(1)] == [job.id]
    assert await studio.jobs_of(2) == []


async def test_wishes_and_what_is_answered_stay_with_the_job(studio: Studio) -> None:
    job = await studio.accept(
        person=1,
        chat=-5,
        language="en",
        content=PHOTO,
        styles=[STYLE],
        wishes={"brush": "fine", "keep": True},
        reply_to=77,
    )
    stored = await studio.job(job.id, person=1)
    assert stored is not None
    assert (stored.wishes, stored.reply_to) == ({"brush": "fine", "keep": True}, 77)
    await studio.keep_file_id(stored, "document")
    kept = await studio.job(job.id, person=1)
    assert kept is not None
    assert kept.file_id == "document"


async def test_cancelling_is_told_once(studio: Studio, reports: Reports) -> None:
    job = await accepted(studio)
    cancelled = await studio.cancel(job.id, 1)
    assert cancelled is not None
    assert cancelled.state is JobState.CANCELLED
    assert await studio.cancel(job.id, 1) is None
    assert reports.ended == [cancelled]


async def test_a_painted_job_cannot_be_cancelled(studio: Studio, ledger: Ledger) -> None:
    job = await accepted(studio)
    await ledger.claim()
    await ledger.move(job.id, JobState.PAINTED)
    assert await studio.cancel(job.id, 1) is None
    assert await state_of(ledger, job) is JobState.PAINTED


def test_presets_by_name(studio: Studio, preset: StylePreset) -> None:
    assert studio.presets == (preset,)
    assert studio.preset("wave") is preset
    assert studio.preset("of an old message") is None
