"""The journal in SQLite: updates taken and jobs, each call one transaction."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from impasto.contracts import (
    CLOCKS_DIFFER_SECONDS,
    HOUR,
    NO_LIMITS,
    UPDATES_KEPT_SECONDS,
    LimitReached,
    Limits,
    News,
)
from impasto.errors import InvalidTransition
from impasto.jobs.job import Job, JobState, read_job
from impasto.jobs.order import WaitingJob, in_order
from impasto_sqlite.database import Database

_FINAL = tuple(state for state in JobState if state.is_final)


def _of_body(path: str) -> str:
    """SQL for a value in a job's body; NULL where the body is no JSON, of which json_extract would
    fail, and with it the whole query."""
    return f"CASE WHEN json_valid(body) THEN json_extract(body, '$.{path}') END"


_COLUMNS = "id, person, state, body"

_WAITING = f"""
    SELECT id, person, number,
           COALESCE(CAST({_of_body("options.max_pixels")} AS INTEGER), 0) AS pixels,
           (SELECT COALESCE(MAX(started.turn), 0) FROM jobs AS started
            WHERE started.person = jobs.person AND started.state <> 'accepted') AS turn
    FROM jobs WHERE state = 'accepted'
"""  # noqa: S608  (all SQL here is made of this module's own words)


class SqliteJournal:
    """See `impasto.contracts.Journal`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.begin_again()

    def begin_again(self) -> None:
        """The database was opened: by its only process, so that all earlier ones are gone."""
        self._has_adopted_updates = False
        self._has_adopted_jobs = False
        self._places: dict[str, int] | None = None
        """Of waiting jobs by their id, until one of them changes: everybody who waits asks."""

    async def take_updates(self, updates: Sequence[tuple[int, str]]) -> list[int]:
        now = time.time()

        def take(connection: sqlite3.Connection) -> list[int]:
            self._database.check_is_there()
            connection.execute(
                "DELETE FROM updates WHERE finished_at < ?", (now - UPDATES_KEPT_SECONDS,)
            )
            return [
                update_id
                for update_id, body in updates
                if connection.execute(
                    "INSERT INTO updates (id, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (update_id, body),
                ).rowcount
            ]

        return await self._database.run(take)

    async def begin_update(self, update_id: int) -> int:
        def begin(connection: sqlite3.Connection) -> int:
            row = connection.execute(
                "UPDATE updates SET attempts = attempts + 1 WHERE id = ? RETURNING attempts",
                (update_id,),
            ).fetchone()
            if row is None:
                raise KeyError(update_id)
            return int(row["attempts"])

        return await self._database.run(begin)

    async def finish_update(self, update_id: int) -> None:
        now = time.time()
        await self._database.run(
            lambda connection: connection.execute(
                "UPDATE updates SET finished_at = ?, body = '' WHERE id = ?", (now, update_id)
            )
        )

    async def unfinished_updates(self) -> list[tuple[int, str]]:
        return await self._database.run(
            lambda connection: [
                (row["id"], row["body"])
                for row in connection.execute(
                    "SELECT id, body FROM updates WHERE finished_at IS NULL ORDER BY id"
                )
            ]
        )

    async def adopt_updates(self) -> list[tuple[int, str]]:
        adopted = [] if self._has_adopted_updates else await self.unfinished_updates()
        self._has_adopted_updates = True
        return adopted

    async def adopt_jobs(self) -> list[Job]:
        query = (
            f"SELECT {_COLUMNS} FROM jobs WHERE state NOT IN ({_marks(_FINAL)}) "  # noqa: S608
            f"OR {_of_body('is_untold')} ORDER BY number"
        )
        if self._has_adopted_jobs:
            return []
        adopted = await self._database.run(lambda connection: _all(connection, query, *_FINAL))
        self._has_adopted_jobs = True
        return adopted

    async def listen(self, hear: Callable[[News], None]) -> None:
        await asyncio.Event().wait()  # there are no other processes

    async def add(self, job: Job, *, limits: Limits = NO_LIMITS) -> Job:
        def add(connection: sqlite3.Connection) -> Job:
            self._database.check_is_there()
            query = f"SELECT {_COLUMNS} FROM jobs WHERE origin = ?"  # noqa: S608
            known = _one(connection, query, job.origin)
            if known is not None:
                return known
            _check_limits(connection, job, limits)
            connection.execute(
                "INSERT INTO jobs (id, origin, person, state, body) VALUES (?, ?, ?, ?, ?)",
                (job.id, job.origin, job.person, job.state, job.model_dump_json()),
            )
            self._places = None
            return job

        return await self._database.run(add)

    async def get(self, job_id: str) -> Job | None:
        return await self._database.run(lambda connection: _job(connection, job_id))

    async def move(self, job_id: str, to: JobState, **facts: Any) -> Job:
        def move(connection: sqlite3.Connection) -> Job:
            job = _known(connection, job_id)
            return self._written(connection, job, job.moved(to, **facts))

        return await self._database.run(move)

    async def note(self, job_id: str, **facts: Any) -> Job:
        def note(connection: sqlite3.Connection) -> Job:
            job = _known(connection, job_id)
            return self._written(connection, job, job.changed(**facts))

        return await self._database.run(note)

    async def claim(self, *, larger_than: int | None = None) -> Job | None:
        def claim(connection: sqlite3.Connection) -> Job | None:
            for job_id in in_order(_waiting(connection), larger_than):
                job = _known(connection, job_id)
                if job.is_put_off:
                    continue
                connection.execute(
                    "UPDATE jobs SET turn = (SELECT MAX(turn) + 1 FROM jobs) WHERE id = ?",
                    (job.id,),
                )
                return self._written(connection, job, job.claimed())
            return None

        return await self._database.run(claim)

    async def of_person(self, person: int) -> list[Job]:
        return await self._database.run(lambda connection: _unfinished(connection, person))

    async def count(self, *states: JobState) -> int:
        def count(connection: sqlite3.Connection) -> int:
            self._database.check_is_there()
            return _count(connection, *states)

        return await self._database.run(count)

    async def last_painted(self, count: int) -> list[Job]:
        # The plus keeps the planner off the index of states: from the newest row back, a few rows
        # are enough.
        query = (
            f"SELECT {_COLUMNS} FROM jobs WHERE +state IN (?, ?) "  # noqa: S608
            f"AND {_of_body('effort')} IS NOT NULL ORDER BY number DESC LIMIT ?"
        )
        painted = await self._database.run(
            lambda connection: _all(connection, query, JobState.PAINTED, JobState.DELIVERED, count)
        )
        return [job for job in painted if job.effort is not None]

    async def ahead_of(self, job_id: str) -> int:
        def ahead_of(connection: sqlite3.Connection) -> int:
            if self._places is None:
                order = in_order(_waiting(connection))
                self._places = {waiting: place for place, waiting in enumerate(order)}
            place = self._places.get(job_id)
            return 0 if place is None else _count(connection, JobState.RUNNING) + place

        return await self._database.run(ahead_of)

    async def workers(self) -> int:
        return 1

    async def forget(self, person: int) -> list[Job]:
        def forget(connection: sqlite3.Connection) -> list[Job]:
            query = (
                f"SELECT {_COLUMNS} FROM jobs "  # noqa: S608
                f"WHERE person = ? AND state IN ({_marks(_FINAL)}) "
                f"AND {_of_body('is_forgotten')} IS NOT TRUE ORDER BY number"
            )
            jobs = [job.forgotten() for job in _all(connection, query, person, *_FINAL)]
            for job in jobs:
                _store(connection, job)
            return jobs

        return await self._database.run(forget)

    async def prune(self, before: datetime) -> int:
        def prune(connection: sqlite3.Connection) -> int:
            pruned = connection.execute(
                f"DELETE FROM jobs WHERE state IN ({_marks(_FINAL)}) "  # noqa: S608
                f"AND COALESCE(julianday({_of_body('changed_at')}), 0) < julianday(?)",
                (*_FINAL, before.isoformat()),
            ).rowcount
            self._places = None
            return pruned

        return await self._database.run(prune)

    def _written(self, connection: sqlite3.Connection, job: Job, changed: Job) -> Job:
        _store(connection, changed)
        if changed.state is not job.state or changed.options != job.options:
            self._places = None
        return changed


