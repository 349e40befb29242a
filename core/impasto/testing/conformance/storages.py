"""What the bot relies on in a storage: what it was told is there after the process has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiogram.fsm.storage.base import StorageKey

from impasto.errors import InvalidTransition
from impasto.jobs.job import JobState
from impasto.jobs.journal import Journal, Storage
from impasto.testing.conformance.observers import make_job

KEY = StorageKey(bot_id=1, chat_id=2, user_id=3)


class StorageConformance:
    """Inherit it and override the fixture `make_storage`: each call opens what the calls before it
    have left, as the next process would."""

    @pytest.fixture
    def make_storage(self) -> Callable[[], Storage]:
        raise NotImplementedError("override the fixture `make_storage`")

    @pytest.fixture
    def with_journal(
        self, make_storage: Callable[[], Storage]
    ) -> Callable[[Callable[[Journal], Coroutine[Any, Any, None]]], None]:
        """Runs a scene with the journal of a storage that is open."""

        async def opened(scene: Callable[[Journal], Coroutine[Any, Any, None]]) -> None:
            storage = make_storage()
            await storage.open()
            try:
                await scene(storage.journal)
            finally:
                await storage.close()

        return lambda scene: asyncio.run(opened(scene))

    def test_keeps_the_contract(self, make_storage: Callable[[], Storage]) -> None:
        storage = make_storage()
        for member in ("name", "open", "close"):
            assert hasattr(storage, member)

    def test_a_job_is_there_in_the_next_process(self, with_journal: Callable[..., None]) -> None:
        job = make_job()

        async def write(journal: Journal) -> None:
            assert await journal.add(job) == job

        async def read(journal: Journal) -> None:
            assert await journal.get(job.id) == job
            assert await journal.in_states(JobState.ACCEPTED) == [job]

        with_journal(write)
        with_journal(read)

    def test_a_job_is_claimed_once(self, with_journal: Callable[..., None]) -> None:
        async def scene(journal: Journal) -> None:
            job = make_job()
            await journal.add(job)
            claims = await asyncio.gather(*(journal.claim() for _ in range(4)))
            taken = [claim for claim in claims if claim is not None]
            assert [claim.id for claim in taken] == [job.id]
            assert taken[0].state is JobState.RUNNING
            assert taken[0].attempts == 1

        with_journal(scene)

    def test_one_origin_is_one_job(self, with_journal: Callable[..., None]) -> None:
        async def scene(journal: Journal) -> None:
            first = await journal.add(make_job(origin="update 1 job 1"))
            second = await journal.add(make_job(origin="update 1 job 1"))
            assert first is not None
            assert second is not None
            assert first.id == second.id

        with_journal(scene)

    def test_nobody_gets_more_jobs_than_the_limit(self, with_journal: Callable[..., None]) -> None:
        async def scene(journal: Journal) -> None:
            assert await journal.add(make_job(), limit=1) is not None
            assert await journal.add(make_job(), limit=1) is None
            assert await journal.add(make_job(person=2), limit=1) is not None

        with_journal(scene)

    def test_states_follow_the_rules(self, with_journal: Callable[..., None]) -> None:
        async def scene(journal: Journal) -> None:
            job = make_job()
            await journal.add(job)
            with pytest.raises(InvalidTransition):
                await journal.move(job.id, JobState.DELIVERED)
            cancelled = await journal.move(job.id, JobState.CANCELLED)
            assert cancelled.state is JobState.CANCELLED
            assert await journal.claim() is None

        with_journal(scene)

    def test_an_update_is_taken_once_and_kept_until_it_is_finished(
        self, with_journal: Callable[..., None]
    ) -> None:
        async def take(journal: Journal) -> None:
            assert await journal.take_updates([(7, "{}"), (8, "{}")]) == [7, 8]
            assert await journal.take_updates([(8, "{}"), (9, "{}")]) == [9]
            assert await journal.begin_update(7) == 1
            await journal.finish_update(7)

        async def look(journal: Journal) -> None:
            assert await journal.unfinished_updates() == [(8, "{}"), (9, "{}")]

        with_journal(take)
        with_journal(look)

    def test_what_was_said_so_far_is_there_in_the_next_process(
        self, make_storage: Callable[[], Storage]
    ) -> None:
        async def write() -> None:
            storage = make_storage()
            await storage.open()
            await storage.dialogue.set_state(KEY, "choosing")
            await storage.dialogue.set_data(KEY, {"photo": "file", "count": 2})
            await storage.close()

        async def read() -> None:
            storage = make_storage()
            await storage.open()
            assert await storage.dialogue.get_state(KEY) == "choosing"
            assert await storage.dialogue.get_data(KEY) == {"photo": "file", "count": 2}
            await storage.close()

        asyncio.run(write())
        asyncio.run(read())
