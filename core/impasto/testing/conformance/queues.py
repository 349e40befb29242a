"""What the bot relies on in a queue: every announced job is worked on, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from impasto.contracts import JobQueue


class Work:
    """Jobs that wait, and a `work` that does one of them at a time."""

    def __init__(self, patience: float, waiting: int = 0) -> None:
        self.patience = patience
        self.waiting = waiting
        self.done = 0
        self.at_once = 0
        self.most_at_once = 0
        self.errors: list[Exception] = []
        self.changed = asyncio.Condition()

    async def __call__(self) -> bool:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.errors:
            raise self.errors.pop()
        if not self.waiting:
            return False
        self.waiting -= 1
        self.done += 1
        async with self.changed:
            self.changed.notify_all()
        return True

    async def until_done(self, number: int) -> None:
        async with asyncio.timeout(self.patience), self.changed:
            await self.changed.wait_for(lambda: self.done >= number)


@asynccontextmanager
async def _serving(queue: JobQueue, work: Work) -> AsyncIterator[None]:
    await queue.open()
    task = asyncio.create_task(queue.serve(work))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await queue.close()


class QueueConformance:
    """Inherit it and override the fixture `queue` with one that is not open yet. If it waits
    before it asks again after an error, let it be impatient here."""

    patience = 60.0
    """Seconds until a test gives up."""

    @pytest.fixture
    def queue(self) -> JobQueue:
        raise NotImplementedError("override the fixture `queue`")

    @pytest.fixture
    def run(self) -> Callable[[Coroutine[Any, Any, None]], None]:
        """Runs a coroutine in an event loop of its own."""
        return asyncio.run

    def test_keeps_the_contract(self, queue: JobQueue) -> None:
        assert isinstance(queue, JobQueue)
        assert isinstance(queue.embedded_worker, bool)

    def test_what_an_earlier_process_left_is_worked_on(
        self, queue: JobQueue, run: Callable[..., None]
    ) -> None:
        async def scene() -> None:
            work = Work(self.patience, waiting=3)
            async with _serving(queue, work):
                await work.until_done(3)

        run(scene())

    def test_tickets_are_worked_on_one_at_a_time(
        self, queue: JobQueue, run: Callable[..., None]
    ) -> None:
        async def scene() -> None:
            work = Work(self.patience)
            async with _serving(queue, work):
                for number in range(5):
                    work.waiting += 1
                    await queue.put(f"job {number}")
                await work.until_done(5)
            assert work.most_at_once == 1

        run(scene())

    def test_a_ticket_too_many_does_no_harm(
        self, queue: JobQueue, run: Callable[..., None]
    ) -> None:
        async def scene() -> None:
            work = Work(self.patience)
            async with _serving(queue, work):
                await queue.put("nothing waits")
                await queue.put("nothing waits")
                work.waiting = 1
                await queue.put("one waits")
                await work.until_done(1)

        run(scene())

    def test_an_error_loses_no_job(self, queue: JobQueue, run: Callable[..., None]) -> None:
        async def scene() -> None:
            work = Work(self.patience)
            async with _serving(queue, work):
                work.errors = [OSError("no space left on device"), RuntimeError("still none")]
                work.waiting = 1
                await queue.put("one waits")
                await work.until_done(1)
            assert not work.errors

        run(scene())

    def test_serving_ends_when_it_is_cancelled(
        self, queue: JobQueue, run: Callable[..., None]
    ) -> None:
        async def scene() -> None:
            await queue.open()
            task = asyncio.create_task(queue.serve(Work(self.patience)))
            await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=self.patience)
            assert done
            await queue.close()

        run(scene())
