"""What is done to a journal from outside: rows that cannot be read, rows of a newer version, and
all of it gone."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis

from impasto.jobs.job import Job, JobState, read_job

IN_THE_WORKS = (JobState.ACCEPTED, JobState.RUNNING)
"""What may be spoiled: of jobs that have ended, only those that are untold matter, and of them it
cannot be read any more that they are."""


class Store(Protocol):
    """The journal of an installation; whatever is done to it may be done while it is in use."""

    async def jobs(self) -> list[Job]:
        """Every job, those of emptied journals too."""
        ...

    async def spoil(self, chance: random.Random) -> str | None:
        """Makes a job that is in the works unreadable; returns its id, if there was one."""
        ...

    async def write_of_tomorrow(self) -> None:
        """Adds to every job what only a newer version knows."""
        ...

    async def set_schema(self, change: int) -> bool:
        """Raises or lowers the version of the schema; False where there is none yet."""
        ...

    async def empty(self) -> list[Job]:
        """Removes everything; returns the jobs that were not over."""
        ...


def _cut(body: str) -> str:
    return body[: len(body) // 2]


def _without_meaning(body: str) -> str:
    return _with(body, styles=[{"weight": None}], options="a newer word")


def _of_tomorrow(body: str) -> str:
    return _with(body, of_tomorrow={"x": [1]})


def _with(body: str, **fields: object) -> str:
    try:
        job = json.loads(body)
    except ValueError:
        return body
    return json.dumps({**job, **fields}) if isinstance(job, dict) else body


_SPOILT: tuple[Callable[[str], str], ...] = (
    _cut,
    _without_meaning,
    lambda _: "\0\ufffd",
    lambda _: "[]",
)


class SqliteStore:
    """The file of one machine."""

    def __init__(self, state_dir: Path, attic: Path) -> None:
        """`attic` is a folder on the same file system, for journals that are taken away."""
        self._path = state_dir / "impasto.sqlite"
        self._attic = attic
        self._old: list[Path] = []

    async def jobs(self) -> list[Job]:
        return [job for path in (*self._old, self._path) for job in _jobs_in(path)]

    async def spoil(self, chance: random.Random) -> str | None:
        if not _is_journal(self._path):
            return None
        with _opened(self._path) as journal:
            marks = ", ".join("?" * len(IN_THE_WORKS))
            rows = journal.execute(
                f"SELECT id, body FROM jobs WHERE state IN ({marks})",  # noqa: S608
                IN_THE_WORKS,
            ).fetchall()
            if not rows:
                return None
            job, body = chance.choice(rows)
            spoilt = chance.choice(_SPOILT)(body)
            journal.execute("UPDATE jobs SET body = ? WHERE id = ?", (spoilt, job))
            return str(job)

    async def write_of_tomorrow(self) -> None:
        if not _is_journal(self._path):
            return
        with _opened(self._path) as journal:
            rows = journal.execute("SELECT id, body FROM jobs").fetchall()
            journal.executemany(
                "UPDATE jobs SET body = ? WHERE id = ?",
                [(_of_tomorrow(body), job) for job, body in rows],
            )

    async def set_schema(self, change: int) -> bool:
        if not _is_journal(self._path):
            return False
        with _opened(self._path) as journal:
            [version] = journal.execute("PRAGMA user_version").fetchone()
            journal.execute(f"PRAGMA user_version = {version + change}")
        return True

    async def empty(self) -> list[Job]:
        """Whoever has it open goes on with what is in it, unseen by others."""
        folder = self._attic / str(len(self._old))
        folder.mkdir(parents=True)
        for suffix in ("", "-wal", "-shm"):
            path = self._path.with_name(self._path.name + suffix)
            with contextlib.suppress(FileNotFoundError):
                path.rename(folder / path.name)
        self._old.append(folder / self._path.name)
        return [job for job in _jobs_in(self._old[-1]) if not job.is_settled]

    def unsettled(self) -> list[Job]:
        """Jobs of the journal that was taken away last that are not over."""
        return [job for job in _jobs_in(self._old[-1]) if not job.is_settled]


class RedisStore:
    """The Redis of many machines."""

    def __init__(self, url: str, bot_id: str) -> None:
        self._url = url
        self._prefix = f"impasto:{bot_id}:"
        self._emptied: dict[str, Job] = {}

    async def jobs(self) -> list[Job]:
        return [*self._emptied.values(), *(await self._now())]

    async def spoil(self, chance: random.Random) -> str | None:
        async with self._redis() as redis:
            jobs = [job for job in await self._now() if job.state in IN_THE_WORKS]
            if not jobs:
                return None
            job = chance.choice(jobs)
            spoilt = chance.choice(_SPOILT)(job.model_dump_json())
            await redis.hset(f"{self._prefix}job:{job.id}", "body", spoilt)  # type: ignore[misc]
            return job.id

    async def write_of_tomorrow(self) -> None:
        async with self._redis() as redis:
            for job in await self._now():
                body = _of_tomorrow(job.model_dump_json())
                await redis.hset(f"{self._prefix}job:{job.id}", "body", body)  # type: ignore[misc]

    async def set_schema(self, change: int) -> bool:
        async with self._redis() as redis:
            if not await redis.exists(f"{self._prefix}schema"):
                return False
            await redis.incrby(f"{self._prefix}schema", change)
        return True

    async def empty(self) -> list[Job]:
        async with self._redis() as redis:
            script = """
                local found = {}
                for _, name in ipairs(redis.call('KEYS', ARGV[1]..'job:*')) do
                    local job = redis.call('HMGET', name, 'body', 'person', 'state')
                    found[#found + 1] = {string.sub(name, #ARGV[1] + 5), unpack(job)}
                end
                redis.call('FLUSHALL')
                return found
            """
            found = await redis.eval(script, 0, self._prefix)  # type: ignore[misc]
        jobs = [_read(*row) for row in found]
        self._emptied.update((job.id, job) for job in jobs)
        return [job for job in jobs if not job.is_settled]

    async def fill(self) -> None:
        """No command that needs room has any."""
        async with self._redis() as redis:
            await redis.config_set("maxmemory", "1mb")

    async def make_room(self) -> None:
        async with self._redis() as redis:
            await redis.config_set("maxmemory", "0")

    async def _now(self) -> list[Job]:
        jobs = []
        async with self._redis() as redis:
            async for name in redis.scan_iter(f"{self._prefix}job:*"):
                body, person, state = await redis.hmget(name, "body", "person", "state")  # type: ignore[misc]
                if body is not None:
                    jobs.append(
                        _read(name.removeprefix(f"{self._prefix}job:"), body, person, state)
                    )
        return sorted(jobs, key=lambda job: job.accepted_at)

    def _redis(self) -> Redis:
        return Redis.from_url(self._url, decode_responses=True, encoding_errors="replace")


def _read(job_id: str, body: str, person: str, state: str) -> Job:
    return read_job(body, job_id=job_id, person=int(person), state=state)


def _jobs_in(path: Path) -> list[Job]:
    if not _is_journal(path):
        return []
    with _opened(path) as journal:
        found = journal.execute("SELECT id, body, person, state FROM jobs ORDER BY number")
        return [_read(*row) for row in found]


def _is_journal(path: Path) -> bool:
    """Not yet, just after it was emptied."""
    if not path.exists():
        return False
    with _opened(path) as journal:
        return bool(journal.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchall())


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Within a transaction."""
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as journal, journal:
        yield journal
