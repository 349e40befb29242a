"""What the soak does to a bot is what it says."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram.methods import GetFile
from benchmarks.soak.bad_days import FaultOfFile
from benchmarks.soak.clock import Clocks
from benchmarks.soak.installation import processes_of
from benchmarks.soak.stores import RedisStore, SqliteStore, Store

from impasto.contracts import Storage
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto_playground import FaultKind
from impasto_playground.faults import SeenCall
from impasto_saq import RedisStorage
from impasto_saq.settings import SaqSettings
from impasto_sqlite import SqliteStorage

from ..redis_server import RedisServer, running_redis


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["sqlite", "redis"])
async def both(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Storage, Store]]:
    """A storage that is in use, and the soak's way to it."""
    storage: Storage = SqliteStorage(tmp_path / "state")
    store: Store = SqliteStore(tmp_path / "state", tmp_path / "attic")
    if request.param == "redis":
        url = request.getfixturevalue("redis").url
        storage = RedisStorage(SaqSettings(redis_url=url), "1", tmp_path / "state")
        store = RedisStore(url, "1")
    await storage.open()
    yield storage, store
    await store.empty()
    await storage.close()


def a_job() -> Job:
    picture = TelegramPicture(file_id="photo")
    return Job(person=1, chat=1, content=picture, styles=(ChosenStyle(preset="wave"),))


async def test_a_spoilt_row_cannot_be_read(both: tuple[Storage, Store]) -> None:
    storage, store = both
    assert await store.spoil(random.Random(1)) is None
    for seed in range(10):
        job = await storage.journal.add(a_job())
        assert await store.spoil(random.Random(seed)) == job.id
        found = await storage.journal.get(job.id)
        assert found is not None
        assert found.content.file_id == ""
        await storage.journal.move(job.id, JobState.ABANDONED)


async def test_a_row_of_tomorrow_is_read_as_it_was(both: tuple[Storage, Store]) -> None:
    storage, store = both
    job = await storage.journal.add(a_job())
    await store.write_of_tomorrow()
    assert await storage.journal.get(job.id) == job
    assert await store.jobs() == [job]


async def test_an_emptied_store_is_remembered(both: tuple[Storage, Store]) -> None:
    storage, store = both
    job = await storage.journal.add(a_job())
    assert [one.id for one in await store.empty()] == [job.id]
    assert [one.id for one in await store.jobs()] == [job.id]


async def test_what_a_bot_does_with_a_journal_that_was_taken_away_is_seen(tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path / "state")
    store = SqliteStore(tmp_path / "state", tmp_path / "attic")
    await storage.open()
    job = await storage.journal.add(a_job())
    await store.empty()
    assert store.unsettled() == [job]
    await storage.journal.move(job.id, JobState.ABANDONED)
    assert store.unsettled() == []
    await storage.close()


def test_a_child_is_found_when_its_parent_is_gone() -> None:
    sleeps = "import time; time.sleep(600)"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeps!r}])"
    parent = subprocess.Popen(
        [sys.executable, "-c", starts], start_new_session=True, stdout=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while len(found := processes_of({parent.pid})) < 2:
        assert time.monotonic() < deadline
    parent.kill()
    parent.wait()
    [child] = processes_of({parent.pid})
    assert child in found
    os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
async def test_clocks_jump_that_may_and_no_others(tmp_path: Path) -> None:
    clocks = Clocks(tmp_path)
    tells = """
import sys, time, datetime
for _ in sys.stdin:
    print(time.time(), datetime.datetime.now().timestamp(), time.monotonic(), flush=True)
"""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", tells),
        env={**os.environ, **clocks.environment("one")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    told = []
    for ahead in (0, 40 * 86_400, -3600, 0):
        clocks.put_ahead("one", ahead)
        process.stdin.write(b"\n")
        wall, now, steady = map(float, (await process.stdout.readline()).split())
        told.append((round((wall - time.time() - ahead) / 60), round((now - wall) / 60)))
        assert abs(steady - time.monotonic()) < 60
    process.stdin.close()
    await process.wait()
    assert told == [(0, 0)] * 4


def test_one_file_fails_and_no_other() -> None:
    fault = FaultOfFile(kind=FaultKind.ERROR)
    asked = [SeenCall("getFile", None, GetFile(file_id=name)) for name in "abac"]
    assert [fault.fits(call) for call in asked] == [True, False, True, False]
