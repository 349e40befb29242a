"""SAQ and Redis pass the suites that every queue and every storage can be held to."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

import impasto_saq
from impasto.contracts import Finding, JobQueue, Storage
from impasto.tasks import cancelled
from impasto.testing import conformance
from impasto_saq import RedisStorage, SaqQueue
from impasto_saq.settings import SaqSettings, look_at_redis, losses

from ..core.jobs.test_journal_states import JournalAgainstModel
from ..redis_server import RedisServer


@asynccontextmanager
async def opened_queue(settings: SaqSettings) -> AsyncIterator[SaqQueue]:
    queue = SaqQueue(settings, "1")
    await queue.open()
    try:
        yield queue
    finally:
        await queue.close()


async def kept(server: RedisServer, what: str) -> int:
    """How many jobs of SAQ's queue with this name are kept, in whatever state."""
    redis = Redis.from_url(server.url)
    names = [name async for name in redis.scan_iter(f"saq:job:*{what}*")]
    await redis.aclose()
    return len(names)


@pytest.fixture
def saq(redis: RedisServer) -> SaqSettings:
    return SaqSettings(redis_url=redis.url, look_seconds=0.1)


class TestPlugin(conformance.PluginConformance):
    @pytest.fixture
    def plugin(self) -> ModuleType:
        return impasto_saq


class TestQueue(conformance.QueueConformance):
    @pytest.fixture
    def queue(self, saq: SaqSettings) -> JobQueue:
        return SaqQueue(saq, "1")

    def test_its_jobs_are_painted_by_other_processes(self, queue: JobQueue) -> None:
        assert not queue.embedded_worker

    async def test_one_announcement_wakes_one_worker_at_once(self, redis: RedisServer) -> None:
        patient = SaqSettings(redis_url=redis.url, look_seconds=30)
        queues = [SaqQueue(patient, "1") for _ in range(3)]
        for queue in queues:
            await queue.open()
        waiting = {asyncio.create_task(queue.wait()) for queue in queues}
        await asyncio.sleep(0.1)
        for left in (2, 1):
            await queues[0].announce()
            _, waiting = await asyncio.wait(
                waiting, timeout=10, return_when=asyncio.FIRST_COMPLETED
            )
            assert len(waiting) == left
        await cancelled(waiting)
        for queue in queues:
            await queue.close()

    async def test_what_nobody_takes_does_not_pile_up(
        self, saq: SaqSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto_saq.queue.MOST_KEPT", 3)
        queue = SaqQueue(saq, "1")
        await queue.open()
        # Only SAQ itself knows how many tickets there are.
        tickets = RedisQueue.from_url(saq.redis_url.get_secret_value(), name="impasto:1")
        for _ in range(10):
            await queue.announce()
        assert await tickets.count("queued") == 3
        await queue.wait()
        await queue.announce()
        assert await tickets.count("queued") == 3
        await tickets.disconnect()
        await queue.close()


class TestErrands:
    @pytest.fixture
    async def bot(self, saq: SaqSettings) -> AsyncIterator[SaqQueue]:
        async with opened_queue(saq) as queue:
            yield queue

    @pytest.fixture
    async def worker(self, saq: SaqSettings) -> AsyncIterator[SaqQueue]:
        async with opened_queue(saq) as queue:
            yield queue

    @pytest.mark.parametrize("answer", ["a sheet", None])
    async def test_an_answer_comes_back_and_nothing_is_left(
        self, bot: SaqQueue, worker: SaqQueue, redis: RedisServer, answer: str | None
    ) -> None:
        async with asyncio.timeout(30):
            sent = asyncio.create_task(bot.send("try", 20))
            errand = await worker.next_errand()
            assert errand.request == "try"
            assert await kept(redis, "errands") == 1
            await errand.answer(answer)
            assert await sent == answer
        assert await kept(redis, "errands") == 0

    async def test_one_process_does_it(self, bot: SaqQueue, worker: SaqQueue) -> None:
        async with asyncio.timeout(30):
            sent = [asyncio.create_task(bot.send(name, 20)) for name in "ab"]
            errands = [await queue.next_errand() for queue in (worker, bot)]
            assert {errand.request for errand in errands} == {"a", "b"}
            for errand in errands:
                await errand.answer(errand.request.upper())
            assert [await one for one in sent] == ["A", "B"]

    async def test_what_nobody_does_in_time_is_taken_back(
        self, bot: SaqQueue, worker: SaqQueue, redis: RedisServer
    ) -> None:
        assert await bot.send("nobody", 0.3) is None
        waiting = asyncio.create_task(worker.next_errand())
        async with asyncio.timeout(30):
            sent = asyncio.create_task(bot.send("somebody", 20))
            errand = await waiting
            assert errand.request == "somebody"
            await errand.answer("done")
            assert await sent == "done"
        assert await kept(redis, "errands") == 0

    async def test_what_nobody_wants_any_more_is_taken_back(
        self, bot: SaqQueue, worker: SaqQueue
    ) -> None:
        async with asyncio.timeout(30):
            unwanted = asyncio.create_task(bot.send("unwanted", 20))
            while not await bot._saq_errands.count("queued"):  # nobody else is told
                await asyncio.sleep(0.01)
            await cancelled([unwanted])
            sent = asyncio.create_task(bot.send("wanted", 20))
            errand = await worker.next_errand()
            assert errand.request == "wanted"
            await errand.answer("done")
            await sent


class TestStorage(conformance.StorageConformance):
    @pytest.fixture
    def make_storage(self, saq: SaqSettings, tmp_path: Path) -> Callable[[], Storage]:
        return lambda: RedisStorage(saq, "1", tmp_path)


class TestChecks(conformance.ChecksConformance):
    @pytest.fixture
    def findings(self, saq: SaqSettings) -> list[Finding]:
        return [look_at_redis(saq)]

    def test_a_redis_that_is_as_it_should_be(self, saq: SaqSettings) -> None:
        assert look_at_redis(saq).verdict == "ok"

    def test_a_redis_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("impasto_saq.connection._TRIES", 1)
        finding = look_at_redis(SaqSettings(redis_url="redis://:secret@127.0.0.1:1/0"))
        assert finding.verdict == "problem"
        assert "redis_url" in finding.advice
        assert "secret" not in str(finding)

    @pytest.mark.parametrize(
        ("info", "advice"),
        [
            ({"aof_enabled": 0}, ["appendonly"]),
            ({"aof_enabled": 1, "maxmemory": 1, "maxmemory_policy": "allkeys-lru"}, ["noeviction"]),
            ({"aof_enabled": 1, "maxmemory": 1, "maxmemory_policy": "noeviction"}, []),
            ({"aof_enabled": 1, "maxmemory": 0, "maxmemory_policy": "allkeys-lru"}, []),
        ],
    )
    def test_what_it_would_lose(self, info: dict[str, object], advice: list[str]) -> None:
        found = losses(info)
        assert len(found) == len(advice)
        assert all(word in text for word, text in zip(advice, found, strict=True))


@pytest.mark.slow
def test_the_journal_agrees_with_the_model(redis: RedisServer) -> None:
    saq = SaqSettings(redis_url=redis.url)

    class RedisAgainstModel(JournalAgainstModel):
        def make_storage(self, folder: Path) -> Storage:
            redis.wipe()
            return RedisStorage(saq, "1", folder)

    case = RedisAgainstModel.TestCase
    case.settings = settings(
        max_examples=10,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.wasSuccessful(), result.failures + result.errors