def _check_limits(connection: sqlite3.Connection, job: Job, limits: Limits) -> None:
    """Raises LimitReached where one job more would be too many."""
    if limits.unfinished is not None and (
        len(_unfinished(connection, job.person)) >= limits.unfinished
    ):
        raise LimitReached("unfinished")
    if limits.hourly is not None:
        ages = _ages_within_the_hour(connection, job.person)
        if len(ages) >= limits.hourly:
            raise LimitReached("hourly", HOUR - ages[limits.hourly - 1])
    if limits.waiting is not None and _count(connection, JobState.ACCEPTED) >= limits.waiting:
        raise LimitReached("waiting")


def _ages_within_the_hour(connection: sqlite3.Connection, person: int) -> list[float]:
    """How many seconds ago this person's jobs of the last hour were accepted, newest first."""
    query = f"""
        WITH ages AS (
            SELECT julianday('now') - julianday({_of_body("accepted_at")}) AS days
            FROM jobs WHERE person = ?
        )
        SELECT MAX(0, days * 86400) AS age FROM ages
        WHERE days * 86400 BETWEEN ? AND ? ORDER BY age
    """  # noqa: S608
    bounds = (person, -CLOCKS_DIFFER_SECONDS, HOUR)
    return [float(row["age"]) for row in connection.execute(query, bounds)]


def _count(connection: sqlite3.Connection, *states: JobState) -> int:
    query = f"SELECT COUNT(*) FROM jobs WHERE state IN ({_marks(states)})"  # noqa: S608
    return int(connection.execute(query, states).fetchone()[0])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _one(connection: sqlite3.Connection, query: str, *values: object) -> Job | None:
    row = connection.execute(query, values).fetchone()
    return _read(row) if row else None


def _all(connection: sqlite3.Connection, query: str, *values: object) -> list[Job]:
    return [_read(row) for row in connection.execute(query, values)]


def _read(row: sqlite3.Row) -> Job:
    return read_job(row["body"], job_id=row["id"], person=row["person"], state=row["state"])


def _job(connection: sqlite3.Connection, job_id: str) -> Job | None:
    return _one(connection, f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", job_id)  # noqa: S608


def _known(connection: sqlite3.Connection, job_id: str) -> Job:
    job = _job(connection, job_id)
    if job is None:
        raise InvalidTransition(f"there is no job {job_id}")
    return job


def _unfinished(connection: sqlite3.Connection, person: int) -> list[Job]:
    query = (
        f"SELECT {_COLUMNS} FROM jobs "  # noqa: S608
        f"WHERE person = ? AND state NOT IN ({_marks(_FINAL)}) ORDER BY number"
    )
    return _all(connection, query, person, *_FINAL)


def _store(connection: sqlite3.Connection, job: Job) -> None:
    connection.execute(
        "UPDATE jobs SET state = ?, body = ? WHERE id = ?",
        (job.state, job.model_dump_json(), job.id),
    )


def _waiting(connection: sqlite3.Connection) -> list[WaitingJob]:
    return [WaitingJob(**row) for row in connection.execute(_WAITING)]
