"""The SQLite storage: what is on its disk, and who may open it. What holds of every storage is in
test_storages.py."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram.fsm.storage.base import StorageKey

from impasto.errors import OwnerError
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto_sqlite import SqliteStorage

PHOTO = TelegramPicture(file_id="photo")
STYLE = ChosenStyle(preset="wave")


def job_of(person: int, **fields: object) -> Job:
    return Job(person=person, chat=person, content=PHOTO, styles=(STYLE,), **fields)


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

    assert await storage._database.run(pragmas) == ("wal", 2)


async def test_a_full_disk_is_named_and_passes(storage: SqliteStorage) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        connection.execute("INSERT INTO dialogue VALUES ('key', 'state', ?)", ("x" * 100_000,))

    with pytest.raises(sqlite3.OperationalError, match="full"):
        await storage._database.run(fill)
    await storage._database.run(lambda c: c.execute("PRAGMA max_page_count = 1000000"))
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
        bodies = await storage._database.run(
            lambda connection: connection.execute("SELECT body FROM updates").fetchall()
        )
        assert [row["body"] for row in bodies] == [""]

    async def test_old_ids_are_forgotten(
        self, storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = storage.journal
        await journal.take_updates([(7, "a"), (8, "b")])
        await journal.finish_update(7)
        monkeypatch.setattr("impasto_sqlite.journal.REMEMBER_UPDATES_SECONDS", -60)
        # 7 is new again; 8 is unfinished, so it is kept whatever its age.
        assert await journal.take_updates([(7, "a"), (8, "b")]) == [7]

    async def test_every_change_is_on_record_with_its_time(self, storage: SqliteStorage) -> None:
        job = job_of(1)
        await storage.journal.add(job)
        await storage.journal.claim()
        await storage.journal.move(job.id, JobState.CANCELLED)
        rows = await storage._database.run(
            lambda connection: connection.execute("SELECT state, at FROM changes").fetchall()
        )
        assert [row["state"] for row in rows] == ["accepted", "running", "cancelled"]
        assert sorted(row["at"] for row in rows) == [row["at"] for row in rows]

    async def test_is_empty_at_first_and_leaves_nothing_when_cleared(
        self, storage: SqliteStorage
    ) -> None:
        dialogue = storage.dialogue
        assert await dialogue.get_state(self.KEY) is None
        assert await dialogue.get_data(self.KEY) == {}
        await dialogue.set_state(self.KEY, "a")
        await dialogue.set_data(self.KEY, {"b": 1})
        await dialogue.set_state(self.KEY, None)
        assert await dialogue.get_data(self.KEY) == {"b": 1}
        await dialogue.set_data(self.KEY, {})
        rows = await storage._database.run(
            lambda connection: connection.execute("SELECT * FROM dialogue").fetchall()
        )
        assert rows == []


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
