"""The journal in Redis: each change one script, shared by any number of processes."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, cast

import structlog
from redis.exceptions import RedisError

from impasto.contracts import (
    CLOCKS_DIFFER_SECONDS,
    HOUR,
    NO_LIMITS,
    UPDATES_KEPT_SECONDS,
    Limit,
    LimitReached,
    Limits,
    News,
)
from impasto.errors import InvalidTransition, described
from impasto.jobs.job import Job, JobState, read_job
from impasto.jobs.order import WaitingJob, in_order
from impasto_saq.connection import PATIENCE_SECONDS, Server
from impasto_saq.ownership import Heartbeat, Ownership

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0
"""When Redis is away for long, news are asked for again this much later."""

NEWS_KEPT = 20_000
"""A process that was cut off for more changes than that misses the oldest."""

_MORE_THAN_ANY_LIMIT = 1_000_000
_WAIT_MS = 1000 * PATIENCE_SECONDS // 2
_WITH_EFFORT = (JobState.PAINTED, JobState.DELIVERED)
_ANYBODYS = (JobState.CANCELLED, JobState.ABANDONED)


class RedisJournal:
    """See `impasto.contracts.Journal`."""

    def __init__(self, server: Server, heartbeat: Heartbeat) -> None:
        self._server = server
        self._heartbeat = heartbeat
        self._charge = Ownership(server, heartbeat, "charge")
        self._charge_of_updates = Ownership(server, heartbeat, "charge:updates")
        self._version = -1
        self._ahead: dict[str, int] = {}
        """How many running and waiting jobs come before each that waits, as of that version."""
        self._unsure: dict[str, str] = {}
        """Stamps of changes of which it is not known whether they were made."""
        self._heard = "0-0"
        self._taking = asyncio.Lock()
        """News are read either before or after this process takes a job: else what is told of it
        might be older than what it knows."""

    async def begin(self) -> None:
        """The process begins: news from here on are for it to hear."""
        self._charge.forget_all()
        self._charge_of_updates.forget_all()
        last = await self._server.ask("XREVRANGE", "news", "+", "-", "COUNT", 1)
        self._heard = last[0][0] if last else "0-0"

    async def take_updates(self, updates: Sequence[tuple[int, str]]) -> list[int]:
        now = time.time()
        flat = [part for update_id, body in updates for part in (update_id, body)]
        with self._charge_of_updates.taking(*(str(update_id) for update_id, _ in updates)) as taken:
            new = await self._server.run(
                "take_updates", self._heartbeat.name, now, now - UPDATES_KEPT_SECONDS, *flat
            )
            taken.update(new)
        return [int(update_id) for update_id in new]

    async def begin_update(self, update_id: int) -> int:
        attempts = int(await self._server.run("begin_update", update_id))
        # Not there: another process, which took this one for lost, has finished it.
        return attempts or _MORE_THAN_ANY_LIMIT

    async def finish_update(self, update_id: int) -> None:
        await self._server.run("finish_update", update_id, time.time())
        self._charge_of_updates.leave(str(update_id))

    async def adopt_updates(self) -> list[tuple[int, str]]:
        async with self._charge_of_updates.adopting() as adopted:
            if not adopted:
                return []
            bodies = await self._server.ask("HMGET", "updates", *adopted)
        return sorted(
            (int(update_id), body)
            for update_id, body in zip(adopted, bodies, strict=True)
            if body is not None
        )

    async def adopt_jobs(self) -> list[Job]:
        async with self._taking, self._charge.adopting() as ids:
            adopted = [await self.get(job_id) for job_id in ids]
        jobs = [job for job in adopted if job is not None and not job.is_settled]
        return sorted(jobs, key=lambda job: job.accepted_at)

    async def listen(self, hear: Callable[[News], None]) -> None:
        while True:
            try:
                for entry, fields in await self._next_news():
                    if fields["by"] != self._heartbeat.name:
                        await self._pass_on(fields["job"], hear)
                    self._heard = entry
            except (RedisError, OSError) as error:
                log.warning("news_not_heard", why=described(error))
                await asyncio.sleep(PAUSE_SECONDS)

    async def add(self, job: Job, *, limits: Limits = NO_LIMITS) -> Job:
        with self._charge.taking(job.id) as obtained:
            outcome, value = await self._server.run(
                "add",
                self._heartbeat.name,
                job.id,
                _new_stamp(),
                job.origin or "",
                job.person,
                job.model_dump_json(),
                job.options.max_pixels or 0,
                job.accepted_at.timestamp(),
                time.time(),
                HOUR,
                CLOCKS_DIFFER_SECONDS,
                *("" if most is None else most for most in dataclasses.astuple(limits)),
                NEWS_KEPT,
            )
            if outcome not in ("added", "known"):
                raise LimitReached(cast("Limit", outcome), float(value))
            if value == job.id:
                obtained.add(job.id)
        # Known: it may have been pruned in this very moment.
        return job if outcome == "added" else await self.get(value) or job

    async def get(self, job_id: str) -> Job | None:
        body, person, state = await self._server.ask(
            "HMGET", f"job:{job_id}", "body", "person", "state"
        )
        return None if body is None else _read(job_id, body, person, state)

    async def move(self, job_id: str, to: JobState, **facts: Any) -> Job:
        return await self._written(job_id, lambda job: job.moved(to, **facts), is_news=True)

    async def note(self, job_id: str, **facts: Any) -> Job:
        is_news = "finish_early" in facts or "file_caption" in facts
        return await self._written(job_id, lambda job: job.changed(**facts), is_news=is_news)

    async def claim(self, *, larger_than: int | None = None) -> Job | None:
        self._heartbeat.paints = True
        for job_id in in_order((await self._waiting())[2], larger_than):
            async with self._taking:
                with self._charge.taking(job_id) as obtained:
                    try:
                        job = await self._written(job_id, Job.claimed, is_news=True)
                    except InvalidTransition:
                        continue  # it is put off, or another worker was faster
                    except (RedisError, OSError):
                        self._charge.leave(job_id)  # perhaps claimed: to be found by adopting
                        raise
                    obtained.add(job_id)
                    return job
        return None

    async def of_person(self, person: int) -> list[Job]:
        return _jobs(await self._server.run("listed", f"unfinished:{person}", ""))

    async def count(self, *states: JobState) -> int:
        return sum([int(await self._server.ask("ZCARD", f"in:{state}")) for state in set(states)])

    async def last_painted(self, count: int) -> list[Job]:
        painted = _jobs(await self._server.run("listed", "effort", count))
        return [job for job in painted if job.effort is not None]

    async def ahead_of(self, job_id: str) -> int:
        if self._version != int(await self._server.ask("GET", "version") or 0):
            self._version, running, waiting = await self._waiting()
            self._ahead = {
                waiting_id: running + place for place, waiting_id in enumerate(in_order(waiting))
            }
        return self._ahead.get(job_id, 0)

    async def workers(self) -> int:
        return max(1, int(await self._server.run("workers")))

    async def forget(self, person: int) -> list[Job]:
        jobs = _jobs(await self._server.run("listed", f"of:{person}", ""))
        return [
            await self._written(job.id, Job.forgotten, is_news=True)
            for job in jobs
            if job.state.is_final and not job.is_forgotten
        ]

    async def prune(self, before: datetime) -> int:
        pruned = 0
        while count := int(await self._server.run("prune", before.timestamp())):
            pruned += count
        return pruned

    async def _waiting(self) -> tuple[int, int, list[WaitingJob]]:
        """Version, number of running jobs, and all that wait, as of one moment."""
        version, running, waiting = await self._server.run("waiting")
        jobs = [WaitingJob(job_id, *map(int, facts)) for job_id, *facts in waiting]
        return int(version), int(running), jobs

    async def _written(self, job_id: str, change: Callable[[Job], Job], *, is_news: bool) -> Job:
        """Reads, changes and writes the job until nobody else has written it in between."""
        stamp = _new_stamp()
        while True:
            body, person, state, before = await self._server.ask(
                "HMGET", f"job:{job_id}", "body", "person", "state", "stamp"
            )
            if body is None:
                raise InvalidTransition(f"there is no job {job_id}")
            job = _read(job_id, body, person, state)
            if self._unsure.get(job_id) == before:
                del self._unsure[job_id]
                return job  # asked for again, and made the first time
            changed = change(job)
            outcome = await self._write(job, before, changed, stamp, is_news=is_news)
            if outcome == "written":
                if changed.is_settled:
                    self._charge.leave(job_id)
                elif changed.state.is_final and not job.state.is_final:
                    self._charge.join(job_id)
                return changed
            if outcome == "taken":
                raise InvalidTransition(f"job {job_id}: another process is in charge of it")

    async def _write(
        self, job: Job, before: str, changed: Job, stamp: str, *, is_news: bool
    ) -> str:
        has_left_the_queue = job.state is not JobState.ACCEPTED
        moves = changed.state is not job.state
        is_fenced = moves and has_left_the_queue and changed.state not in _ANYBODYS
        if moves:
            self._unsure[job.id] = stamp
        outcome = await self._server.run(
            "write",
            self._heartbeat.name,
            job.id,
            before,
            stamp,
            changed.model_dump_json(),
            changed.state,
            changed.options.max_pixels or 0,
            changed.accepted_at.timestamp(),
            int(changed.state.is_final),
            changed.changed_at.timestamp(),
            int(changed.effort is not None and changed.state in _WITH_EFFORT),
            int(is_fenced),
            int(changed.is_settled),
            NEWS_KEPT if is_news else 0,
        )
        self._unsure.pop(job.id, None)
        return str(outcome)

    async def _next_news(self) -> list[tuple[str, dict[str, str]]]:
        answer = await self._server.redis.xread(
            {f"{self._server.prefix}news": self._heard}, block=_WAIT_MS, count=100
        )
        return cast("list[tuple[str, dict[str, str]]]", answer[0][1]) if answer else []

    async def _pass_on(self, job_id: str, hear: Callable[[News], None]) -> None:
        async with self._taking:
            charge, body, person, state = await self._server.run("with_owner", job_id)
            is_ours = charge == self._heartbeat.name
            if not is_ours:
                self._charge.leave(job_id)
            if body is not None:
                hear(News(_read(job_id, body, person, state), is_ours))


def _new_stamp() -> str:
    return secrets.token_hex(8)


def _jobs(listed: Sequence[tuple[str, str, str, str]]) -> list[Job]:
    return [_read(*job) for job in listed]


def _read(job_id: str, body: str, person: str, state: str) -> Job:
    return read_job(body, job_id=job_id, person=int(person), state=state)
