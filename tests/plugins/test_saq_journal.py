"""Several processes on one Redis: each job and each update is in the charge of one of them, what
was lost with a process is taken over, and a lost answer does no harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from aiogram.fsm.storage.base import StorageKey
from redis import Redis
from redis import asyncio as asyncio_redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError

from impasto.contracts import News, Rate
from impasto.errors import InvalidTransition, OwnerError, is_of_machine
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.jobs.store import JobObserver, JobStore
from impasto_saq import RedisStorage
from impasto_saq.settings import SaqSettings

from ..redis_server import RedisServer

LEASE = 300.0
"""Longer than any test: no lease is over but by `Time`."""
PATIENCE = 30.0

Starts = Callable[..., Any]


PREFIX = "impasto:1:"
"""Of all keys of the bot 1."""
ALIVE = f"{PREFIX}alive:*"


class Time:
    """The clock of all processes, and that of Redis as far as leases go."""

    def __init__(self, stored: Redis) -> None:
        self._now = 0.0
        self._stored = stored
        self.alive: dict[RedisStorage, set[str]] = {}
        """The keys by which processes are heard of."""

    def __call__(self) -> float:
        return self._now

    def lease_passes(self, *gone: RedisStorage) -> None:
        """All processes but these were heard of meanwhile."""
        self._now += LEASE
        for storage in gone:
            self._stored.delete(*self.alive[storage])


@pytest.fixture
def stored(redis: RedisServer) -> Iterator[Redis]:
    """What is in Redis, looked at from outside."""
    with Redis.from_url(redis.url, decode_responses=True) as client:
        yield client


@pytest.fixture
def time(stored: Redis) -> Time:
    return Time(stored)


def job_of(person: int = 1, **fields: object) -> Job:
    picture = TelegramPicture(file_id="photo")
    style = ChosenStyle(preset="wave")
    return Job(person=person, chat=person, content=picture, styles=(style,), **fields)


@pytest.fixture
async def start(
    redis: RedisServer, stored: Redis, tmp_path: Path, time: Time
) -> AsyncIterator[Starts]:
    """Starts a process: on a machine of its own, or on the same disk as others."""
    async with AsyncExitStack() as running:

        async def start(machine: str, bot: str = "1", lease: float = LEASE) -> RedisStorage:
            settings = SaqSettings(redis_url=redis.url, lease_seconds=lease)
            storage = RedisStorage(settings, bot, tmp_path / machine, time)
            others = stored.keys(ALIVE)
            await storage.open()
            running.push_async_callback(storage.close)
            time.alive[storage] = {*stored.keys(ALIVE)} - {*others}
            return storage

        yield start


async def until(holds: Callable[[], object]) -> None:
    """Waits for something that nothing announces."""

    async def is_so() -> object:
        held = holds()
        return await held if isinstance(held, Awaitable) else held

    async with asyncio.timeout(PATIENCE):
        while not await is_so():
            await asyncio.sleep(0.02)


async def test_bots_that_share_a_redis_do_not_see_each_other(start: Starts) -> None:
    one, other = await start("a", bot="1"), await start("b", bot="2")
    job = await one.journal.add(job_of())
    await one.journal.take_updates([(7, "{}")])
    assert await other.journal.claim() is None
    assert await other.journal.get(job.id) is None
    assert await other.journal.take_updates([(7, "{}")]) == [7]


async def test_a_repeated_update_is_taken_by_one_process(start: Starts) -> None:
    one, other = await start("a"), await start("b")
    updates = [(number, "{}") for number in range(20)]
    taken = await asyncio.gather(
        one.journal.take_updates(updates), other.journal.take_updates(updates)
    )
    assert sorted(taken[0] + taken[1]) == list(range(20))


async def test_many_workers_claim_each_job_once(start: Starts) -> None:
    workers = [await start(name) for name in "abc"]
    jobs = [await workers[0].journal.add(job_of(person)) for person in range(12)]
    claims = await asyncio.gather(*(worker.journal.claim() for worker in workers * 5))
    claimed = [job.id for job in claims if job is not None]
    assert sorted(claimed) == sorted(job.id for job in jobs)


class TestCharge:
    async def test_what_a_worker_paints_only_it_moves_on(self, start: Starts) -> None:
        bot, worker = await start("bot"), await start("worker")
        job = await bot.journal.add(job_of())
        await worker.journal.claim()
        for state in (JobState.PAINTED, JobState.FAILED, JobState.ACCEPTED):
            with pytest.raises(InvalidTransition, match="another process"):
                await bot.journal.move(job.id, state)
        await bot.journal.note(job.id, file_id="sent")
        painted = await worker.journal.move(job.id, JobState.PAINTED)
        assert painted.file_id == "sent"
        with pytest.raises(InvalidTransition, match="another process"):
            await bot.journal.move(job.id, JobState.DELIVERED)
        await worker.journal.move(job.id, JobState.DELIVERED)

    async def test_everybody_may_cancel(self, start: Starts) -> None:
        bot, worker = await start("bot"), await start("worker")
        job = await bot.journal.add(job_of())
        await worker.journal.claim()
        await bot.journal.move(job.id, JobState.CANCELLED)
        with pytest.raises(InvalidTransition):
            await worker.journal.move(job.id, JobState.PAINTED)

    async def test_whoever_cancels_is_to_tell(
        self, start: Starts, stored: Redis, time: Time
    ) -> None:
        bot, worker, other = [await start(name) for name in ("bot", "worker", "other")]
        job = await bot.journal.add(job_of())
        await worker.journal.claim()
        await bot.journal.move(job.id, JobState.CANCELLED, is_untold=True)
        assert await bot.journal.adopt_jobs() == [], "it knows"
        time.lease_passes(worker)
        assert await other.journal.adopt_jobs() == []
        time.lease_passes(bot)
        assert [adopted.id for adopted in await other.journal.adopt_jobs()] == [job.id]
        await other.journal.note(job.id, is_untold=False)
        assert not stored.exists(f"{PREFIX}charge")

    async def test_the_living_keep_what_is_theirs(self, start: Starts, time: Time) -> None:
        bot, worker = await start("bot"), await start("worker")
        await bot.journal.add(job_of())
        await worker.journal.claim()
        await bot.journal.add(job_of())
        await bot.journal.take_updates([(7, "{}")])
        time.lease_passes()
        for process in (bot, worker):
            assert await process.journal.adopt_jobs() == []
            assert await process.journal.adopt_updates() == []

    async def test_whoever_lives_is_heard_of_again(
        self, start: Starts, stored: Redis, time: Time
    ) -> None:
        [alive] = time.alive[await start("a", lease=1.0)]
        stored.delete(alive)
        await until(lambda: stored.exists(alive))
        assert 0 < stored.pttl(alive) <= 1000

    async def test_what_a_lost_process_had_is_taken_over_by_one(
        self, start: Starts, time: Time
    ) -> None:
        lost, *others = [await start(name) for name in "abc"]
        job = await lost.journal.add(job_of())
        await lost.journal.claim()
        await lost.journal.take_updates([(7, "{}")])
        await lost.close()
        assert [await other.journal.adopt_jobs() for other in others] == [[], []], "not yet"
        time.lease_passes(lost)
        found = await asyncio.gather(*(other.journal.adopt_jobs() for other in others))
        assert sorted([one.id for one in jobs] for jobs in found) == [[], [job.id]]
        updates = [await other.journal.adopt_updates() for other in others]
        assert sorted(updates) == [[], [(7, "{}")]]

    async def test_the_next_process_on_the_disk_goes_on_at_once(self, start: Starts) -> None:
        first = await start("a")
        job = await first.journal.add(job_of())
        await first.close()
        second = await start("a")
        assert [adopted.id for adopted in await second.journal.adopt_jobs()] == [job.id]

    async def test_processes_on_one_disk_are_told_apart(self, start: Starts) -> None:
        first, second = await start("a"), await start("a")
        await first.journal.add(job_of())
        assert await second.journal.adopt_jobs() == []

    async def test_one_that_was_only_away_finds_its_job_with_another(
        self, start: Starts, time: Time
    ) -> None:
        away, other = await start("a"), await start("b")
        job = await away.journal.add(job_of())
        await away.journal.claim()
        time.lease_passes(away)
        assert [adopted.id for adopted in await other.journal.adopt_jobs()] == [job.id]
        await other.journal.move(job.id, JobState.ACCEPTED)
        await other.journal.claim()
        with pytest.raises(InvalidTransition, match="another process"):
            await away.journal.move(job.id, JobState.PAINTED)


async def test_workers_that_live_are_counted(start: Starts) -> None:
    bot, *workers = [await start(name, lease=1.0) for name in "abc"]
    assert await bot.journal.workers() == 1, "none has come up yet"
    for worker in workers:
        await worker.journal.claim()

    async def are(count: int) -> bool:
        return await bot.journal.workers() == count

    await until(lambda: are(2))
    await workers[0].close()
    await until(lambda: are(1))


class TestNews:
    async def test_others_are_heard_and_oneself_is_not(self, start: Starts) -> None:
        bot, worker = await start("bot"), await start("worker")
        heard: asyncio.Queue[News] = asyncio.Queue()
        listening = asyncio.create_task(bot.journal.listen(heard.put_nowait))
        job = await bot.journal.add(job_of())
        await worker.journal.claim()
        async with asyncio.timeout(PATIENCE):
            news = await heard.get()
        assert (news.job.id, news.job.state, news.is_ours) == (job.id, JobState.RUNNING, False)
        assert heard.empty()
        listening.cancel()

    async def test_old_news_of_a_job_that_was_claimed_since_are_no_loss_of_it(
        self, start: Starts
    ) -> None:
        bot, worker = await start("bot"), await start("worker")
        heard: asyncio.Queue[News] = asyncio.Queue()
        jobs = [await bot.journal.add(job_of(person)) for person in range(10)]
        listening = asyncio.create_task(worker.journal.listen(heard.put_nowait))
        for _ in jobs:
            claimed = await worker.journal.claim()
            assert claimed is not None
            while not heard.empty():
                news = heard.get_nowait()
                assert news.is_ours == (news.job.state is JobState.RUNNING)
        listening.cancel()

    async def test_a_wish_to_finish_early_reaches_the_worker(self, start: Starts) -> None:
        bot, worker = await start("bot"), await start("worker")
        job = await bot.journal.add(job_of())
        await worker.journal.claim()
        heard: asyncio.Queue[News] = asyncio.Queue()
        listening = asyncio.create_task(worker.journal.listen(heard.put_nowait))
        await bot.journal.note(job.id, status_message=5)
        await bot.journal.note(job.id, finish_early=True)
        async with asyncio.timeout(PATIENCE):
            while not (news := await heard.get()).job.finish_early:
                assert news.job.id == job.id
        assert news.is_ours
        listening.cancel()

    async def test_what_happened_while_redis_was_away_is_heard(
        self, start: Starts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto_saq.journal.PAUSE_SECONDS", 0.01)
        bot, worker = await start("bot"), await start("worker")
        job = await bot.journal.add(job_of())
        await worker.journal.claim()
        heard: asyncio.Queue[News] = asyncio.Queue()
        asked = asyncio.Event()

        async def away(*_: Any, **__: Any) -> Any:
            asked.set()
            raise RedisConnectionError("Connection reset by peer")

        with monkeypatch.context() as patch:
            patch.setattr("redis.asyncio.Redis.xread", away)
            listening = asyncio.create_task(worker.journal.listen(heard.put_nowait))
            await asked.wait()
            await bot.journal.move(job.id, JobState.CANCELLED)
        async with asyncio.timeout(PATIENCE):
            while (await heard.get()).job.state is not JobState.CANCELLED:
                pass
        listening.cancel()


class TestLostAnswers:
    """A script ran, and the connection broke before its answer came."""

    @pytest.fixture
    def lose(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[RedisStorage, str], None]:
        def lose(storage: RedisStorage, script: str) -> None:
            # That a script's answer is lost, Redis cannot be made to do.
            server = storage.journal._server
            run, remaining = server.run, [script]

            async def run_and_lose(asked: str, *arguments: Any) -> Any:
                answer = await run(asked, *arguments)
                if asked in remaining:
                    remaining.remove(asked)
                    raise RedisConnectionError("Connection reset by peer")
                return answer

            monkeypatch.setattr(server, "run", run_and_lose)

        return lose

    async def test_a_move_is_made_once(self, start: Starts, lose: Any) -> None:
        worker = await start("a")
        job = await worker.journal.add(job_of())
        await worker.journal.claim()
        lose(worker, "write")
        with pytest.raises(RedisConnectionError):
            await worker.journal.move(job.id, JobState.PAINTED, seconds=2.0)
        painted = await worker.journal.move(job.id, JobState.PAINTED, seconds=2.0)
        assert (painted.state, painted.seconds) == (JobState.PAINTED, 2.0)
        await worker.journal.move(job.id, JobState.DELIVERED)

    async def test_a_job_that_was_claimed_unawares_is_gone_on_with(
        self, start: Starts, lose: Any
    ) -> None:
        worker = await start("a")
        job = await worker.journal.add(job_of())
        lose(worker, "write")
        with pytest.raises(RedisConnectionError):
            await worker.journal.claim()
        [adopted] = await worker.journal.adopt_jobs()
        assert (adopted.id, adopted.state) == (job.id, JobState.RUNNING)

    async def test_a_job_that_was_added_unawares_is_gone_on_with(
        self, start: Starts, lose: Any
    ) -> None:
        bot = await start("a")
        lose(bot, "add")
        job = job_of(origin="update 1 job 1")
        with pytest.raises(RedisConnectionError):
            await bot.journal.add(job)
        again = await bot.journal.add(job_of(origin="update 1 job 1"))
        assert again.id == job.id
        assert [adopted.id for adopted in await bot.journal.adopt_jobs()] == [job.id]

    async def test_what_could_not_be_read_after_it_was_adopted_is_adopted_again(
        self, start: Starts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = await start("a")
        job = await first.journal.add(job_of())
        await first.close()
        second = await start("a")

        async def lost(_: str) -> None:
            raise RedisConnectionError("Connection reset by peer")

        with monkeypatch.context() as patch:
            patch.setattr(second.journal, "get", lost)
            with pytest.raises(RedisConnectionError):
                await second.journal.adopt_jobs()
        assert [adopted.id for adopted in await second.journal.adopt_jobs()] == [job.id]

    async def test_updates_that_were_taken_unawares_are_handled(
        self, start: Starts, lose: Any
    ) -> None:
        bot = await start("a")
        lose(bot, "take_updates")
        with pytest.raises(RedisConnectionError):
            await bot.journal.take_updates([(7, "{}")])
        assert await bot.journal.take_updates([(7, "{}"), (8, "{}")]) == [8]
        assert await bot.journal.adopt_updates() == [(7, "{}")]


async def test_finished_updates_are_remembered_without_their_text(
    start: Starts, stored: Redis
) -> None:
    journal = (await start("a")).journal
    await journal.take_updates([(7, "what somebody wrote")])
    await journal.begin_update(7)
    await journal.finish_update(7)
    assert not stored.exists(f"{PREFIX}updates")
    assert await journal.take_updates([(7, "what somebody wrote")]) == []
    assert stored.zrange(f"{PREFIX}finished", 0, -1) == ["7"]
    assert not stored.exists(f"{PREFIX}updates")


async def test_old_updates_are_forgotten(start: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = (await start("a")).journal
    await journal.take_updates([(7, "a"), (8, "b")])
    await journal.finish_update(7)
    monkeypatch.setattr("impasto_saq.journal.UPDATES_KEPT_SECONDS", -60)
    # 7 is new again; 8 is unfinished, so it is kept whatever its age.
    assert await journal.take_updates([(7, "a"), (8, "b")]) == [7]


async def test_nothing_is_left_of_a_pruned_job(start: Starts, stored: Redis) -> None:
    journal = (await start("a")).journal
    before = set(stored.keys())
    job = await journal.add(job_of(origin="update 1 job 1"))
    await journal.claim()
    await journal.move(job.id, JobState.PAINTED)
    await journal.move(job.id, JobState.DELIVERED)
    # As the first version has left it.
    stored.zadd(f"{PREFIX}jobs", {job.id: 1})
    stored.rpush(f"{PREFIX}changes:{job.id}", "accepted 0.0")
    moved = await journal.get(job.id)
    assert await journal.prune(moved.changed_at) == 0
    assert await journal.prune(moved.changed_at.replace(year=moved.changed_at.year + 1)) == 1
    counters = {"number", "turn", "version", "news"}
    left = set(stored.keys()) - before
    assert {name.removeprefix(PREFIX) for name in left} == counters


class TestIsolation:
    KEY = StorageKey(bot_id=1, chat_id=2, user_id=3)

    async def test_holds_across_processes_for_as_long_as_it_takes(
        self, start: Starts, stored: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto_saq.dialogue.RENEWALS_PER_LEASE", 20 * LEASE)
        one, other = await start("a"), await start("b")
        entered = asyncio.Event()

        async def enter() -> None:
            async with other.isolation.lock(self.KEY):
                entered.set()

        async with one.isolation.lock(self.KEY):
            waiting = asyncio.create_task(enter())
            [lock] = stored.keys("*lock")
            half = round(1000 * LEASE / 2)
            stored.pexpire(lock, half)
            await until(lambda: stored.pttl(lock) > half)
            assert not entered.is_set()
        async with asyncio.timeout(PATIENCE):
            await entered.wait()
        await waiting

    async def test_is_given_back_also_when_a_cancellation_gets_lost(
        self, start: Starts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto_saq.dialogue.RENEWALS_PER_LEASE", 20 * LEASE)
        storage = await start("a")
        renewing = asyncio.Event()

        async def lose_the_first(_: Any) -> None:
            if not renewing.is_set():
                renewing.set()
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

        monkeypatch.setattr("impasto_saq.dialogue.Lock.reacquire", lose_the_first)
        async with asyncio.timeout(PATIENCE):
            async with storage.isolation.lock(self.KEY):
                await renewing.wait()
            async with storage.isolation.lock(self.KEY):
                pass

    @pytest.mark.parametrize("lost", [RedisConnectionError, OSError])
    async def test_what_was_handled_is_handled_also_when_the_lock_cannot_be_given_back(
        self, start: Starts, monkeypatch: pytest.MonkeyPatch, lost: type[Exception]
    ) -> None:
        async def fail(_: Any) -> None:
            raise lost

        storage = await start("a")
        monkeypatch.setattr("impasto_saq.dialogue.Lock.release", fail)
        async with storage.isolation.lock(self.KEY):
            pass

    async def test_ends_with_its_process(self, start: Starts, stored: Redis) -> None:
        one, other = await start("a"), await start("b")
        lock = one.isolation.lock(self.KEY)
        holding = asyncio.create_task(lock.__aenter__())
        await holding
        for task in asyncio.all_tasks():
            # A process that is killed renews nothing; these are all in one.
            if task.get_coro().__qualname__ == "RedisIsolation._renew":
                task.cancel()
        [name] = stored.keys("*lock")
        stored.pexpire(name, 1)
        async with asyncio.timeout(PATIENCE), other.isolation.lock(self.KEY):
            pass


class TestOpening:
    async def test_no_redis(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("impasto_saq.connection._TRIES", 1)
        settings = SaqSettings(redis_url="redis://:secret@127.0.0.1:1/0")
        storage = RedisStorage(settings, "1", tmp_path)
        with pytest.raises(OwnerError, match="redis_url") as caught:
            await storage.open()
        assert "secret" not in str(caught.value)
        await storage.close()

    async def test_no_url(self, tmp_path: Path) -> None:
        settings = SaqSettings(redis_url="localhost secret")
        with pytest.raises(OwnerError, match="such as redis://") as caught:
            await RedisStorage(settings, "1", tmp_path).open()
        assert "secret" not in str(caught.value)

    async def test_no_state_dir(self, redis: RedisServer, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        storage = RedisStorage(SaqSettings(redis_url=redis.url), "1", tmp_path / "file")
        with pytest.raises(OwnerError, match="state_dir"):
            await storage.open()
        await storage.close()

    async def test_closing_twice_and_unopened_does_no_harm(
        self, redis: RedisServer, tmp_path: Path
    ) -> None:
        storage = RedisStorage(SaqSettings(redis_url=redis.url), "1", tmp_path)
        await storage.close()
        await storage.open()
        await storage.close()
        await storage.close()


class TestFull:
    """A Redis that takes no more: new jobs are refused, and what was accepted comes to its end."""

    @pytest.fixture
    async def full(self, start: Starts, stored: Redis) -> AsyncIterator[RedisStorage]:
        storage = await start("a")
        self.waiting = await storage.journal.add(job_of())
        stored.config_set("maxmemory", "1mb")
        yield storage
        stored.config_set("maxmemory", "0")

    async def test_new_jobs_are_refused_as_by_a_machine_that_fails(
        self, full: RedisStorage
    ) -> None:
        with pytest.raises(OSError, match="Redis takes no writes") as refused:
            await full.journal.add(job_of())
        assert is_of_machine(refused.value)
        with pytest.raises(OSError, match="Redis takes no writes"):
            await full.dialogue.set_state(TestIsolation.KEY, "a state")
        with pytest.raises(OSError, match="Redis takes no writes"):
            await full.dialogue.update_data(TestIsolation.KEY, {"page": 1})

    async def test_pictures_are_painted_delivered_and_cancelled(self, full: RedisStorage) -> None:
        journal = full.journal
        claimed = await journal.claim()
        assert claimed is not None
        await journal.move(claimed.id, JobState.PAINTED)
        await journal.note(claimed.id, photo_id="photo")
        assert (await journal.move(claimed.id, JobState.DELIVERED)).is_settled

    async def test_taps_on_cancel_are_handled(self, full: RedisStorage) -> None:
        journal = full.journal
        assert await journal.take_updates([(7, "{}")]) == [7]
        assert await journal.begin_update(7) == 1
        async with full.isolation.lock(TestIsolation.KEY):
            await journal.move(self.waiting.id, JobState.CANCELLED, is_untold=True)
        await full.buckets.take(Rate("chat", 1.0, 5.0))
        await full.buckets.hold(Rate("chat", 1.0, 5.0), 1.0)
        await journal.finish_update(7)
        await journal.note(self.waiting.id, is_untold=False)

    async def test_processes_are_heard_of_and_replaced(
        self, full: RedisStorage, start: Starts, time: Time
    ) -> None:
        other = await start("b")
        await full.journal.claim()
        time.lease_passes(full)
        [adopted] = await other.journal.adopt_jobs()
        assert adopted.id == self.waiting.id


@pytest.mark.parametrize(
    "refusal",
    [
        OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        ReadOnlyError("You can't write against a read only replica."),
        ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
        ResponseError("NOREPLICAS Not enough good replicas to write."),
        ResponseError("Error running script: @user_script:8: -OOM command not allowed"),
    ],
)
async def test_a_redis_that_takes_no_writes_is_a_machine_that_fails(
    start: Starts, monkeypatch: pytest.MonkeyPatch, refusal: ResponseError
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise refusal

    storage = await start("a")
    monkeypatch.setattr(asyncio_redis.Redis, "execute_command", refuse)
    with pytest.raises(OSError, match="Redis takes no writes") as refused:
        await storage.journal.add(job_of())
    assert is_of_machine(refused.value)
    monkeypatch.undo()


async def test_a_worker_is_told_to_stop_at_a_job_that_was_lost(
    start: Starts, redis: RedisServer
) -> None:
    """As after FLUSHALL."""
    worker = await start("a")
    job = await worker.journal.add(job_of())
    store = JobStore(worker.journal)
    observer = AtHand(job)
    store.observe(observer)
    await store.look_for_vanished()
    assert observer.vanished == []
    redis.wipe()
    await store.look_for_vanished()
    assert observer.vanished == [job]


class AtHand(JobObserver):
    def __init__(self, job: Job) -> None:
        self._job = job
        self.vanished: list[Job] = []

    def jobs_at_hand(self) -> list[Job]:
        return [self._job]

    def job_vanished(self, job: Job) -> None:
        self.vanished.append(job)
