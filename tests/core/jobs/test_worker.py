"""The worker and its child process: whatever the child does, the job comes to an end."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from impasto.contracts import PaintOptions, StylePreset
from impasto.errors import InvalidTransition
from impasto.jobs import worker as module
from impasto.jobs.estimates import FEWEST_PIXELS
from impasto.jobs.folders import NotFetched
from impasto.jobs.job import ChosenStyle, Effort, Job, JobState, TelegramPicture
from impasto.jobs.painter_process import ChildLost, PaintingChild
from impasto.jobs.service import JobService
from impasto.jobs.store import JobStore
from impasto.jobs.worker import MOST_FETCHES, JournalFailed, Worker
from impasto.memory import unreclaimable_bytes
from impasto.settings import Settings
from impasto.tasks import cancelled

from .jobs_bench import CountingQueue, Pictures, Reports, job_that, state_of
from .scripted_child import HOARD, PIXELS

PaintedBy = Callable[[Job], Awaitable[Job]]


async def test_paints_a_job(painted_by: PaintedBy, reports: Reports) -> None:
    job = await painted_by(job_that("paint"))
    assert (job.state, job.seconds, job.attempts) == (JobState.PAINTED, 0.5, 1)
    assert job.effort == Effort(pixels=1, steps=4, seconds=0.5, device="cpu")
    assert job.result is not None
    assert job.result.read_bytes() == b'{"do": "paint"}'
    assert [progress.step for progress in reports.progressed] == [1, 2]
    assert reports.ended == [job]


async def test_there_is_nothing_to_do(worker: Worker) -> None:
    assert not await worker.work()


async def test_one_child_paints_job_after_job(painted_by: PaintedBy, worker: Worker) -> None:
    await painted_by(job_that("paint"))
    first = await worker.ready()
    await painted_by(job_that("paint"))
    assert (await worker.ready()).pid == first.pid


async def test_the_first_child_measures_how_fast_it_paints(worker: Worker) -> None:
    await worker.ready()
    assert worker.pace is not None
    assert worker.pace.seconds == 1.0


async def test_a_child_that_is_lost_measuring_costs_a_start(
    make_worker: Callable[..., Worker], store: JobStore
) -> None:
    worker = make_worker("--dies-measuring")
    job = job_that("paint")
    await store.add(job)
    assert await worker.work()
    assert await state_of(store, job) is JobState.PAINTED
    assert worker.pace is None


async def test_an_own_style_is_fetched(painted_by: PaintedBy, settings: Settings) -> None:
    styles = (
        ChosenStyle(picture=TelegramPicture(file_id="my style"), weight=2.0),
        ChosenStyle(preset="wave"),
    )
    job = await painted_by(job_that("paint", styles=styles))
    folder = settings.state_dir / "jobs" / job.id
    assert (folder / "style_0").read_text() == "my style"
    assert not (folder / "style_1").exists()


async def test_what_the_child_says_is_wrong_is_told(
    painted_by: PaintedBy, reports: Reports
) -> None:
    job = await painted_by(job_that("fail"))
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert (job.failure.code, job.failure.facts) == ("broken_picture", {"role": "content"})
    assert reports.ended == [job]


async def test_a_picture_that_is_gone_is_told(painted_by: PaintedBy) -> None:
    job = await painted_by(
        Job(
            person=1,
            chat=1,
            content=TelegramPicture(file_id="gone"),
            styles=(ChosenStyle(preset="wave"),),
        )
    )
    assert job.failure is not None
    assert (job.failure.code, job.failure.facts) == ("file_gone", {"hours": 1})


@pytest.mark.parametrize("name", ["wave", "never_was"])
async def test_a_style_that_is_gone_is_told(
    painted_by: PaintedBy, preset: StylePreset, name: str
) -> None:
    preset.picture.unlink()
    job = await painted_by(job_that("paint", styles=(ChosenStyle(preset=name),)))
    assert job.failure is not None
    assert job.failure.code == "style_gone"


@pytest.mark.parametrize("end", ["die", "be_killed"])
async def test_a_job_whose_child_dies_each_time_fails(
    painted_by: PaintedBy, reports: Reports, end: str
) -> None:
    job = await painted_by(job_that(end))
    assert (job.state, job.deaths) == (JobState.FAILED, 2)
    assert job.failure is not None
    assert job.failure.code == "painting_failed"
    assert (await painted_by(job_that("paint"))).state is JobState.PAINTED


async def test_the_plugin_that_a_child_died_in_is_named(
    make_worker: Callable[..., Worker], store: JobStore
) -> None:
    told: list[tuple[str, str]] = []
    worker = make_worker(on_plugin_failing=lambda *what: told.append(what))
    codes = []
    for end in ("die_in_plugin", "die_after_plugin"):
        job = job_that(end)
        await store.add(job)
        await worker.work()
        stored = await store.journal.get(job.id)
        assert stored is not None
        assert stored.failure is not None
        codes.append(stored.failure.code)
    assert codes == ["plugin_failed", "painting_failed"]
    why = "the painting process ended with exit code 3, in 'smear' of the plugin 'smudge'"
    assert told == [("smudge", why)]


async def test_the_plugin_that_a_child_hangs_in_is_named(
    make_worker: Callable[..., Worker], store: JobStore
) -> None:
    told: list[str] = []
    worker = make_worker(
        silence_seconds=0.5, attempts=1, on_plugin_failing=lambda plugin, why: told.append(plugin)
    )
    await worker.ready()
    await store.add(job_that("fall_silent_in_plugin"))
    await worker.work()
    assert told == ["smudge"]


async def test_a_job_whose_child_dies_once_is_painted_by_another(painted_by: PaintedBy) -> None:
    job = await painted_by(job_that("die_once"))
    assert (job.state, job.deaths, job.attempts) == (JobState.PAINTED, 1, 1)


async def test_a_silent_child_is_replaced(
    make_worker: Callable[..., Worker], store: JobStore
) -> None:
    losses: list[str] = []
    worker = make_worker(silence_seconds=0.5, on_loss=losses.append)
    first = await worker.ready()
    job = job_that("fall_silent")
    await store.add(job)
    await worker.work()
    stored = await store.journal.get(job.id)
    assert stored is not None
    assert (stored.state, stored.deaths) == (JobState.FAILED, 2)
    assert losses == ["the painting process said nothing for 0.5 s"] * 2
    with pytest.raises(ProcessLookupError):
        os.kill(first.pid, 0)


class TestMemory:
    @pytest.fixture(autouse=True)
    def _looks_often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("impasto.jobs.painter_process.SECONDS_BETWEEN_LOOKS", 0.02)
        monkeypatch.setattr("impasto.jobs.painter_process.oom_kills", lambda: 7)

    @pytest.fixture
    def limited(self, make_worker: Callable[..., Worker]) -> Worker:
        return make_worker(worker_memory_mb=200)

    async def test_a_job_over_the_limit_is_painted_smaller(
        self, limited: Worker, store: JobStore
    ) -> None:
        job = await done_by(limited, store, job_that("hoard_unless_small"))
        assert (job.state, job.deaths, job.shrunk) == (JobState.PAINTED, 1, True)
        assert job.options.max_pixels == PIXELS // 2
        assert job.reduced

    async def test_a_job_that_is_still_over_the_limit_fails(
        self, limited: Worker, store: JobStore
    ) -> None:
        job = await done_by(limited, store, job_that("hoard"))
        assert (job.state, job.deaths) == (JobState.FAILED, 2)
        assert job.failure is not None
        assert job.failure.code == "out_of_memory"
        assert (await done_by(limited, store, job_that("paint"))).state is JobState.PAINTED

    async def test_a_child_that_the_kernel_killed_for_memory_paints_smaller(
        self, painted_by: PaintedBy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kills = iter(range(100))
        monkeypatch.setattr("impasto.jobs.painter_process.oom_kills", lambda: next(kills))
        job = await painted_by(job_that("be_killed_unless_small"))
        assert (job.state, job.shrunk) == (JobState.PAINTED, True)

    async def test_a_child_that_somebody_else_killed_does_not(self, painted_by: PaintedBy) -> None:
        job = await painted_by(job_that("be_killed"))
        assert (job.shrunk, job.failure and job.failure.code) == (False, "painting_failed")

    async def test_a_child_that_says_so_tries_smaller_itself(
        self, painted_by: PaintedBy, worker: Worker
    ) -> None:
        child = await worker.ready()
        job = await painted_by(job_that("say_out_of_memory"))
        assert (job.shrunk, job.failure and job.failure.code) == (True, "out_of_memory")
        assert (await worker.ready()).pid == child.pid

    async def test_a_small_picture_is_tried_in_half_of_its_own_pixels(
        self, painted_by: PaintedBy
    ) -> None:
        script = job_that("say_out_of_memory").content
        small = script.model_copy(update={"pixels": 10_000})
        job = await painted_by(job_that("").model_copy(update={"content": small}))
        assert job.options.max_pixels == 5_000

    async def test_what_a_child_holds_while_it_prepares_styles_is_no_leak(
        self, worker: Worker, painted_by: PaintedBy
    ) -> None:
        child = await worker.ready()
        for _ in range(3):
            await painted_by(job_that("paint_and_prepare"))
            async with asyncio.timeout(60):
                while (unreclaimable_bytes(child.pid) or 0) < HOARD:
                    await asyncio.sleep(0.01)
        assert (await worker.ready()).pid == child.pid

    async def test_a_child_that_leaks_is_replaced_after_the_job(
        self, painted_by: PaintedBy, worker: Worker
    ) -> None:
        leaking = (await worker.ready()).pid
        await painted_by(job_that("paint"))
        assert (await worker.ready()).pid == leaking, "so far it is well"
        job = await painted_by(job_that("leak"))
        assert (job.state, job.deaths) == (JobState.PAINTED, 0)
        assert (await worker.ready()).pid != leaking

    async def test_the_kernel_takes_the_child_before_the_bot(self, worker: Worker) -> None:
        child = await worker.ready()
        assert Path(f"/proc/{child.pid}/oom_score_adj").read_text() == "1000\n"


class TestPatience:
    """The scripted child takes half a second, but other workers have told of slower ones."""

    @pytest.fixture(autouse=True)
    async def _known(self, store: JobStore) -> None:
        slow = job_that("paint")
        await store.add(slow)
        await store.claim()
        effort = Effort(pixels=1080 * 810, steps=50, seconds=45, device="cpu")
        await store.move(slow.id, JobState.PAINTED, effort=effort)

    async def test_what_would_take_too_long_is_painted_smaller_and_said_to_be(
        self, painted_by: PaintedBy
    ) -> None:
        job = await painted_by(job_that("paint_as_large_as_it_may"))
        assert job.effort is not None
        assert FEWEST_PIXELS < job.effort.pixels < 1080 * 810
        assert (job.reduced_for_time, job.reduced) == (True, False)
        assert job.options.max_pixels is None, "another worker decides by its own pace"

    async def test_a_photo_that_is_small_anyhow_is_not(self, painted_by: PaintedBy) -> None:
        assert not (await painted_by(job_that("paint"))).reduced_for_time

    async def test_who_is_patient_gets_the_usual_size(self, painted_by: PaintedBy) -> None:
        patient = PaintOptions(patient=True)
        job = await painted_by(job_that("paint_as_large_as_it_may", options=patient))
        assert not job.reduced_for_time
        assert job.effort is not None
        assert job.effort.pixels == 1, "no cap was asked for"

    async def test_a_worker_learns_its_own_pace(self, painted_by: PaintedBy) -> None:
        first, second = [await painted_by(job_that("paint_as_large_as_it_may")) for _ in range(2)]
        assert (first.reduced_for_time, second.reduced_for_time) == (True, False)

    async def test_where_even_that_is_too_large_the_memory_is_the_reason(
        self, painted_by: PaintedBy
    ) -> None:
        job = await painted_by(job_that("say_out_of_memory_once"))
        assert job.options.max_pixels is not None
        assert job.options.max_pixels < 1080 * 810 / 2, "half of what was tried"
        assert (job.state, job.reduced) == (JobState.PAINTED, True)
        assert not job.reduced_for_time

    async def test_a_journal_that_cannot_be_read_costs_the_job_nothing(
        self, worker: Worker, store: JobStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(count: int) -> list[Job]:
            raise sqlite3.OperationalError("disk I/O error")

        job = job_that("paint")
        await store.add(job)
        with monkeypatch.context() as patch:
            patch.setattr(store.journal, "last_painted", fail)
            with pytest.raises(JournalFailed):
                await worker.work()
        assert await state_of(store, job) is JobState.ACCEPTED
        assert await worker.work()
        assert await state_of(store, job) is JobState.PAINTED


async def done_by(worker: Worker, store: JobStore, job: Job) -> Job:
    await store.add(job)
    async with asyncio.timeout(60):
        assert await worker.work()
    done = await store.journal.get(job.id)
    assert done is not None
    return done


async def test_what_is_no_message_and_what_is_about_another_job_is_passed_over(
    painted_by: PaintedBy,
) -> None:
    assert (await painted_by(job_that("chatter"))).state is JobState.PAINTED


async def test_a_child_that_stops_unasked_has_failed(painted_by: PaintedBy) -> None:
    assert (await painted_by(job_that("stop"))).state is JobState.FAILED


async def test_a_child_that_died_idle_is_replaced_and_costs_no_attempt(
    make_worker: Callable[..., Worker], store: JobStore, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    worker = make_worker("--dies-idle", str(mark))
    await worker.ready()
    await until_gone(int(mark.read_text()))
    job = job_that("paint")
    await store.add(job)
    await worker.work()
    stored = await store.journal.get(job.id)
    assert stored is not None
    assert (stored.state, stored.deaths) == (JobState.PAINTED, 0)


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while Path(f"/proc/{pid}").exists():
            await asyncio.sleep(0.01)


async def test_a_child_is_started_without_the_variables_of_settings(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN", "123456:EXAMPLE-TOKEN")
    child = await worker.ready()
    variables = Path(f"/proc/{child.pid}/environ").read_bytes()
    assert b"PATH=" in variables
    assert b"EXAMPLE-TOKEN" not in variables


async def test_a_child_that_cannot_start_says_so(make_worker: Callable[..., Worker]) -> None:
    with pytest.raises(ChildLost, match="exit code 1") as caught:
        await make_worker("--cannot-start").ready()
    assert caught.value.exit_code == 1


class TestCancelling:
    async def test_while_it_is_painted(
        self, worker: Worker, store: JobStore, job_service: JobService, reports: Reports
    ) -> None:
        job = job_that("until_cancelled")
        await store.add(job)
        working = asyncio.create_task(worker.work())
        await reports.until(lambda reports: reports.progressed)
        child = await worker.ready()
        assert await job_service.cancel(job.id, job.person)
        assert await working
        assert await state_of(store, job) is JobState.CANCELLED
        assert (await worker.ready()).pid == child.pid, "a child that stops is kept"

    async def test_a_job_that_the_journal_has_lost_is_painted_no_further(
        self,
        worker: Worker,
        store: JobStore,
        reports: Reports,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def get(job_id: str) -> None:
            return None

        job = job_that("until_cancelled")
        await store.add(job)
        working = asyncio.create_task(worker.work())
        await reports.until(lambda reports: reports.progressed)
        monkeypatch.setattr(store.journal, "get", get)
        await store.look_for_vanished()
        assert await working
        assert reports.ended == [], "whoever shows it says so"
        assert not (settings.state_dir / "jobs" / job.id).exists()

    async def test_a_painted_job_that_the_journal_has_lost_is_told(
        self, worker: Worker, store: JobStore, reports: Reports, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def get(job_id: str) -> None:
            return None

        async def move(job_id: str, *_: object, **__: object) -> None:
            raise InvalidTransition(f"there is no job {job_id}")

        job = job_that("paint")
        await store.add(job)
        monkeypatch.setattr(store.journal, "get", get)
        monkeypatch.setattr(store.journal, "move", move)
        assert await worker.work()
        assert [one.id for one in reports.ended] == [job.id]

    async def test_a_child_that_does_not_stop_is_killed(
        self,
        make_worker: Callable[..., Worker],
        store: JobStore,
        job_service: JobService,
        reports: Reports,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("impasto.jobs.painter_process.SECONDS_TO_STOP", 0.1)
        losses: list[str] = []
        worker = make_worker(on_loss=losses.append)
        job = job_that("ignore_cancel")
        await store.add(job)
        working = asyncio.create_task(worker.work())
        await reports.until(lambda reports: reports.progressed)
        child = await worker.ready()
        await job_service.cancel(job.id, job.person)
        assert await working
        assert await state_of(store, job) is JobState.CANCELLED
        assert losses == [], "it did not die by itself"
        assert (await worker.ready()).pid != child.pid

    async def test_while_its_pictures_are_fetched(
        self,
        worker: Worker,
        store: JobStore,
        job_service: JobService,
        pictures: Pictures,
        reports: Reports,
    ) -> None:
        pictures.may_go_on.clear()
        job = job_that("paint")
        await store.add(job)
        working = asyncio.create_task(worker.work())
        await pictures.fetching.wait()
        await job_service.cancel(job.id, job.person)
        assert await working
        assert await state_of(store, job) is JobState.CANCELLED
        assert [ended.state for ended in reports.ended] == [JobState.CANCELLED]

    async def test_a_job_that_waits_is_not_claimed(
        self, worker: Worker, store: JobStore, job_service: JobService
    ) -> None:
        job = job_that("paint")
        await store.add(job)
        await job_service.cancel(job.id, job.person)
        assert not await worker.work()

    async def test_pictures_go_at_once_when_none_are_to_be_kept(
        self,
        make_worker: Callable[..., Worker],
        store: JobStore,
        job_service: JobService,
        reports: Reports,
        settings: Settings,
    ) -> None:
        worker = make_worker(keep_hours=0.0)
        job = job_that("until_cancelled")
        await store.add(job)
        working = asyncio.create_task(worker.work())
        await reports.until(lambda reports: reports.progressed)
        await job_service.cancel(job.id, job.person)
        await working
        assert not (settings.state_dir / "jobs" / job.id).exists()


class TestFinishingEarly:
    async def test_keeps_the_picture_as_it_is(
        self, worker: Worker, store: JobStore, job_service: JobService, reports: Reports
    ) -> None:
        job = job_that("until_finished")
        await store.add(job)
        working = asyncio.create_task(worker.work())
        await reports.until(lambda reports: reports.progressed)
        assert await job_service.finish_early(job.id, job.person)
        assert await working
        stored = await store.journal.get(job.id)
        assert stored is not None
        assert (stored.state, stored.finish_early) == (JobState.PAINTED, True)
        assert stored.result is not None
        assert stored.effort is None, "half a painting says nothing about whole ones"

    async def test_is_not_for_a_job_that_waits_or_is_somebody_elses(
        self, worker: Worker, store: JobStore, job_service: JobService, reports: Reports
    ) -> None:
        job, waiting = job_that("until_finished"), job_that("paint", person=2)
        await store.add(job)
        await store.add(waiting)
        working = asyncio.create_task(worker.work())
        await reports.until(lambda reports: reports.progressed)
        assert await job_service.finish_early(job.id, person=2) is None
        assert await job_service.finish_early(waiting.id, person=2) is None
        assert await job_service.finish_early("nowhere", person=1) is None
        assert not working.done()
        await job_service.finish_early(job.id, job.person)
        await working

    async def test_is_forgotten_when_the_job_is_handed_back(
        self, worker: Worker, store: JobStore, reports: Reports
    ) -> None:
        job = job_that("until_cancelled")
        await store.add(job)
        working = asyncio.create_task(worker.work())
        await reports.until(lambda reports: reports.progressed)
        await store.hurry(job.id)
        await worker.drain()
        await working
        stored = await store.journal.get(job.id)
        assert stored is not None
        assert (stored.state, stored.finish_early) == (JobState.ACCEPTED, False)


class TestServing:
    async def test_paints_what_waits_and_what_is_announced(
        self, worker: Worker, store: JobStore, job_service: JobService, reports: Reports
    ) -> None:
        await store.add(job_that("paint"))
        serving = asyncio.create_task(worker.serve())
        await reports.until(lambda reports: len(reports.ended) == 1)
        for count in (2, 3):
            job = job_that("paint")
            await job_service.accept(
                person=1, chat=1, language="en", content=job.content, styles=job.styles
            )
            await reports.until(lambda reports, count=count: len(reports.ended) == count)
        await cancelled([serving])

    async def test_an_error_loses_no_job(
        self, worker: Worker, store: JobStore, reports: Reports, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto.jobs.worker.PAUSE_SECONDS", 0)
        errors: list[Exception] = [OSError("no space left"), RuntimeError("still none")]
        claim = store.claim

        async def fails(**limits: int | None) -> Job | None:
            if errors:
                raise errors.pop()
            return await claim(**limits)

        monkeypatch.setattr(store, "claim", fails)
        await store.add(job_that("paint"))
        serving = asyncio.create_task(worker.serve())
        await reports.until(lambda reports: reports.ended)
        assert not errors
        await cancelled([serving])

    async def test_what_a_drained_worker_hands_back_is_announced_to_others(
        self, worker: Worker, store: JobStore, reports: Reports, queue: CountingQueue
    ) -> None:
        await store.add(job_that("until_cancelled"))
        serving = asyncio.create_task(worker.serve())
        await reports.until(lambda reports: reports.progressed)
        await worker.drain()
        await serving
        assert queue.announced == 1
        async with asyncio.timeout(10):
            await queue.wait()


class TestDraining:
    async def test_hands_the_job_back_without_counting_the_attempt(
        self, worker: Worker, store: JobStore, reports: Reports
    ) -> None:
        job = job_that("until_cancelled")
        await store.add(job)
        working = asyncio.create_task(worker.work())
        await reports.until(lambda reports: reports.progressed)
        await worker.drain()
        assert working.done() or await working
        stored = await store.journal.get(job.id)
        assert stored is not None
        assert (stored.state, stored.attempts, stored.deaths) == (JobState.ACCEPTED, 0, 0)
        assert not await worker.work(), "a drained worker takes nothing any more"

    async def test_kills_a_child_that_does_not_stop(
        self, worker: Worker, store: JobStore, reports: Reports, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto.jobs.painter_process.SECONDS_TO_STOP", 0.1)
        job = job_that("ignore_cancel")
        await store.add(job)
        working = asyncio.create_task(worker.work())
        await reports.until(lambda reports: reports.progressed)
        await worker.drain()
        await working
        assert await state_of(store, job) is JobState.ACCEPTED

    async def test_an_idle_worker_is_drained_at_once(self, worker: Worker) -> None:
        await worker.drain()

    async def test_closing_ends_the_child(self, worker: Worker) -> None:
        child = await worker.ready()
        await worker.close()
        with pytest.raises(ProcessLookupError):
            os.kill(child.pid, 0)

    async def test_closing_ends_a_child_that_hangs(
        self, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto.jobs.painter_process._SECONDS_TO_EXIT", 0.1)
        child = await worker.ready()
        os.kill(child.pid, signal.SIGSTOP)
        await worker.close()
        with pytest.raises(ProcessLookupError):
            os.kill(child.pid, 0)


OF_MACHINE = [
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.EROFS,
    errno.EIO,
]


@pytest.mark.parametrize("number", OF_MACHINE, ids=errno.errorcode.get)
async def test_what_the_machine_refuses_puts_a_job_off(
    worker: Worker,
    store: JobStore,
    pictures: Pictures,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    job = job_that("paint")
    await store.add(job)
    with monkeypatch.context() as patch:

        async def full_disk(*_: object) -> None:
            raise OSError(number, "no space left on device")

        patch.setattr(pictures, "fetch", full_disk)
        with pytest.raises(OSError, match="no space"):
            await worker.work()
    stored = await store.journal.get(job.id)
    assert stored is not None
    assert (stored.state, stored.attempts) == (JobState.ACCEPTED, 0)
    assert await worker.work()
    assert await state_of(store, job) is JobState.PAINTED


@pytest.mark.parametrize("number", OF_MACHINE, ids=errno.errorcode.get)
async def test_that_no_child_can_be_started_puts_a_job_off(
    make_worker: Callable[..., Worker],
    store: JobStore,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    told: list[Exception] = []
    worker = make_worker(on_machine_failing=told.append)
    job = job_that("paint")
    await store.add(job)
    with monkeypatch.context() as patch:

        async def fail(*_: object, **__: object) -> None:
            raise OSError(number, "no descriptors left")

        patch.setattr(PaintingChild, "start", fail)
        with pytest.raises(OSError, match="no descriptors"):
            await worker.work()
    assert len(told) == 1
    assert await worker.work()
    assert await state_of(store, job) is JobState.PAINTED


async def test_a_picture_that_does_not_fit_on_the_disk_is_painted_later(
    make_worker: Callable[..., Worker], store: JobStore, reports: Reports
) -> None:
    told: list[Exception] = []
    worker = make_worker(on_machine_failing=told.append)
    job = job_that("fill_the_disk_once")
    await store.add(job)
    with pytest.raises(OSError, match="No space left") as caught:
        await worker.work()
    assert caught.value.errno == errno.ENOSPC
    stored = await store.journal.get(job.id)
    assert stored is not None
    assert (stored.state, stored.attempts, stored.failure) == (JobState.ACCEPTED, 0, None)
    assert [("No space left" in str(error)) for error in told] == [True]
    assert reports.ended == []
    assert await worker.work()
    assert await state_of(store, job) is JobState.PAINTED


async def test_a_journal_that_cannot_be_written_is_no_failure_of_the_job(
    worker: Worker, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_that("die_once")
    await store.add(job)
    with monkeypatch.context() as patch:

        async def full_disk(*_: object, **__: object) -> Job:
            raise sqlite3.OperationalError("database or disk is full")

        patch.setattr(store.journal, "note", full_disk)
        with pytest.raises(JournalFailed, match="disk is full"):
            await worker.work()
    assert await state_of(store, job) is JobState.ACCEPTED
    assert await worker.work()
    assert await state_of(store, job) is JobState.PAINTED


async def test_what_could_not_be_written_is_written_by_the_next_work(
    worker: Worker, store: JobStore, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_that("paint")
    await store.add(job)
    with monkeypatch.context() as patch:

        async def full_disk(*_: object, **__: object) -> Job:
            raise OSError("no space left on device")

        patch.setattr(store.journal, "move", full_disk)
        with pytest.raises(OSError, match="no space"):
            await worker.work()
    assert await worker.work()
    assert await state_of(store, job) is JobState.PAINTED
    assert [ended.id for ended in reports.ended] == [job.id]


class TestOneFileThatFails:
    """It goes to the back of the line, and is explained in the end."""

    @pytest.fixture
    def bad(self, pictures: Pictures) -> Job:
        bad = job_that("paint")
        failure = NotFetched("HTTP 500", others_work=True)
        pictures.failing[bad.content.file_id + " "] = failure
        content = TelegramPicture(file_id=bad.content.file_id + " ")
        return bad.model_copy(update={"content": content})

    async def test_others_are_painted_meanwhile(
        self, worker: Worker, store: JobStore, bad: Job
    ) -> None:
        await store.add(bad)
        others = [await store.add(job_that("paint", person=number)) for number in (1, 2)]
        for _ in range(3):
            assert await worker.work()
        assert not await worker.work()
        assert await state_of(store, bad) is JobState.ACCEPTED
        assert [await state_of(store, job) for job in others] == [JobState.PAINTED] * 2

    async def test_it_is_tried_again_and_explained_in_the_end(
        self, worker: Worker, store: JobStore, bad: Job, reports: Reports
    ) -> None:
        await store.add(bad)
        pauses = []
        for _ in range(MOST_FETCHES - 1):
            assert await worker.work()
            job = await store.journal.get(bad.id)
            assert job is not None
            assert job.not_before is not None
            assert job.attempts == 0
            pauses.append((job.not_before - job.changed_at).total_seconds())
            await store.note(bad.id, not_before=None)
        assert pauses == pytest.approx([10, 20, 40, 80, 160], abs=1)
        assert await worker.work()
        (told,) = reports.ended
        assert told.failure is not None
        assert told.failure.code == "file_gone"

    async def test_an_outage_does_not_count(
        self, worker: Worker, store: JobStore, bad: Job, pictures: Pictures
    ) -> None:
        pictures.failing[bad.content.file_id] = NotFetched("no network", others_work=False)
        await store.add(bad)
        for _ in range(2 * MOST_FETCHES):
            assert await worker.work()
            await store.note(bad.id, not_before=None)
        assert await state_of(store, bad) is JobState.ACCEPTED
        del pictures.failing[bad.content.file_id]
        assert await worker.work()
        assert await state_of(store, bad) is JobState.PAINTED

    async def test_what_telegram_asks_for_is_kept(
        self, worker: Worker, store: JobStore, bad: Job, pictures: Pictures
    ) -> None:
        flood = NotFetched("flood", others_work=False, seconds=600)
        pictures.failing[bad.content.file_id] = flood
        await store.add(bad)
        assert await worker.work()
        job = await store.journal.get(bad.id)
        assert job is not None
        assert job.not_before is not None
        assert (job.not_before - job.changed_at).total_seconds() == pytest.approx(600, abs=1)

    async def test_nobody_needs_to_wake_the_worker(
        self,
        worker: Worker,
        store: JobStore,
        bad: Job,
        pictures: Pictures,
        reports: Reports,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
        monkeypatch.setattr(module, "FIRST_PUT_OFF_SECONDS", 0.01)
        await store.add(bad)
        serving = asyncio.create_task(worker.serve())
        await pictures.fetching.wait()
        del pictures.failing[bad.content.file_id]
        await reports.until(lambda reports: reports.ended)
        await worker.drain()
        await serving


def test_a_time_far_off_puts_nothing_off() -> None:
    """The clock was set back."""
    now = datetime.now(UTC)
    far, near, past = (now + timedelta(days=40), now + timedelta(minutes=5), now - timedelta(1))
    off = [job_that("paint", not_before=at).is_put_off for at in (far, near, past, None)]
    assert off == [False, True, False, False]
