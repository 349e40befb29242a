"""The wall clock jumps, weeks ahead and back: nobody is refused or kept waiting for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from impasto.contracts import LimitReached, Limits, Rate, Storage
from impasto.jobs.job import ChosenStyle, Job, TelegramPicture
from impasto_saq import RedisStorage
from impasto_saq.settings import SaqSettings

from ..redis_server import RedisServer

DAYS = timedelta(days=40)
ONE = Limits(hourly=1)


def job_of(person: int, accepted: timedelta) -> Job:
    return Job(
        person=person,
        chat=person,
        content=TelegramPicture(file_id="photo"),
        styles=(ChosenStyle(preset="wave"),),
        accepted_at=datetime.now(UTC) + accepted,
    )


@pytest.mark.parametrize("accepted", [DAYS, -DAYS, timedelta(hours=2), timedelta(minutes=5)])
async def test_what_was_accepted_by_another_clock_does_not_count(
    storage: Storage, accepted: timedelta
) -> None:
    await storage.journal.add(job_of(1, accepted))
    job = job_of(1, timedelta())
    assert await storage.journal.add(job, limits=ONE) == job


@pytest.mark.parametrize("accepted", [timedelta(), timedelta(seconds=20), -timedelta(minutes=59)])
async def test_what_was_accepted_within_the_hour_does(
    storage: Storage, accepted: timedelta
) -> None:
    await storage.journal.add(job_of(1, accepted))
    with pytest.raises(LimitReached) as caught:
        await storage.journal.add(job_of(1, timedelta()), limits=ONE)
    assert 0 < caught.value.seconds <= 3600


async def test_a_job_of_the_future_is_painted(storage: Storage) -> None:
    job = job_of(1, DAYS)
    await storage.journal.add(job)
    claimed = await storage.journal.claim()
    assert claimed is not None
    assert claimed.id == job.id


async def test_nobody_waits_for_the_earlier_clock_of_redis(
    redis: RedisServer, tmp_path: Path
) -> None:
    storage = RedisStorage(SaqSettings(redis_url=redis.url), "1", tmp_path)
    await storage.open()
    rate = Rate("chat 1", 1.0, 5)
    with Redis.from_url(redis.url) as client:
        seconds, _ = client.time()
        ahead = seconds + DAYS.total_seconds()
        client.set("impasto:1:bucket:chat 1", ahead)
        assert await storage.buckets.take(rate) == 0
        client.set("impasto:1:bucket:chat 1", ahead)
        await storage.buckets.hold(rate, 30)
        assert 0 < await storage.buckets.take(rate) <= 31
        client.zadd("impasto:1:workers", {"of the future": 1000 * ahead})
        assert await storage.journal.workers() == 1
        assert client.zcard("impasto:1:workers") == 0
    await storage.close()
