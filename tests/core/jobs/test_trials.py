"""Trials: a photo in several presets while there is nothing else to do, and nothing left of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from impasto import PaintOptions, StylePreset
from impasto.contracts import Errand
from impasto.jobs.folders import JobFolders, NotFetched
from impasto.jobs.job import JobState, TelegramPicture
from impasto.jobs.painter_process import PaintingChild
from impasto.jobs.service import JobService
from impasto.jobs.store import JobStore
from impasto.jobs.trials import Trials
from impasto.jobs.worker import Worker
from impasto.settings import Settings
from impasto.tasks import cancelled

from .jobs_bench import Pictures, job_that, state_of

PHOTO = TelegramPicture(file_id="photo")
UNTIL_DROPPED = TelegramPicture(file_id="stop")
BOTH = {"wave": PaintOptions(), "night": PaintOptions(keep_colors=True)}


@pytest.fixture(autouse=True)
def two_presets(trials: Trials, preset: StylePreset, tmp_path: Path) -> None:
    (tmp_path / "night.png").write_bytes(b"a night")
    trials.renew([preset, replace(preset, name="night", picture=tmp_path / "night.png")])


@pytest.fixture(autouse=True)
def nothing_is_left(settings: Settings):
    yield
    assert list((settings.state_dir / "jobs").glob("trial-*")) == []


async def test_thumbnails_come_and_no_job(
    job_service: JobService, worker: Worker, store: JobStore
) -> None:
    await worker.ready()
    async with asyncio.timeout(30):
        found = await job_service.try_styles(PHOTO, BOTH)
        again = await job_service.try_styles(PHOTO, {"wave": PaintOptions()})
    assert found == {"wave": b"a wave", "night": b"a night"}
    assert again == {"wave": b"a wave"}
    assert await store.journal.count(*JobState) == 0


async def test_without_a_painting_process_here_there_are_none(
    job_service: JobService, pictures: Pictures
) -> None:
    assert await job_service.try_styles(PHOTO, BOTH) is None
    assert not pictures.fetching.is_set()


async def test_with_a_preset_that_is_gone_there_are_none(
    job_service: JobService, worker: Worker
) -> None:
    await worker.ready()
    assert await job_service.try_styles(PHOTO, BOTH | {"gone": PaintOptions()}) is None


@pytest.mark.parametrize("photo", ["gone", "slow", "die"])
async def test_what_fails_is_no_sheet_and_no_death_of_a_job(
    job_service: JobService, worker: Worker, store: JobStore, pictures: Pictures, photo: str
) -> None:
    pictures.failing["slow"] = NotFetched("it does not come", others_work=True)
    await worker.ready()
    assert await job_service.try_styles(TelegramPicture(file_id=photo), BOTH) is None
    job = await store.add(job_that("paint"))
    async with asyncio.timeout(30):
        assert await worker.work()
    painted = await store.journal.get(job.id)
    assert painted is not None
    assert (painted.state, painted.deaths) == (JobState.PAINTED, 0)


async def test_none_while_somebody_waits_for_a_picture(
    job_service: JobService, worker: Worker, store: JobStore, pictures: Pictures
) -> None:
    await worker.ready()
    job = await store.add(job_that("paint"))
    assert await job_service.try_styles(PHOTO, BOTH) is None
    assert not pictures.fetching.is_set()
    await store.move(job.id, JobState.CANCELLED)
    assert await job_service.try_styles(PHOTO, BOTH) is not None


async def test_a_job_that_comes_drops_it_at_once(
    job_service: JobService, worker: Worker, store: JobStore, trials: Trials
) -> None:
    await worker.ready()
    async with asyncio.timeout(30):
        trial = asyncio.create_task(job_service.try_styles(UNTIL_DROPPED, BOTH))
        await at_work(trials)
        job = await store.add(job_that("paint"))
        assert await worker.work()
        assert await trial is None
    assert await state_of(store, job) is JobState.PAINTED
    assert await job_service.try_styles(PHOTO, BOTH) is not None


async def test_a_job_that_comes_while_the_photo_is_fetched_is_not_kept_waiting(
    job_service: JobService,
    worker: Worker,
    store: JobStore,
    pictures: Pictures,
) -> None:
    await worker.ready()
    pictures.may_go_on.clear()
    async with asyncio.timeout(30):
        trial = asyncio.create_task(job_service.try_styles(PHOTO, BOTH))
        await pictures.fetching.wait()
        await store.add(job_that("paint"))
        pictures.may_go_on.set()
        assert await trial is None


async def test_who_no_longer_wants_it_frees_the_child_for_the_next(
    job_service: JobService, worker: Worker, trials: Trials
) -> None:
    await worker.ready()
    async with asyncio.timeout(30):
        first = asyncio.create_task(job_service.try_styles(UNTIL_DROPPED, BOTH))
        await at_work(trials)
        second = asyncio.create_task(job_service.try_styles(PHOTO, BOTH))
        first.cancel()
        assert await second is not None
    assert first.cancelled()


async def test_dropping_one_that_is_over_does_not_kill_the_child_at_its_next_job(
    job_service: JobService, worker: Worker, trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worker.ready()
    killed: list[int] = []
    monkeypatch.setattr("impasto.jobs.painter_process.SECONDS_TO_STOP", 0.0)
    monkeypatch.setattr(PaintingChild, "kill_now", lambda child: killed.append(child.pid))
    async with asyncio.timeout(30):
        trial = asyncio.create_task(job_service.try_styles(PHOTO, BOTH))
        work = await at_work(trials)
        await asyncio.wait({work.reading})
        work.drop()  # as a job does that comes just now
        assert await trial is not None
    assert killed == []
    monkeypatch.undo()


async def test_while_the_painting_process_starts_it_is_waited_for(
    job_service: JobService, worker: Worker
) -> None:
    async with asyncio.timeout(30):
        assert await job_service.try_styles(PHOTO, BOTH) is not None


class Way:
    """Errands from one process to another, as a queue between machines carries them."""

    def __init__(self) -> None:
        self._sent: asyncio.Queue[Errand] = asyncio.Queue()
        self.answer: str | None = None
        self.sent = 0

    async def send(self, request: str, patience: float) -> str | None:
        self.sent += 1
        answered = asyncio.Event()

        async def answer(text: str | None) -> None:
            self.answer = text
            answered.set()

        await self._sent.put(Errand(request, answer))
        await answered.wait()
        return self.answer

    async def next_errand(self) -> Errand:
        return await self._sent.get()

    def is_taken(self) -> bool:
        return self._sent.empty()


class TestOnAnotherMachine:
    """`trials` is of the machine that paints."""

    @pytest.fixture
    def way(self) -> Way:
        return Way()

    @pytest.fixture
    def of_the_bot(
        self, settings: Settings, store: JobStore, pictures: Pictures, way: Way
    ) -> Trials:
        folders = JobFolders(settings.state_dir, settings.queue.keep_hours)
        return Trials(store=store, pictures=pictures, folders=folders, presets=[], errands=way)

    @pytest.fixture(autouse=True)
    async def serving(self, trials: Trials, worker: Worker, way: Way) -> AsyncIterator[None]:
        await worker.ready()
        task = asyncio.create_task(trials.serve(way))
        yield
        await cancelled([task])

    async def test_thumbnails_come_from_there(self, of_the_bot: Trials) -> None:
        async with asyncio.timeout(30):
            found = await of_the_bot.thumbnails(PHOTO, BOTH)
        assert found == {"wave": b"a wave", "night": b"a night"}

    async def test_what_cannot_be_done_there_is_none(self, of_the_bot: Trials) -> None:
        async with asyncio.timeout(30):
            assert await of_the_bot.thumbnails(PHOTO, {"unknown there": PaintOptions()}) is None
            assert await of_the_bot.thumbnails(PHOTO, BOTH) is not None

    @pytest.mark.parametrize("answer", ["no JSON", "[]", '{"wave": 1}'])
    async def test_an_answer_that_cannot_be_read_is_none(
        self, of_the_bot: Trials, way: Way, monkeypatch: pytest.MonkeyPatch, answer: str
    ) -> None:
        async def answered(request: str, patience: float) -> str:
            return answer

        monkeypatch.setattr(way, "send", answered)
        assert await of_the_bot.thumbnails(PHOTO, BOTH) is None

    async def test_a_request_that_cannot_be_read_is_none(
        self, of_the_bot: Trials, way: Way
    ) -> None:
        async with asyncio.timeout(30):
            assert await way.send('{"of": "a newer version"}', 1) is None
            assert await of_the_bot.thumbnails(PHOTO, BOTH) is not None

    async def test_while_a_job_waits_none_is_asked_for(
        self, of_the_bot: Trials, store: JobStore, way: Way
    ) -> None:
        await store.add(job_that("paint"))
        assert await of_the_bot.thumbnails(PHOTO, BOTH) is None
        assert way.sent == 0

    async def test_whoever_paints_a_picture_takes_none(
        self, of_the_bot: Trials, trials: Trials, way: Way
    ) -> None:
        await trials.make_way()
        async with asyncio.timeout(30):
            asked = asyncio.create_task(of_the_bot.thumbnails(PHOTO, BOTH))
            while way.is_taken():
                await asyncio.sleep(0)
            assert not asked.done()
            trials.may_begin()
            assert await asked is not None

    async def test_what_takes_too_long_is_dropped(
        self, of_the_bot: Trials, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto.jobs.trials.SECONDS_ELSEWHERE", 0.2)
        async with asyncio.timeout(30):
            assert await of_the_bot.thumbnails(UNTIL_DROPPED, BOTH) is None
        monkeypatch.undo()
        async with asyncio.timeout(30):
            assert await of_the_bot.thumbnails(PHOTO, BOTH) is not None

    async def test_a_way_that_fails_is_tried_again(
        self, of_the_bot: Trials, way: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto.jobs.trials.PAUSE_SECONDS", 0.0)

        async def fails() -> Errand:
            monkeypatch.undo()
            raise ConnectionError

        monkeypatch.setattr(way, "next_errand", fails)
        async with asyncio.timeout(30):
            # The one that is being waited for is still of the old way.
            assert await of_the_bot.thumbnails(PHOTO, BOTH) is not None
            assert await of_the_bot.thumbnails(PHOTO, BOTH) is not None


async def at_work(trials: Trials) -> Any:
    """The trial that a child has been told of, as soon as it has."""
    while trials._at_work is None:
        await asyncio.sleep(0)
    return trials._at_work
