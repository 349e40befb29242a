"""What the bot relies on in a queue: an announcement wakes a worker, now or when it waits next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from impasto.contracts import JobQueue


class QueueConformance:
    """Inherit it and override the fixture `queue` with one that is not open yet."""

    patience = 60.0
    """Seconds until a test gives up."""

    @pytest.fixture
    def queue(self) -> JobQueue:
        raise NotImplementedError("override the fixture `queue`")

    @pytest.fixture
    def with_queue(
        self, queue: JobQueue
    ) -> Callable[[Callable[[JobQueue], Coroutine[Any, Any, None]]], None]:
        """Runs a scene with the queue open, in an event loop of its own."""

        async def opened(scene: Callable[[JobQueue], Coroutine[Any, Any, None]]) -> None:
            await queue.open()
            try:
                async with asyncio.timeout(self.patience):
                    await scene(queue)
            finally:
                await queue.close()

        return lambda scene: asyncio.run(opened(scene))

    def test_keeps_the_contract(self, queue: JobQueue) -> None:
        assert isinstance(queue, JobQueue)
        assert isinstance(queue.embedded_worker, bool)

    def test_an_announcement_wakes_the_worker_that_waits(
        self, with_queue: Callable[..., None]
    ) -> None:
        async def scene(queue: JobQueue) -> None:
            for _ in range(3):
                waiting = asyncio.create_task(queue.wait())
                await asyncio.sleep(0.01)
                await queue.announce()
                await waiting

        with_queue(scene)

    def test_an_announcement_that_nobody_waits_for_is_kept(
        self, with_queue: Callable[..., None]
    ) -> None:
        async def scene(queue: JobQueue) -> None:
            await queue.announce()
            await queue.announce()
            await queue.wait()

        with_queue(scene)

    def test_waiting_ends_when_it_is_cancelled(self, with_queue: Callable[..., None]) -> None:
        async def scene(queue: JobQueue) -> None:
            waiting = asyncio.create_task(queue.wait())
            await asyncio.sleep(0.01)
            waiting.cancel()
            await asyncio.wait([waiting])
            await queue.announce()
            await queue.wait()

        with_queue(scene)
