"""The studio: what dialog handlers may ask for, and what it must refuse."""

from __future__ import annotations

import asyncio

import pytest
from aiogram.fsm.storage.base import StorageKey

from impasto.contracts import PaintOptions, StylePreset
from impasto.errors import TooManyJobs
from impasto.jobs.folders import JobFolders
from impasto.jobs.job import ChosenStyle, Effort, Job, JobState, TelegramPicture
from impasto.jobs.ledger import Ledger
from impasto.jobs.limits import Limits
from impasto.jobs.studio import Studio, handling_update, limits_of
from impasto.jobs.worker import Worker
from impasto.settings import QueueSettings, Settings
from impasto_sqlite import SqliteStorage

from .jobs_bench import OWNER, Reports, Tickets, brought_to, job_that, state_of

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


async def test_a_replay_announces_what_a_worker_has_begun_with(
    studio: Studio, ledger: Ledger, reports: Reports, tickets: Tickets
) -> None:
    with handling_update(7):
        job = await accepted(studio)
    await ledger.claim()
    with handling_update(7):
        assert (await accepted(studio)).state is JobState.RUNNING
    assert (reports.announced, tickets.taken) == ([job.id, job.id], [job.id])


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


async def test_cancelling_can_be_repeated(studio: Studio, reports: Reports) -> None:
    job = await accepted(studio)
    cancelled = await studio.cancel(job.id, 1)
    assert cancelled is not None
    assert (cancelled.state, cancelled.is_untold) == (JobState.CANCELLED, True)
    assert await studio.cancel(job.id, 1) == cancelled, "another message may have its button"
    assert reports.ended == [cancelled, cancelled]


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


class TestLimits:
    async def test_of_an_hour_say_when_to_come_back(self, studio: Studio) -> None:
        studio.limits = Limits(hourly=2)
        for _ in range(2):
            await studio.cancel((await accepted(studio)).id, 1)
        with pytest.raises(TooManyJobs) as caught:
            await accepted(studio)
        assert caught.value.code == "too_many_this_hour"
        assert caught.value.facts["limit"] == 2
        assert 3590 <= int(caught.value.facts["seconds"]) <= 3600
        await accepted(studio, person=2)

    async def test_of_all_that_waits_say_when_a_part_of_it_is_painted(
        self, studio: Studio, ledger: Ledger
    ) -> None:
        studio.limits = Limits(waiting=8)
        for person in range(1, 9):
            await accepted(studio, person)
        with pytest.raises(TooManyJobs) as caught:
            await accepted(studio, 10)
        assert (caught.value.code, caught.value.facts) == ("too_many_waiting", {})
        painted = await ledger.claim()
        assert painted is not None
        effort = Effort(pixels=100, steps=10, seconds=30.0, device="cpu")
        await ledger.move(painted.id, JobState.PAINTED, effort=effort)
        await accepted(studio, 10)
        with pytest.raises(TooManyJobs) as caught:
            await accepted(studio, 11)
        assert caught.value.facts == {"seconds": 60}, "a quarter of 8 at 30 s each"

    async def test_are_not_for_owners(self, studio: Studio) -> None:
        studio.limits = Limits(unfinished=1, hourly=1, waiting=1)
        for _ in range(3):
            await accepted(studio, OWNER)
        with pytest.raises(TooManyJobs):
            await accepted(studio, 1)

    def test_a_setting_of_0_is_no_limit(self) -> None:
        queue = QueueSettings(jobs_per_person=4, pictures_per_hour=0, most_waiting=0)
        assert limits_of(queue) == Limits(unfinished=4)
        queue = QueueSettings(jobs_per_person=4, pictures_per_hour=5, most_waiting=6)
        assert limits_of(queue) == Limits(unfinished=4, hourly=5, waiting=6)


class TestForgetting:
    async def test_ends_and_forgets_everything_of_one_person(
        self, studio: Studio, ledger: Ledger, storage: SqliteStorage, reports: Reports
    ) -> None:
        jobs = {state: await brought_to(ledger, state, person=1) for state in JobState}
        other = await accepted(studio, person=2)
        key = StorageKey(bot_id=1, chat_id=-5, user_id=1)
        await storage.dialogue.set_data(key, {"photo": "file"})
        await studio.forget(1)
        for state, job in jobs.items():
            left = await ledger.journal.get(job.id)
            assert left is not None
            assert left == left.forgotten()
            assert left.state.is_final
            assert left.state is state or not state.is_final
            assert await studio.job(job.id, 1) is None, "its buttons are those of no job"
        cancelled = {jobs[JobState.ACCEPTED].id, jobs[JobState.RUNNING].id}
        assert {job.id for job in reports.ended} == cancelled
        assert await studio.jobs_of(1) == []
        assert await studio.job(other.id, 2) == other
        assert await storage.dialogue.get_data(key) == {}

    async def test_leaves_no_picture_on_the_disk(
        self, studio: Studio, ledger: Ledger, settings: Settings, storage: SqliteStorage
    ) -> None:
        folders = JobFolders(settings.state_dir, keep_hours=24)
        ledger.on_forgetting(folders.jobs_forgotten)
        mine = await brought_to(ledger, JobState.DELIVERED, person=1)
        other = await brought_to(ledger, JobState.DELIVERED, person=2)
        for job in (mine, other):
            (await folders.make(job.id) / "content").write_bytes(b"photo")
        await studio.forget(1)
        await asyncio.gather(*folders._removals)
        assert not folders.of(mine.id).exists()
        assert folders.of(other.id).exists()

    async def test_a_picture_of_another_machine_goes_with_its_next_sweep(
        self, studio: Studio, ledger: Ledger, settings: Settings, storage: SqliteStorage
    ) -> None:
        folders = JobFolders(settings.state_dir, keep_hours=24)
        job = await brought_to(ledger, JobState.DELIVERED, person=1)
        await folders.make(job.id)
        await studio.forget(1)
        assert await folders.sweep(storage.journal) == 1

    async def test_does_not_reset_the_limits(self, studio: Studio) -> None:
        studio.limits = Limits(hourly=1)
        await accepted(studio)
        await studio.forget(1)
        with pytest.raises(TooManyJobs):
            await accepted(studio)


async def test_what_is_painted_for_somebody_who_is_forgotten_goes(
    worker: Worker, studio: Studio, ledger: Ledger, reports: Reports, settings: Settings
) -> None:
    job = job_that("until_cancelled")
    await ledger.add(job)
    working = asyncio.create_task(worker.work())
    await reports.until(lambda reports: reports.progressed)
    await studio.forget(job.person)
    assert await working
    assert not (settings.state_dir / "jobs" / job.id).exists()
