"""Rows of the journal that cannot be read, in either storage: each ends in an explanation, and none
keeps others from being painted. What a newer version adds is ignored."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from aiogram.fsm.storage.base import StorageKey
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from redis import Redis

from impasto.contracts import Limits, News, PaintOptions, Storage
from impasto.errors import InvalidTransition, OwnerError
from impasto.jobs.job import (
    ChosenStyle,
    Effort,
    Job,
    JobState,
    TelegramPicture,
    read_job,
)
from impasto_saq import RedisStorage
from impasto_saq.settings import SaqSettings
from impasto_sqlite import SqliteStorage

from ..redis_server import RedisServer

BROKEN = ["", "{", "null", "[]", "7", "{}", '{"chat": 5, "status_message": 9}', "\x00"]


def job_of(person: int = 1, **fields: Any) -> Job:
    picture, style = TelegramPicture(file_id="photo"), ChosenStyle(preset="wave")
    needed = {"person": person, "chat": person, "content": picture, "styles": (style,)}
    return Job(**{**needed, **fields})


class Rows(Protocol):
    """What is stored of jobs, changed from outside."""

    async def spoil(self, job: Job, body: str, state: str | None = None) -> None: ...


class SqliteRows:
    def __init__(self, storage: SqliteStorage) -> None:
        self._storage = storage

    async def spoil(self, job: Job, body: str, state: str | None = None) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE jobs SET body = ?, state = ? WHERE id = ?",
                (body, state or job.state, job.id),
            )

        await self._storage._database.run(write)


class RedisRows:
    def __init__(self, server: RedisServer) -> None:
        self._url = server.url

    async def spoil(self, job: Job, body: str, state: str | None = None) -> None:
        with Redis.from_url(self._url) as client:
            fields = {"body": body, "state": state or job.state}
            client.hset(f"impasto:1:job:{job.id}", mapping=fields)


@pytest.fixture
def rows(storage: Storage, request: pytest.FixtureRequest) -> Rows:
    if isinstance(storage, SqliteStorage):
        return SqliteRows(storage)
    return RedisRows(request.getfixturevalue("redis"))


@pytest.mark.parametrize("body", BROKEN)
class TestUnreadable:
    async def test_one_that_waits_is_claimed_like_any_other(
        self, storage: Storage, rows: Rows, body: str
    ) -> None:
        journal = storage.journal
        broken, sound = job_of(1), job_of(2)
        await journal.add(broken)
        await journal.add(sound)
        await rows.spoil(broken, body)
        claimed = [await journal.claim(larger_than=1), await journal.claim()]
        assert {job.id for job in claimed if job} == {broken.id, sound.id}
        failed = await journal.move(broken.id, JobState.FAILED)
        assert failed.content.file_id == ""
        assert (await journal.move(broken.id, JobState.EXPLAINED)).person == 1
        assert await journal.claim() is None

    async def test_the_next_start_adopts_it(self, storage: Storage, rows: Rows, body: str) -> None:
        jobs = {state: job_of(state_number) for state_number, state in enumerate(JobState, 1)}
        for state, job in jobs.items():
            await storage.journal.add(job)
            await rows.spoil(job.model_copy(update={"state": state}), body)
        await storage.close()
        await storage.open()
        adopted = {job.id: job.state for job in await storage.journal.adopt_jobs()}
        for state in JobState:
            if not state.is_final:
                assert adopted[jobs[state].id] is state

    async def test_everything_else_is_read(self, storage: Storage, rows: Rows, body: str) -> None:
        journal = storage.journal
        broken, sound = job_of(1), job_of(1)
        await journal.add(broken)
        await journal.add(sound)
        await rows.spoil(broken, body)
        assert sound in await journal.of_person(1)
        assert await journal.last_painted(5) == []
        assert await journal.ahead_of(sound.id) == 1
        more = job_of(1)
        assert await journal.add(more, limits=Limits(unfinished=9, hourly=9, waiting=9)) == more
        assert (await journal.note(broken.id, status_message=7)).status_message == 7

    async def test_it_is_forgotten_and_pruned(
        self, storage: Storage, rows: Rows, body: str
    ) -> None:
        journal, job = storage.journal, job_of(1)
        await journal.add(job)
        await journal.move(job.id, JobState.CANCELLED)
        await rows.spoil(job, body, state="cancelled")
        assert all(job.is_forgotten for job in await journal.forget(1))
        await rows.spoil(job, body, state="cancelled")
        await journal.prune(datetime.now(UTC) + timedelta(hours=1))
        assert await journal.get(job.id) is None


async def test_news_of_it_are_heard(redis: RedisServer, tmp_path: Path) -> None:
    bot = RedisStorage(SaqSettings(redis_url=redis.url), "1", tmp_path / "bot")
    worker = RedisStorage(SaqSettings(redis_url=redis.url), "1", tmp_path / "worker")
    async with contextlib.AsyncExitStack() as cleanup:
        for storage in (bot, worker):
            await storage.open()
            cleanup.push_async_callback(storage.close)
        heard: asyncio.Queue[News] = asyncio.Queue()
        listening = asyncio.create_task(worker.journal.listen(heard.put_nowait))
        broken, sound = job_of(1), job_of(2)
        await bot.journal.add(broken)
        await RedisRows(redis).spoil(broken, "{")
        await bot.journal.move(broken.id, JobState.CANCELLED)
        await RedisRows(redis).spoil(broken, "{", state="cancelled")
        await bot.journal.add(sound)
        async with asyncio.timeout(30):
            while (await heard.get()).job.id != sound.id:
                pass
        assert not listening.done()
        listening.cancel()


async def test_a_job_that_redis_has_lost_keeps_no_other_waiting(
    redis: RedisServer, tmp_path: Path
) -> None:
    storage = RedisStorage(SaqSettings(redis_url=redis.url), "1", tmp_path)
    await storage.open()
    lost, sound = job_of(1), job_of(2)
    await storage.journal.add(lost)
    await storage.journal.add(sound)
    with Redis.from_url(redis.url) as client:
        client.delete(f"impasto:1:job:{lost.id}")
    claimed = await storage.journal.claim()
    assert claimed is not None
    assert claimed.id == sound.id
    assert await storage.journal.of_person(1) == []
    assert await storage.journal.count(JobState.ACCEPTED) == 0
    await storage.close()


class TestOtherVersions:
    """Bots and workers of two versions side by side, and going back to the older one."""

    async def test_what_a_newer_one_adds_is_ignored(self, storage: Storage, rows: Rows) -> None:
        job = job_of(1, options=PaintOptions(steps=7), effort=None)
        await storage.journal.add(job)
        newer = json.loads(job.model_dump_json())
        for part in (newer, newer["content"], newer["styles"][0], newer["options"]):
            part["of_version_9"] = {"new": True}
        await rows.spoil(job, json.dumps(newer))
        claimed = await storage.journal.claim()
        assert claimed is not None
        assert (claimed.content, claimed.options) == (job.content, job.options)

    async def test_a_state_that_is_new_is_told_as_a_failure(
        self, storage: Storage, rows: Rows
    ) -> None:
        job = job_of(1, chat=-5, language="ru", status_message=8)
        await storage.journal.add(job)
        newer = {**json.loads(job.model_dump_json()), "state": "postponed"}
        await rows.spoil(job, json.dumps(newer), state="postponed")
        await storage.close()
        await storage.open()
        (told,) = await storage.journal.adopt_jobs()
        assert (told.state, told.chat, told.status_message) == (JobState.FAILED, -5, 8)
        assert told.language == "ru"
        moved = await storage.journal.move(job.id, JobState.EXPLAINED)
        assert moved.is_settled

    async def test_a_newer_schema_of_sqlite_ends_the_start(self, tmp_path: Path) -> None:
        storage = SqliteStorage(tmp_path)
        await storage.open()
        await storage._database.run(lambda connection: connection.execute("PRAGMA user_version"))
        await storage.close()
        with contextlib.closing(sqlite3.connect(tmp_path / "impasto.sqlite")) as connection:
            connection.execute("PRAGMA user_version = 99")
        with pytest.raises(OwnerError, match="schema 99"):
            await storage.open()

    async def test_a_newer_schema_of_redis_ends_the_start(
        self, redis: RedisServer, tmp_path: Path
    ) -> None:
        storage = RedisStorage(SaqSettings(redis_url=redis.url), "1", tmp_path)
        await storage.open()
        await storage.close()
        with Redis.from_url(redis.url) as client:
            client.set("impasto:1:schema", 99)
        with pytest.raises(OwnerError, match="schema 99"):
            await storage.open()
        await storage.close()


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_numbers_that_json_does_not_have_are_refused(number: float) -> None:
    with pytest.raises(ValidationError):
        ChosenStyle(preset="wave", weight=number)
    with pytest.raises(ValidationError):
        Effort(pixels=1, steps=1, seconds=number, device="cpu")
    with pytest.raises(ValidationError):
        PaintOptions(style_weight=number)
    with pytest.raises(ValidationError):
        job_of(1, seconds=number)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)
SOUND = json.loads(job_of(1).model_dump_json())
ROWS = st.dictionaries(st.sampled_from(sorted(SOUND)), JSON).map(
    lambda fields: json.dumps({**SOUND, **fields})
)


@given(body=st.text() | ROWS, state=st.sampled_from([*JobState, "postponed", ""]))
@example(body="[" * 100_000, state="running")
@example(body='{"language": "\\ud800", "chat": 1e999}', state="failed")
def test_any_row_is_a_job_that_can_be_written_again(body: str, state: str) -> None:
    job = read_job(body, job_id="id", person=5, state=state)
    assert job.id == "id"
    again = job.model_dump_json()
    assert Job.model_validate_json(again) == job
    for to in JobState:
        with contextlib.suppress(InvalidTransition):
            job.moved(to)


@pytest.mark.parametrize("data", ["{", "[]", "7", "\x00"])
async def test_dialogue_data_that_cannot_be_read_are_none(
    storage: Storage, request: pytest.FixtureRequest, data: str
) -> None:
    key = StorageKey(bot_id=1, chat_id=2, user_id=3)
    await storage.dialogue.set_data(key, {"a": 1})
    await spoil_dialogue(storage, request, data)
    assert await storage.dialogue.get_data(key) == {}
    assert await storage.dialogue.update_data(key, {"b": 2}) == {"b": 2}


async def spoil_dialogue(storage: Any, request: pytest.FixtureRequest, data: str) -> None:
    if isinstance(storage, SqliteStorage):
        await storage._database.run(
            lambda connection: connection.execute("UPDATE dialogue SET data = ?", (data,))
        )
        return
    with Redis.from_url(request.getfixturevalue("redis").url) as client:
        for name in client.keys("impasto:1:dialogue:*"):
            client.set(name, data)


@given(body=st.text() | ROWS, state=st.sampled_from(["accepted", "running", "cancelled", "moon"]))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_row_lets_every_question_be_answered(
    storage: Storage, rows: Rows, body: str, state: str
) -> None:
    body = body.encode(errors="replace").decode()  # neither storage takes lone surrogates
    journal = storage.journal
    broken, sound = [await journal.add(job_of(person)) for person in (1, 2)]
    await rows.spoil(broken, body, state=state)
    await journal.adopt_jobs()
    await journal.of_person(1)
    await journal.last_painted(5)
    await journal.ahead_of(sound.id)
    claimed = [await journal.claim(larger_than=1), await journal.claim()]
    assert sound.id in {job.id for job in claimed if job is not None}
    for job in (broken, sound):
        with contextlib.suppress(InvalidTransition):  # it has ended
            await journal.move(job.id, JobState.ABANDONED)
    await journal.forget(1)
    await journal.prune(datetime.now(UTC) + timedelta(hours=1))
    assert await journal.get(sound.id) is None
