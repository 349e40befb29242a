"""The local queue: every ticket is worked on, also those of an earlier process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from impasto.jobs.queue import JobQueue
from impasto_local_queue import LocalQueue


class Work:
    """Jobs that wait, and a `work` that does one at a time."""

    def __init__(self, waiting: int = 0) -> None:
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
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: self.done >= number)


@asynccontextmanager
async def serving(work: Work) -> AsyncIterator[LocalQueue]:
    queue = LocalQueue(pause_seconds=0)
    await queue.open()
    task = asyncio.create_task(queue.serve(work))
    try:
        yield queue
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await queue.close()


def test_keeps_the_contract() -> None:
    assert isinstance(LocalQueue(), JobQueue)
    assert LocalQueue().embedded_worker


async def test_what_an_earlier_process_left_is_worked_on_without_a_ticket() -> None:
    work = Work(waiting=3)
    async with serving(work):
        await work.until_done(3)


async def test_tickets_are_worked_on_one_at_a_time() -> None:
    work = Work()
    async with serving(work) as queue:
        for number in range(5):
            work.waiting += 1
            await queue.put(str(number))
        await work.until_done(5)
    assert work.most_at_once == 1


async def test_a_ticket_too_many_does_no_harm() -> None:
    work = Work()
    async with serving(work) as queue:
        await queue.put("nothing waits")
        await queue.put("nothing waits")
        work.waiting = 1
        await queue.put("one waits")
        await work.until_done(1)


async def test_an_error_loses_no_job() -> None:
    work = Work()
    async with serving(work) as queue:
        work.errors = [OSError("no space left on device"), RuntimeError("still none")]
        work.waiting = 1
        await queue.put("a")
        await work.until_done(1)
    assert not work.errors
