"""The SQLite storage: what is on its disk, and who may open it. What holds of every storage is in
test_storages.py."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from aiogram.fsm.storage.base import StorageKey

from impasto.errors import OwnerError
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.telegram.assembly import Assembly
from impasto_sqlite import SqliteStorage

PHOTO = TelegramPicture(file_id="photo")
STYLE = ChosenStyle(preset="wave")


def job_of(person: int, **fields: object) -> Job:
    return Job(person=person, chat=person, content=PHOTO, styles=(STYLE,), **fields)


Result = TypeVar("Result")


async def on_its_connection(
    storage: SqliteStorage, work: Callable[[sqlite3.Connection], Result]
) -> Result:
    """Pragmas and handlers are a connection's own: from another one they cannot be seen or set."""
    return await storage._database.run(work)


def rows_in(folder: Path, query: str) -> list[tuple[object, ...]]:
    """What is on the disk, as another program sees it."""
    with contextlib.closing(sqlite3.connect(folder / "impasto.sqlite")) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    storage = SqliteStorage(tmp_path)
    await storage.open()
    yield storage
    await storage.close()


async def test_commits_are_synced_to_the_disk(storage: SqliteStorage, tmp_path: Path) -> None:
    def pragmas(connection: sqlite3.Connection) -> tuple[str, int]:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        return mode, connection.execute("PRAGMA synchronous").fetchone()[0]

    assert await on_its_connection(storage, pragmas) == ("wal", 2)


async def test_a_full_disk_is_named_and_passes(storage: SqliteStorage) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        connection.execute("INSERT INTO dialogue VALUES ('key', 'state', ?)", ("x" * 100_000,))

    with pytest.raises(sqlite3.OperationalError, match="full"):
        await on_its_connection(storage, fill)
    await on_its_connection(storage, lambda c: c.execute("PRAGMA max_page_count = 1000000"))
    assert await storage.journal.take_updates([(7, "{}")]) == [7]


