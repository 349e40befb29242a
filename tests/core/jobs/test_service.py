"""The job service: what dialog handlers may ask for, and what it must refuse."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiogram.fsm.storage.base import StorageKey

from impasto.contracts import BRUSH_BOUNDS, Limits, PaintOptions, StylePreset
from impasto.errors import TooManyJobs
from impasto.jobs.folders import JobFolders
from impasto.jobs.job import ChosenStyle, Effort, Job, JobState, TelegramPicture
from impasto.jobs.service import JobService, Outlook, handling_update, limits_of
from impasto.jobs.store import JobStore
from impasto.jobs.worker import Worker
from impasto.messages import Progress
from impasto.settings import QueueSettings, Settings
from impasto_sqlite import SqliteStorage

from .jobs_bench import OWNER, CountingQueue, Reports, brought_to, job_that, state_of

PHOTO = TelegramPicture(file_id="photo")
STYLE = ChosenStyle(preset="wave")


async def accepted(job_service: JobService, person: int = 1) -> Job:
    return await job_service.accept(
        person=person, chat=person, language="en", content=PHOTO, styles=[STYLE]
    )


async def test_an_accepted_job_is_written_announced_and_queued(
    job_service: JobService, store: JobStore, reports: Reports, queue: CountingQueue
) -> None:
    options = PaintOptions(keep_colors=True)
    job = await job_service.accept(
        person=1, chat=2, language="ru", content=PHOTO, styles=[STYLE], options=options
    )
    assert await store.journal.get(job.id) == job
    assert (job.person, job.chat, job.language, job.options) == (1, 2, "ru", options)
    assert reports.announced == [job.id]
    assert queue.announced == 1


async def test_without_options_it_is_painted_as_its_presets_recommend(
    job_service: JobService,
) -> None:
    def preset(name: str, strength: float, brush_size: float) -> StylePreset:
        return StylePreset(
            name=name,
            titles={"en": name},
            picture=Path("x.png"),
            credit="",
            licence="",
            strength=strength,
            brush_size=brush_size,
        )

    presets = [preset("bold", 4, 2), preset("plain", 1, 1), preset("huge", 1e30, 1e30)]
    job_service.renew(presets, Limits(), ())
    usual = Settings().painting
    painted = {}
    for names in (("bold",), ("bold", "plain"), ("huge",), ("gone",)):
        styles = [ChosenStyle(preset=name) for name in names]
        job = await job_service.accept(
            person=1, chat=1, language="en", content=PHOTO, styles=styles
        )
        painted[names] = job.options
    weight, brush = usual.style_weight, usual.brush_size
    assert painted["bold",] == PaintOptions(style_weight=4 * weight, brush_size=2 * brush)
    mixed = painted["bold", "plain"]
    assert mixed.style_weight == pytest.approx(2 * weight)
    assert painted["huge",].brush_size == BRUSH_BOUNDS[1]
    assert painted["gone",] == PaintOptions()


async def test_a_person_may_have_so_many_jobs(job_service: JobService) -> None:
    jobs = [await accepted(job_service) for _ in range(3)]
    with pytest.raises(TooManyJobs) as caught:
        await accepted(job_service)
    assert (caught.value.code, caught.value.facts) == ("too_many_jobs", {"limit": 3})
    await accepted(job_service, person=2)
    await job_service.cancel(jobs[0].id, 1)
    await accepted(job_service)


async def test_the_limit_holds_for_what_is_accepted_at_once(job_service: JobService) -> None:
    results = await asyncio.gather(
        *(accepted(job_service) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(result, Job) for result in results) == 3


async def test_a_replayed_update_leads_to_the_same_jobs(
    job_service: JobService, reports: Reports, queue: CountingQueue
) -> None:
    with handling_update(7):
        first = [await accepted(job_service), await accepted(job_service)]
    with handling_update(7):
        again = [await accepted(job_service), await accepted(job_service)]
    assert [job.id for job in again] == [job.id for job in first]
    assert len({job.id for job in first}) == 2
    with handling_update(8):
        assert (await accepted(job_service)).id not in {job.id for job in first}


async def test_a_task_of_a_handler_belongs_to_its_update(job_service: JobService) -> None:
    with handling_update(7):
        first = await asyncio.create_task(accepted(job_service))
    with handling_update(7):
        again = await asyncio.create_task(accepted(job_service))
    assert again.id == first.id


async def test_a_replay_does_not_announce_what_is_over(
    job_service: JobService, store: JobStore, reports: Reports, queue: CountingQueue
) -> None:
    with handling_update(7):
        job = await accepted(job_service)
    await job_service.cancel(job.id, 1)
    with handling_update(7):
        assert (await accepted(job_service)).state is JobState.CANCELLED
    assert (reports.announced, queue.announced) == ([job.id], 1)


async def test_a_replay_announces_what_a_worker_has_begun_with(
    job_service: JobService, store: JobStore, reports: Reports, queue: CountingQueue
) -> None:
    with handling_update(7):
        job = await accepted(job_service)
    await store.claim()
    with handling_update(7):
        assert (await accepted(job_service)).state is JobState.RUNNING
    assert (reports.announced, queue.announced) == ([job.id, job.id], 1)


async def test_only_the_owner_sees_and_cancels_a_job(
    job_service: JobService, store: JobStore
) -> None:
    job = await accepted(job_service)
    assert await job_service.job(job.id, person=2) is None
    assert await job_service.cancel(job.id, person=2) is None
    assert await state_of(store, job) is JobState.ACCEPTED
    assert await job_service.job(job.id, person=1) == job
    assert [own.id for own in await job_service.jobs_of(1)] == [job.id]
    assert await job_service.jobs_of(2) == []


async def test_wishes_and_what_is_answered_stay_with_the_job(job_service: JobService) -> None:
    job = await job_service.accept(
        person=1,
        chat=-5,
        language="en",
        content=PHOTO,
        styles=[STYLE],
        wishes={"brush": "fine", "keep": True},
        reply_to=77,
    )
    stored = await job_service.job(job.id, person=1)
    assert stored is not None
    assert (stored.wishes, stored.reply_to) == ({"brush": "fine", "keep": True}, 77)
    await job_service.keep_file_id(stored, "document")
    kept = await job_service.job(job.id, person=1)
    assert kept is not None
    assert kept.file_id == "document"


async def test_cancelling_can_be_repeated(job_service: JobService, reports: Reports) -> None:
    job = await accepted(job_service)
    cancelled = await job_service.cancel(job.id, 1)
    assert cancelled is not None
    assert (cancelled.state, cancelled.is_untold) == (JobState.CANCELLED, True)
    assert await job_service.cancel(job.id, 1) == cancelled, "another message may have its button"
    assert reports.ended == [cancelled, cancelled]


async def test_a_painted_job_cannot_be_cancelled(job_service: JobService, store: JobStore) -> None:
    job = await accepted(job_service)
    await store.claim()
    await store.move(job.id, JobState.PAINTED)
    assert await job_service.cancel(job.id, 1) is None
    assert await state_of(store, job) is JobState.PAINTED


def test_presets_by_name(job_service: JobService, preset: StylePreset) -> None:
    assert job_service.presets == (preset,)
    assert job_service.preset("wave") is preset
    assert job_service.preset("of an old message") is None


class TestLimits:
    async def test_of_an_hour_say_when_to_come_back(self, job_service: JobService) -> None:
        job_service.limits = Limits(hourly=2)
        for _ in range(2):
            await job_service.cancel((await accepted(job_service)).id, 1)
        with pytest.raises(TooManyJobs) as caught:
            await accepted(job_service)
        assert caught.value.code == "too_many_this_hour"
        assert caught.value.facts["limit"] == 2
        assert 3590 <= int(caught.value.facts["seconds"]) <= 3600
        await accepted(job_service, person=2)

    async def test_of_all_that_waits_say_when_a_part_of_it_is_painted(
        self, job_service: JobService, store: JobStore
    ) -> None:
        job_service.limits = Limits(waiting=8)
        for person in range(1, 9):
            await accepted(job_service, person)
        with pytest.raises(TooManyJobs) as caught:
            await accepted(job_service, 10)
        assert (caught.value.code, caught.value.facts) == ("too_many_waiting", {})
        painted = await store.claim()
        assert painted is not None
        effort = Effort(pixels=100, steps=10, seconds=30.0, device="cpu")
        await store.move(painted.id, JobState.PAINTED, effort=effort)
        await accepted(job_service, 10)
        with pytest.raises(TooManyJobs) as caught:
            await accepted(job_service, 11)
        assert caught.value.facts == {"seconds": 60}, "a quarter of 8 at 30 s each"

    async def test_are_not_for_owners(self, job_service: JobService) -> None:
        job_service.limits = Limits(unfinished=1, hourly=1, waiting=1)
        for _ in range(3):
            await accepted(job_service, OWNER)
        with pytest.raises(TooManyJobs):
            await accepted(job_service, 1)

    def test_a_setting_of_0_is_no_limit(self) -> None:
        queue = QueueSettings(jobs_per_person=4, pictures_per_hour=0, most_waiting=0)
        assert limits_of(queue) == Limits(unfinished=4)
        queue = QueueSettings(jobs_per_person=4, pictures_per_hour=5, most_waiting=6)
        assert limits_of(queue) == Limits(unfinished=4, hourly=5, waiting=6)


class TestForgetting:
    async def test_ends_and_forgets_everything_of_one_person(
        self, job_service: JobService, store: JobStore, storage: SqliteStorage, reports: Reports
    ) -> None:
        jobs = {state: await brought_to(store, state, person=1) for state in JobState}
        other = await accepted(job_service, person=2)
        key = StorageKey(bot_id=1, chat_id=-5, user_id=1)
        await storage.dialogue.set_data(key, {"photo": "file"})
        await job_service.forget(1)
        for state, job in jobs.items():
            left = await store.journal.get(job.id)
            assert left is not None
            assert left == left.forgotten()
            assert left.state.is_final
            assert left.state is state or not state.is_final
            assert await job_service.job(job.id, 1) is None, "its buttons are those of no job"
        cancelled = {jobs[JobState.ACCEPTED].id, jobs[JobState.RUNNING].id}
        assert {job.id for job in reports.ended} == cancelled
        assert await job_service.jobs_of(1) == []
        assert await job_service.job(other.id, 2) == other
        assert await storage.dialogue.get_data(key) == {}

    async def test_leaves_no_picture_on_the_disk(
        self, job_service: JobService, store: JobStore, settings: Settings, storage: SqliteStorage
    ) -> None:
        folders = JobFolders(settings.state_dir, keep_hours=24)
        mine = await brought_to(store, JobState.DELIVERED, person=1)
        other = await brought_to(store, JobState.DELIVERED, person=2)
        store.observe(folders)  # not before: what is delivered is removed, too, a little later
        for job in (mine, other):
            (await folders.make(job.id) / "content").write_bytes(b"photo")
        await job_service.forget(1)
        async with asyncio.timeout(30):
            while folders.of(mine.id).exists():
                await asyncio.sleep(0.01)
        assert folders.of(other.id).exists()

    async def test_a_picture_of_another_machine_goes_with_its_next_sweep(
        self, job_service: JobService, store: JobStore, settings: Settings, storage: SqliteStorage
    ) -> None:
        folders = JobFolders(settings.state_dir, keep_hours=24)
        job = await brought_to(store, JobState.DELIVERED, person=1)
        await folders.make(job.id)
        await job_service.forget(1)
        assert await folders.sweep(storage.journal) == 1

    async def test_does_not_reset_the_limits(self, job_service: JobService) -> None:
        job_service.limits = Limits(hourly=1)
        await accepted(job_service)
        await job_service.forget(1)
        with pytest.raises(TooManyJobs):
            await accepted(job_service)


async def test_what_is_painted_for_somebody_who_is_forgotten_goes(
    worker: Worker, job_service: JobService, store: JobStore, reports: Reports, settings: Settings
) -> None:
    job = job_that("until_cancelled")
    await store.add(job)
    working = asyncio.create_task(worker.work())
    await reports.until(lambda reports: reports.progressed)
    await job_service.forget(job.person)
    assert await working
    assert not (settings.state_dir / "jobs" / job.id).exists()


class TestOutlook:
    @pytest.fixture
    async def known(self, store: JobStore) -> None:
        """A picture took 40 s: what is asked for next takes as long."""
        other = job_that("paint", person=7)
        await store.add(other)
        await store.claim()
        effort = Effort(pixels=500_000, steps=50, seconds=40.0, device="cpu")
        await store.move(other.id, JobState.PAINTED, effort=effort)

    async def test_of_a_waiting_job(self, job_service: JobService, known: None) -> None:
        first, second = await accepted(job_service), await accepted(job_service)
        one, two = await job_service.outlook(first), await job_service.outlook(second)
        assert (one.ahead, two.ahead, one.share, two.share) == (0, 1, 0.0, 0.0)
        assert one.seconds_left is not None
        assert two.seconds_left == pytest.approx(one.seconds_left + 40)

    async def test_of_one_that_is_painted_here(
        self, job_service: JobService, store: JobStore, reports: Reports
    ) -> None:
        job = await accepted(job_service)
        running = await store.claim()
        assert running is not None
        progress = Progress(
            job_id=job.id,
            step=3,
            steps=10,
            level=1,
            levels=2,
            share=0.3,
            pixels=1000,
            seconds=6.0,
            seconds_left=14.0,
        )
        reports.progress(running, progress)
        assert await job_service.outlook(running) == Outlook(ahead=0, share=0.3, seconds_left=14.0)

    async def test_of_one_that_is_painted_elsewhere_goes_by_the_clock(
        self, job_service: JobService, store: JobStore, known: None
    ) -> None:
        await accepted(job_service)
        running = await store.claim()
        assert running is not None
        whole = await job_service.estimates.seconds_until_done(running, 0)
        assert whole is not None
        begun = running.model_copy(
            update={"changed_at": datetime.now(UTC) - timedelta(seconds=whole / 2)}
        )
        outlook = await job_service.outlook(begun)
        assert outlook.share == pytest.approx(0.5, abs=0.1)
        assert outlook.seconds_left == pytest.approx(whole / 2, rel=0.2)
        late = running.model_copy(update={"changed_at": datetime.now(UTC) - timedelta(days=1)})
        assert await job_service.outlook(late) == Outlook(ahead=0, share=0.99, seconds_left=0.0)

    async def test_without_knowledge_there_is_none(
        self, job_service: JobService, store: JobStore
    ) -> None:
        await accepted(job_service)
        running = await store.claim()
        assert running is not None
        assert await job_service.outlook(running) == Outlook(ahead=0, share=0.0, seconds_left=None)


async def test_another_language_counts_for_what_is_under_way(
    job_service: JobService, store: JobStore, reports: Reports
) -> None:
    mine = await accepted(job_service)
    others = await accepted(job_service, person=2)
    await job_service.speak(1, "ru")
    await job_service.speak(1, "ru")
    assert reports.reworded_to == [(mine.id, "ru")]
    languages = [(await store.journal.get(job.id)).language for job in (mine, others)]
    assert languages == ["ru", "en"]
