"""What the bot relies on in storages and queues: what was written is there after the process has
gone, and an announcement wakes a worker, now or when it waits next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from aiogram.fsm.storage.base import StorageKey

from impasto.contracts import JobQueue, Journal, LimitReached, Limits, PaintOptions, Rate, Storage
from impasto.errors import InvalidTransition
from impasto.jobs.job import JobState
from impasto.testing.factories import make_job

T = TypeVar("T", Storage, JobQueue)

KEY = StorageKey(bot_id=1, chat_id=2, user_id=3)


@asynccontextmanager
async def opened(item: T) -> AsyncIterator[T]:
    await item.open()
    try:
        yield item
    finally:
        await item.close()


class StorageConformance:
    """Inherit it and override the fixture `make_storage`: each call opens what the calls before it
    have left, as the next process would."""

    @pytest.fixture
    def make_storage(self) -> Callable[[], Storage]:
        raise NotImplementedError("override the fixture `make_storage`")

    @pytest.fixture
    async def storage(self, make_storage: Callable[[], Storage]) -> AsyncIterator[Storage]:
        async with opened(make_storage()) as storage:
            yield storage

    @pytest.fixture
    async def journal(self, storage: Storage) -> Journal:
        return storage.journal

    def test_keeps_the_contract(self, make_storage: Callable[[], Storage]) -> None:
        storage = make_storage()
        for member in ("name", "open", "close"):
            assert hasattr(storage, member)

    async def test_a_job_is_there_in_the_next_process(
        self, make_storage: Callable[[], Storage]
    ) -> None:
        job = make_job()
        async with opened(make_storage()) as storage:
            journal = storage.journal
            assert await journal.add(job) == job
        async with opened(make_storage()) as storage:
            journal = storage.journal
            assert await journal.get(job.id) == job
            assert await journal.of_person(job.person) == [job]
            assert await journal.count(JobState.ACCEPTED) == 1

    async def test_a_job_is_claimed_once(self, journal: Journal) -> None:
        job = make_job()
        await journal.add(job)
        claims = await asyncio.gather(*(journal.claim() for _ in range(4)))
        taken = [claim for claim in claims if claim is not None]
        assert [claim.id for claim in taken] == [job.id]
        assert taken[0].state is JobState.RUNNING
        assert taken[0].attempts == 1

    async def test_a_job_that_is_put_off_is_passed_over(self, journal: Journal) -> None:
        put_off, other = make_job(person=1), make_job(person=2)
        await journal.add(put_off)
        await journal.add(other)
        await journal.note(put_off.id, not_before=datetime.now(UTC) + timedelta(minutes=5))
        claimed = await journal.claim()
        assert claimed is not None
        assert claimed.id == other.id
        assert await journal.claim() is None
        await journal.note(put_off.id, not_before=None)
        claimed = await journal.claim()
        assert claimed is not None
        assert claimed.id == put_off.id

    async def test_one_origin_is_one_job(self, journal: Journal) -> None:
        first = await journal.add(make_job(origin="update 1 job 1"))
        second = await journal.add(make_job(origin="update 1 job 1"))
        assert first is not None
        assert second is not None
        assert first.id == second.id

    async def test_nobody_gets_more_jobs_than_the_limit(self, journal: Journal) -> None:
        one = Limits(unfinished=1)
        first = await journal.add(make_job(), limits=one)
        with pytest.raises(LimitReached) as caught:
            await journal.add(make_job(), limits=one)
        assert caught.value.limit == "unfinished"
        await journal.add(make_job(person=2), limits=one)
        await journal.move(first.id, JobState.CANCELLED)
        await journal.add(make_job(), limits=one)

    async def test_the_limit_of_an_hour_counts_whatever_became_of_the_jobs(
        self, journal: Journal
    ) -> None:
        for minutes in (70, 50, 20):
            accepted_at = datetime.now(UTC) - timedelta(minutes=minutes)
            job = await journal.add(make_job(accepted_at=accepted_at))
            await journal.move(job.id, JobState.CANCELLED)
        for most, minutes in ((2, 10), (1, 40)):
            with pytest.raises(LimitReached) as caught:
                await journal.add(make_job(), limits=Limits(hourly=most))
            assert caught.value.limit == "hourly"
            assert caught.value.seconds == pytest.approx(minutes * 60, abs=30)
        await journal.add(make_job(), limits=Limits(hourly=3))
        await journal.add(make_job(person=2), limits=Limits(hourly=1))

    async def test_the_limit_on_waiting_jobs_counts_those_of_all_people(
        self, journal: Journal
    ) -> None:
        two = Limits(waiting=2)
        await journal.add(make_job(person=1), limits=two)
        await journal.add(make_job(person=2, origin="update 1 job 1"), limits=two)
        with pytest.raises(LimitReached) as caught:
            await journal.add(make_job(person=3), limits=two)
        assert caught.value.limit == "waiting"
        await journal.add(make_job(person=2, origin="update 1 job 1"), limits=two)
        assert await journal.count(JobState.ACCEPTED) == 2
        await journal.claim()
        await journal.add(make_job(person=3), limits=two)
        assert await journal.count(JobState.ACCEPTED, JobState.RUNNING) == 3

    async def test_what_a_person_had_forgotten_is_gone_for_good(
        self, make_storage: Callable[[], Storage]
    ) -> None:
        done = make_job(wishes={"brush": "fine"}, reply_to=3, options=PaintOptions(steps=5))
        waiting, other = make_job(), make_job(person=2)
        async with opened(make_storage()) as storage:
            journal = storage.journal
            for job in (done, waiting, other):
                await journal.add(job)
            for job in (done, other):
                await journal.note(job.id, photo_id="p", file_id="f", result=Path("result.jpg"))
                await journal.move(job.id, JobState.CANCELLED)
            assert [job.id for job in await journal.forget(1)] == [done.id]
            assert await journal.forget(1) == [], "they were forgotten before"
            await journal.note(done.id, photo_id="told late")
        async with opened(make_storage()) as storage:
            journal = storage.journal
            left = await journal.get(done.id)
            assert left is not None
            assert left == left.forgotten()
            assert (left.person, left.state) == (1, JobState.CANCELLED)
            assert await journal.get(waiting.id) == waiting
            kept = await journal.get(other.id)
            assert kept is not None
            assert (kept.photo_id, kept.is_forgotten) == ("p", False)

    async def test_old_jobs_that_are_final_are_pruned(self, journal: Journal) -> None:
        now = datetime.now(UTC)
        old, young, waiting = make_job(), make_job(), make_job()
        for job in (old, young, waiting):
            await journal.add(job)
        for job in (old, young):
            await journal.move(job.id, JobState.CANCELLED)
        for job in (old, waiting):
            await journal.note(job.id, changed_at=now - timedelta(days=2))
        assert await journal.prune(now - timedelta(days=1)) == 1
        assert await journal.get(old.id) is None
        assert await journal.count(*JobState) == 2
        assert await journal.get(young.id) is not None
        claimed = await journal.claim()
        assert claimed is not None
        assert claimed.id == waiting.id

    async def test_states_follow_the_rules(self, journal: Journal) -> None:
        job = make_job()
        await journal.add(job)
        with pytest.raises(InvalidTransition):
            await journal.move(job.id, JobState.DELIVERED)
        cancelled = await journal.move(job.id, JobState.CANCELLED)
        assert cancelled.state is JobState.CANCELLED
        assert await journal.claim() is None

    async def test_a_cancelled_job_that_was_not_told_is_left_to_the_next_process(
        self, make_storage: Callable[[], Storage]
    ) -> None:
        untold, told, cancelled = make_job(), make_job(), make_job()
        async with opened(make_storage()) as storage:
            journal = storage.journal
            for job in (untold, told, cancelled):
                await journal.add(job)
            for job in (untold, told):
                await journal.move(job.id, JobState.CANCELLED, is_untold=True)
            await journal.note(told.id, is_untold=False)
            await journal.move(cancelled.id, JobState.CANCELLED)
            assert await journal.of_person(1) == []
        async with opened(make_storage()) as storage:
            journal = storage.journal
            assert [job.id for job in await journal.adopt_jobs()] == [untold.id]
            assert await journal.adopt_jobs() == []
            await journal.note(untold.id, is_untold=False)
        async with opened(make_storage()) as storage:
            journal = storage.journal
            assert await journal.adopt_jobs() == []

    async def test_an_update_is_taken_once_and_kept_until_it_is_finished(
        self, make_storage: Callable[[], Storage]
    ) -> None:
        async with opened(make_storage()) as storage:
            journal = storage.journal
            assert await journal.take_updates([(7, "{}"), (8, "{}")]) == [7, 8]
            assert await journal.take_updates([(8, "{}"), (9, "{}")]) == [9]
            assert await journal.begin_update(7) == 1
            await journal.finish_update(7)
        async with opened(make_storage()) as storage:
            journal = storage.journal
            assert await journal.adopt_updates() == [(8, "{}"), (9, "{}")]

    async def test_what_was_said_so_far_is_there_in_the_next_process(
        self, make_storage: Callable[[], Storage]
    ) -> None:
        async with opened(make_storage()) as storage:
            await storage.dialogue.set_state(KEY, "choosing")
            await storage.dialogue.set_data(KEY, {"photo": "file", "count": 2})
        async with opened(make_storage()) as storage:
            assert await storage.dialogue.get_state(KEY) == "choosing"
            assert await storage.dialogue.get_data(KEY) == {"photo": "file", "count": 2}

    async def test_the_dialogue_of_one_person_is_forgotten_in_all_chats(
        self, storage: Storage
    ) -> None:
        theirs = [
            KEY,
            StorageKey(bot_id=1, chat_id=-4, user_id=3),
            StorageKey(bot_id=1, chat_id=-4, user_id=3, thread_id=5),
            StorageKey(bot_id=1, chat_id=3, user_id=3, destiny="preferences"),
        ]
        others = [
            StorageKey(bot_id=3, chat_id=3, user_id=33),
            StorageKey(bot_id=1, chat_id=2, user_id=4, thread_id=3),
        ]
        for key in (*theirs, *others):
            await storage.dialogue.set_state(key, "choosing")
            await storage.dialogue.set_data(key, {"photo": "file"})
        await storage.forget_dialogue(3)
        for key in theirs:
            assert await storage.dialogue.get_state(key) is None
            assert await storage.dialogue.get_data(key) == {}
        for key in others:
            assert await storage.dialogue.get_state(key) == "choosing"

    async def test_tokens_come_one_after_the_other(self, storage: Storage) -> None:
        slow = Rate("chat 1", per_second=0.01, burst=2)
        waits = [await storage.buckets.take(slow) for _ in range(4)]
        assert waits == pytest.approx([0, 0, 100, 200], abs=10)
        assert await storage.buckets.take(slow, patience=5) == pytest.approx(300, abs=10)
        other = Rate("chat 2", per_second=0.01)
        both = await storage.buckets.take(slow, other, patience=5)
        assert both == pytest.approx(300, abs=10), "the longest wait"
        assert await storage.buckets.take(other) == 0, "what was not taken is still there"
        await storage.buckets.hold(other, 1000)
        waits = [await storage.buckets.take(other) for _ in range(2)]
        assert waits == pytest.approx([1000, 1100], abs=10)


class QueueConformance:
    """Inherit it and override the fixture `queue` with one that is not open yet."""

    patience = 60.0
    """Seconds until a test gives up."""

    @pytest.fixture
    def queue(self) -> JobQueue:
        raise NotImplementedError("override the fixture `queue`")

    def test_keeps_the_contract(self, queue: JobQueue) -> None:
        assert isinstance(queue, JobQueue)
        assert isinstance(queue.embedded_worker, bool)

    async def test_an_announcement_wakes_the_worker_that_waits(self, queue: JobQueue) -> None:
        async with opened(queue), asyncio.timeout(self.patience):
            for _ in range(3):
                waiting = asyncio.create_task(queue.wait())
                await asyncio.sleep(0.01)
                await queue.announce()
                await waiting

    async def test_an_announcement_that_nobody_waits_for_is_kept(self, queue: JobQueue) -> None:
        async with opened(queue), asyncio.timeout(self.patience):
            await queue.announce()
            await queue.announce()
            await queue.wait()

    async def test_waiting_ends_when_it_is_cancelled(self, queue: JobQueue) -> None:
        async with opened(queue), asyncio.timeout(self.patience):
            waiting = asyncio.create_task(queue.wait())
            await asyncio.sleep(0.01)
            waiting.cancel()
            await asyncio.wait([waiting])
            await queue.announce()
            await queue.wait()
