"""The SQLite storage: nothing lost, nothing twice, fair turns."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram.exceptions import DataNotDictLikeError
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import StorageKey

from impasto.errors import InvalidTransition, OwnerError
from impasto.jobs.job import ChosenStyle, Failure, Job, JobState, TelegramPicture
from impasto.jobs.journal import Storage
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


async def reopened(storage: SqliteStorage, tmp_path: Path) -> SqliteStorage:
    await storage.close()
    await storage.open()
    return storage


def test_keeps_the_contract(tmp_path: Path) -> None:
    assert isinstance(SqliteStorage(tmp_path), Storage)


async def test_commits_are_synced_to_the_disk(storage: SqliteStorage, tmp_path: Path) -> None:
    def pragmas(connection: sqlite3.Connection) -> tuple[str, int]:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        return mode, connection.execute("PRAGMA synchronous").fetchone()[0]

    assert await storage._database.run(pragmas) == ("wal", 2)


class TestUpdates:
    async def test_an_update_is_taken_once(self, storage: SqliteStorage) -> None:
        journal = storage.journal
        assert await journal.take_updates([(7, "a"), (8, "b")]) == [7, 8]
        assert await journal.take_updates([(8, "b"), (9, "c")]) == [9]
        assert await journal.unfinished_updates() == [(7, "a"), (8, "b"), (9, "c")]

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

    async def test_attempts_are_counted_across_restarts(
        self, storage: SqliteStorage, tmp_path: Path
    ) -> None:
        await storage.journal.take_updates([(7, "a")])
        assert await storage.journal.begin_update(7) == 1
        await reopened(storage, tmp_path)
        assert await storage.journal.begin_update(7) == 2

    async def test_old_ids_are_forgotten(
        self, storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = storage.journal
        await journal.take_updates([(7, "a"), (8, "b")])
        await journal.finish_update(7)
        monkeypatch.setattr("impasto_sqlite.journal.REMEMBER_UPDATES_SECONDS", -60)
        # 7 is new again; 8 is unfinished, so it is kept whatever its age.
        assert await journal.take_updates([(7, "a"), (8, "b")]) == [7]


class TestJobs:
    async def test_survive_a_restart(self, storage: SqliteStorage, tmp_path: Path) -> None:
        job = job_of(1, language="ru")
        assert await storage.journal.add(job) == job
        await reopened(storage, tmp_path)
        assert await storage.journal.get(job.id) == job

    async def test_move_changes_state_facts_and_time(self, storage: SqliteStorage) -> None:
        job = job_of(1)
        await storage.journal.add(job)
        failure = Failure(code="style_gone", sentence="The style is gone.", facts={"n": 1})
        moved = await storage.journal.move(job.id, JobState.FAILED, failure=failure)
        assert (moved.state, moved.failure) == (JobState.FAILED, failure)
        assert moved.changed_at > job.changed_at
        assert await storage.journal.get(job.id) == moved

    async def test_a_forbidden_move_changes_nothing(self, storage: SqliteStorage) -> None:
        job = job_of(1)
        await storage.journal.add(job)
        with pytest.raises(InvalidTransition, match="delivered may not follow accepted"):
            await storage.journal.move(job.id, JobState.DELIVERED, seconds=1.0)
        assert await storage.journal.get(job.id) == job

    async def test_an_unknown_job_cannot_be_moved(self, storage: SqliteStorage) -> None:
        with pytest.raises(InvalidTransition, match="no job nowhere"):
            await storage.journal.move("nowhere", JobState.RUNNING)

    async def test_note_keeps_the_state_and_checks_the_facts(self, storage: SqliteStorage) -> None:
        job = job_of(1)
        await storage.journal.add(job)
        noted = await storage.journal.note(job.id, status_message=5)
        assert (noted.state, noted.status_message) == (JobState.ACCEPTED, 5)
        with pytest.raises(ValueError, match="no_such_field"):
            await storage.journal.note(job.id, no_such_field=1)

    async def test_the_limit_counts_unfinished_jobs_of_the_person(
        self, storage: SqliteStorage
    ) -> None:
        journal = storage.journal
        first, second = job_of(1), job_of(1)
        assert await journal.add(first, limit=1) == first
        assert await journal.add(second, limit=1) is None
        assert await journal.get(second.id) is None
        assert await journal.add(job_of(2), limit=1) is not None
        await journal.move(first.id, JobState.CANCELLED)
        assert await journal.add(second, limit=1) == second

    async def test_the_same_origin_gives_the_same_job(self, storage: SqliteStorage) -> None:
        first = job_of(1, origin="update 7 job 1")
        await storage.journal.add(first, limit=1)
        again = job_of(1, origin="update 7 job 1")
        assert await storage.journal.add(again, limit=1) == first
        assert await storage.journal.get(again.id) is None

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

    async def test_in_states_and_of_person_list_oldest_first(self, storage: SqliteStorage) -> None:
        journal = storage.journal
        jobs = [job_of(1), job_of(2), job_of(1)]
        for job in jobs:
            await journal.add(job)
        await journal.move(jobs[1].id, JobState.CANCELLED)
        accepted = await journal.in_states(JobState.ACCEPTED)
        assert [job.id for job in accepted] == [jobs[0].id, jobs[2].id]
        assert [job.id for job in await journal.of_person(1)] == [jobs[0].id, jobs[2].id]
        assert await journal.of_person(2) == []


class TestTurns:
    async def test_people_take_turns(self, storage: SqliteStorage) -> None:
        journal = storage.journal
        for person in (1, 1, 1, 2, 3):
            await journal.add(job_of(person))
        claimed = [(await journal.claim()) for _ in range(5)]
        assert [job.person for job in claimed if job] == [1, 2, 3, 1, 1]
        assert await journal.claim() is None

    async def test_a_claim_counts_an_attempt(self, storage: SqliteStorage) -> None:
        await storage.journal.add(job_of(1))
        job = await storage.journal.claim()
        assert job is not None
        assert (job.state, job.attempts) == (JobState.RUNNING, 1)

    async def test_a_job_that_was_handed_back_does_not_cost_its_turn(
        self, storage: SqliteStorage
    ) -> None:
        journal = storage.journal
        for person in (1, 2):
            await journal.add(job_of(person))
        first = await journal.claim()
        assert first is not None
        await journal.move(first.id, JobState.ACCEPTED)
        again = await journal.claim()
        assert again is not None
        assert again.id == first.id

    async def test_ahead_of_tells_the_order_of_claims(self, storage: SqliteStorage) -> None:
        journal = storage.journal
        for person in (4, 4, 2, 1, 1, 1, 3, 2):
            await journal.add(job_of(person))
        running = await journal.claim()
        assert running is not None
        ahead = {job.id: await journal.ahead_of(job.id) for job in await waiting(storage)}
        order = []
        while (job := await journal.claim()) is not None:
            order.append(job.id)
        assert [ahead[job_id] for job_id in order] == list(range(1, len(order) + 1))

    async def test_ahead_of_is_zero_for_what_does_not_wait(self, storage: SqliteStorage) -> None:
        assert await storage.journal.ahead_of("nowhere") == 0


async def waiting(storage: SqliteStorage) -> list[Job]:
    return await storage.journal.in_states(JobState.ACCEPTED)


class Steps(StatesGroup):
    photo = State()


class TestDialogue:
    KEY = StorageKey(bot_id=1, chat_id=2, user_id=3)

    async def test_survives_a_restart(self, storage: SqliteStorage, tmp_path: Path) -> None:
        await storage.dialogue.set_state(self.KEY, Steps.photo)
        await storage.dialogue.set_data(self.KEY, {"photo": "id", "n": [1, {"ж": None}]})
        await reopened(storage, tmp_path)
        assert await storage.dialogue.get_state(self.KEY) == "Steps:photo"
        assert await storage.dialogue.get_data(self.KEY) == {"photo": "id", "n": [1, {"ж": None}]}

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

    async def test_update_data_merges(self, storage: SqliteStorage) -> None:
        await storage.dialogue.set_data(self.KEY, {"a": 1, "b": 1})
        assert await storage.dialogue.update_data(self.KEY, {"b": 2}) == {"a": 1, "b": 2}
        assert await storage.dialogue.get_value(self.KEY, "b") == 2

    @pytest.mark.parametrize(
        "other",
        [
            StorageKey(bot_id=9, chat_id=2, user_id=3),
            StorageKey(bot_id=1, chat_id=9, user_id=3),
            StorageKey(bot_id=1, chat_id=2, user_id=9),
            StorageKey(bot_id=1, chat_id=2, user_id=3, thread_id=9),
            StorageKey(bot_id=1, chat_id=2, user_id=3, destiny="other"),
            StorageKey(bot_id=1, chat_id=2, user_id=3, business_connection_id="b"),
        ],
    )
    async def test_keys_do_not_mix(self, storage: SqliteStorage, other: StorageKey) -> None:
        await storage.dialogue.set_state(self.KEY, "mine")
        await storage.dialogue.set_state(other, "theirs")
        assert await storage.dialogue.get_state(self.KEY) == "mine"

    async def test_data_must_be_a_dict(self, storage: SqliteStorage) -> None:
        with pytest.raises(DataNotDictLikeError):
            await storage.dialogue.set_data(self.KEY, [("a", 1)])  # type: ignore[arg-type]


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