class TestContents:
    KEY = StorageKey(bot_id=1, chat_id=2, user_id=3)

    async def test_a_finished_update_stays_known_without_its_text(
        self, storage: SqliteStorage, tmp_path: Path
    ) -> None:
        journal = storage.journal
        await journal.take_updates([(7, "what somebody wrote")])
        await journal.finish_update(7)
        assert await journal.unfinished_updates() == []
        assert await journal.take_updates([(7, "what somebody wrote")]) == []
        bodies = await on_its_connection(
            storage, lambda connection: connection.execute("SELECT body FROM updates").fetchall()
        )
        assert [row["body"] for row in bodies] == [""]

    async def test_old_ids_are_forgotten(
        self, storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = storage.journal
        await journal.take_updates([(7, "a"), (8, "b")])
        await journal.finish_update(7)
        monkeypatch.setattr("impasto_sqlite.journal.UPDATES_KEPT_SECONDS", -60)
        # 7 is new again; 8 is unfinished, so it is kept whatever its age.
        assert await journal.take_updates([(7, "a"), (8, "b")]) == [7]

    async def test_is_empty_at_first_and_leaves_nothing_when_cleared(
        self, storage: SqliteStorage, tmp_path: Path
    ) -> None:
        dialogue = storage.dialogue
        assert await dialogue.get_state(self.KEY) is None
        assert await dialogue.get_data(self.KEY) == {}
        await dialogue.set_state(self.KEY, "a")
        await dialogue.set_data(self.KEY, {"b": 1})
        await dialogue.set_state(self.KEY, None)
        assert await dialogue.get_data(self.KEY) == {"b": 1}
        await dialogue.set_data(self.KEY, {})
        rows = await on_its_connection(
            storage, lambda connection: connection.execute("SELECT * FROM dialogue").fetchall()
        )
        assert rows == []


FIRST_SCHEMA = """
CREATE TABLE updates (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    finished_at REAL
) STRICT;
CREATE INDEX updates_by_finish ON updates (finished_at);
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    origin TEXT UNIQUE,
    person INTEGER NOT NULL,
    state TEXT NOT NULL,
    turn INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_person ON jobs (person, state, turn);
CREATE TABLE changes (job TEXT NOT NULL, state TEXT NOT NULL, at REAL NOT NULL) STRICT;
CREATE INDEX changes_by_job ON changes (job);
CREATE TABLE dialogue (key TEXT PRIMARY KEY, state TEXT, data TEXT) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"""


async def steps_of(storage: SqliteStorage, work: Awaitable[object]) -> int:
    """How many instructions of its virtual machine SQLite takes for this: rows visited, mostly."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    await on_its_connection(storage, lambda connection: connection.set_progress_handler(count, 1))
    await work
    await on_its_connection(storage, lambda connection: connection.set_progress_handler(None, 1))
    return steps


class TestOrder:
    """However many have ever waited, who is next and how many come before one costs little."""

    @staticmethod
    async def crowd(storage: SqliteStorage, size: int) -> list[Job]:
        """As many people with a job that is done, one that is painted and two that wait."""

        def fill(connection: sqlite3.Connection) -> list[Job]:
            jobs = [job_of(person) for _ in range(4) for person in range(size)]
            states = [JobState.DELIVERED, JobState.DELIVERED, JobState.ACCEPTED, JobState.ACCEPTED]
            for number, job in enumerate(jobs):
                state, turn = states[number // size], (number + 1) % (2 * size + 1)
                connection.execute(
                    "INSERT INTO jobs (id, person, state, turn, body) VALUES (?, ?, ?, ?, ?)",
                    (
                        job.id,
                        job.person,
                        state,
                        turn if number < 2 * size else 0,
                        job.model_copy(update={"state": state}).model_dump_json(),
                    ),
                )
            return jobs[2 * size :]

        return await on_its_connection(storage, fill)

    @pytest.mark.parametrize("larger_than", [None, 500_000])
    async def test_a_claim_looks_at_what_waits_once(
        self, storage: SqliteStorage, larger_than: int | None
    ) -> None:
        first, *others = await self.crowd(storage, 100)
        claimed: list[Job | None] = []

        async def claim() -> None:
            claimed.append(await storage.journal.claim(larger_than=larger_than))

        assert await steps_of(storage, claim()) < 100 * (1 + len(others))
        assert [job.id for job in claimed if job] == [first.id]

    async def test_places_are_counted_once_for_all_who_ask(self, storage: SqliteStorage) -> None:
        *_, last = await self.crowd(storage, 100)
        places: list[int] = []

        async def ask() -> None:
            places.append(await storage.journal.ahead_of(last.id))

        await ask()
        assert await steps_of(storage, ask()) < 200
        assert places == [199, 199]
        await storage.journal.claim()
        await ask()
        assert places[-1] == 199, "one less waits, one more is painted"

    async def test_is_the_same_after_a_restart(self, storage: SqliteStorage) -> None:
        jobs = [await storage.journal.add(job_of(person)) for person in (1, 1, 2, 3)]
        await storage.journal.claim()

        async def places() -> list[int]:
            return [await storage.journal.ahead_of(job.id) for job in jobs]

        before = await places()
        await storage.close()
        await storage.open()
        assert await places() == before == [0, 3, 1, 2]

    async def test_is_as_before_when_a_change_fails(self, storage: SqliteStorage) -> None:
        job = await storage.journal.add(job_of(1))
        with pytest.raises(ValueError, match="seconds"):
            await storage.journal.move(job.id, JobState.CANCELLED, seconds="many")
        claimed = await storage.journal.claim()
        assert claimed is not None
        assert claimed.id == job.id


class TestOpening:
    async def test_a_second_bot_on_the_same_state_is_refused(
        self, storage: SqliteStorage, tmp_path: Path
    ) -> None:
        with pytest.raises(OwnerError, match="another bot is running"):
            await SqliteStorage(tmp_path).open()
        assert await storage.journal.unfinished_updates() == []

    async def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "impasto.sqlite").write_bytes(b"no database " * 1000)
        with pytest.raises(OwnerError, match="cannot be used"):
            await SqliteStorage(tmp_path).open()

    async def test_a_file_of_the_first_version_goes_on(self, tmp_path: Path) -> None:
        waiting, done = job_of(1), job_of(2).model_copy(update={"state": JobState.DELIVERED})
        with sqlite3.connect(tmp_path / "impasto.sqlite") as connection:
            connection.executescript(FIRST_SCHEMA)
            for job in (done, waiting):
                connection.execute(
                    "INSERT INTO jobs (id, person, state, body) VALUES (?, ?, ?, ?)",
                    (job.id, job.person, job.state, job.model_dump_json()),
                )
                connection.execute("INSERT INTO changes VALUES (?, ?, 0.0)", (job.id, job.state))
        connection.close()
        storage = SqliteStorage(tmp_path)
        await storage.open()
        assert await storage.journal.get(done.id) == done
        claimed = await storage.journal.claim()
        assert claimed is not None
        assert claimed.id == waiting.id
        await storage.close()
        await storage.open()
        assert [job.id for job in await storage.journal.adopt_jobs()] == [waiting.id]
        await storage.close()

    async def test_a_file_of_a_later_version(self, storage: SqliteStorage, tmp_path: Path) -> None:
        await storage.close()
        with sqlite3.connect(tmp_path / "impasto.sqlite") as connection:
            connection.execute("PRAGMA user_version = 99")
        with pytest.raises(OwnerError, match="another version"):
            await storage.open()

    async def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(OwnerError, match="state_dir"):
            await SqliteStorage(tmp_path / "file" / "state").open()

    async def test_closing_twice_and_unopened_does_no_harm(self, tmp_path: Path) -> None:
        storage = SqliteStorage(tmp_path)
        await storage.close()
        await storage.open()
        await storage.close()
        await storage.close()


class TestGoneUnderARunningBot:
    """What would vanish is not accepted; what was accepted is gone on with, as far as it can be."""

    @pytest.fixture(params=["folder emptied", "replaced", "truncated"])
    def gone(self, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], None]:
        file = tmp_path / "impasto.sqlite"

        def emptied() -> None:
            for path in tmp_path.iterdir():
                path.unlink()

        def replaced() -> None:
            other = tmp_path / "other"
            other.write_bytes(file.read_bytes())
            other.replace(file)

        kinds = {
            "folder emptied": emptied,
            "replaced": replaced,
            "truncated": lambda: os.truncate(file, 0),
        }
        return kinds[request.param]

    async def test_nothing_more_is_accepted(
        self, storage: SqliteStorage, gone: Callable[[], None]
    ) -> None:
        journal = storage.journal
        await journal.take_updates([(1, "{}")])
        gone()
        with pytest.raises((OSError, sqlite3.DatabaseError)):
            await journal.take_updates([(2, "{}")])
        with pytest.raises((OSError, sqlite3.DatabaseError)):
            await journal.add(job_of(1))
        with pytest.raises((OSError, sqlite3.DatabaseError)):
            await journal.count(JobState.RUNNING)

    async def test_what_is_under_way_is_finished(
        self, storage: SqliteStorage, tmp_path: Path
    ) -> None:
        job = await storage.journal.add(job_of(1))
        (tmp_path / "impasto.sqlite").unlink()
        with pytest.raises(OSError, match="removed, replaced or emptied") as caught:
            await storage.journal.add(job_of(2))
        assert caught.value.errno == errno.EIO
        assert (await storage.journal.move(job.id, JobState.RUNNING)).state is JobState.RUNNING

    async def test_the_owners_hear_of_it(self, storage: SqliteStorage, tmp_path: Path) -> None:
        told: list[Exception] = []
        alerts = SimpleNamespace(machine_fails=told.append)
        assembly: Any = SimpleNamespace(alerts=alerts, storage=storage)
        assembly.check = lambda: Assembly.check(assembly)
        await Assembly.watch(assembly)
        (tmp_path / "impasto.sqlite").unlink()
        with pytest.raises(OSError, match="journal was removed"):
            await Assembly.watch(assembly)
        assert len(told) == 1
