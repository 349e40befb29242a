"""What is kept and how workers hear of it: journal, storage, token buckets, limits, job queue.

The journal is asynchronous and durable: when a call returns, what it wrote survives the process.

Several processes may share one, where its storage says so. Each unfinished update and each job that
is not settled then has one of them as its owner: the process that took, added, claimed, adopted or
ended it last. A process is gone when it has ended and another uses its `state_dir`, or when it has
given no sign of life for a while; `adopt_updates` and `adopt_jobs` give what it owned a new owner.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from aiogram.fsm.storage.base import BaseEventIsolation, BaseStorage

    from impasto.jobs.job import Job, JobState

HOUR = 3600.0
"""Seconds in which a person's pictures are counted."""

CLOCKS_DIFFER_SECONDS = 60.0
"""So far may the clocks of machines that share a storage be apart. What was accepted later from now
than that was accepted before the clock was set back, and is not counted."""

UPDATES_KEPT_SECONDS = 48 * 3600
"""For how long a finished update is known, see `Journal.take_updates`."""

Limit = Literal["unfinished", "hourly", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Most jobs of each kind, the new one included; None is no limit."""

    unfinished: int | None = None
    """Jobs of this person that are not final."""
    hourly: int | None = None
    """Jobs of this person that were accepted within the last HOUR, also those that were cancelled
    or forgotten: their pictures have been fetched all the same."""
    waiting: int | None = None
    """Jobs of all people in state `accepted`."""


NO_LIMITS = Limits()


class LimitReached(Exception):
    """A job was not stored, because there are as many as `limits` allow."""

    def __init__(self, limit: Limit, seconds: float = 0.0) -> None:
        super().__init__(f"as many jobs as the limit {limit!r} allows")
        self.limit = limit
        """Name of the field of `Limits`."""
        self.seconds = seconds
        """With "hourly": how long until the oldest of those jobs counts no longer."""


class Rate(NamedTuple):
    """A bucket that `per_second` tokens flow into until it holds `burst` of them."""

    bucket: str
    """Its name."""
    per_second: float
    """Tokens that flow in."""
    burst: int = 1
    """Tokens that it holds."""

    @property
    def seconds(self) -> float:
        """Time in which one token flows in."""
        return 1 / self.per_second

    @property
    def slack(self) -> float:
        """Time that a full bucket is ahead of its flow."""
        return (self.burst - 1) * self.seconds


class Buckets(Protocol):
    """Buckets by name, full at first. Each call is atomic; nothing needs to outlive a restart.

    One number says all about a bucket, the time at which it will be full again (the "theoretical
    arrival time" of the generic cell rate algorithm, ITU-T I.371): it is `full_at`; a token taken
    moves it on by `Rate.seconds`, and is there as soon as `full_at` is at most `Rate.slack` away.
    """

    async def take(self, *rates: Rate, patience: float = math.inf) -> float:
        """Takes one token from each of these buckets; returns in how many seconds they are there,
        0.0 for at once. They are taken then: the caller waits that time and does not ask again, so
        that whoever asked first is first.

        When it would take more than `patience` seconds, nothing is taken and the time returned is
        that until it is worth asking again.
        """
        ...

    async def hold(self, rate: Rate, seconds: float) -> None:
        """Nobody gets a token of this bucket for that many seconds, and then one at a time: it is
        full no earlier than `seconds + rate.slack` from now."""
        ...


class News(NamedTuple):
    """A job that another process has changed."""

    job: Job
    """As it is now."""
    is_ours: bool
    """Whether this process is in charge of it."""


class Journal(Protocol):
    """Updates and jobs, each call one transaction."""

    async def take_updates(self, updates: Sequence[tuple[int, str]]) -> list[int]:
        """Stores updates (id, JSON) that are not known yet; returns the ids of the new ones.

        A finished update is known for at least 48 hours and not much longer: Telegram keeps one
        for at most 24, and after a quiet week it goes on from a random id.
        """
        ...

    async def begin_update(self, update_id: int) -> int:
        """Counts an attempt at handling an update; returns how many there were, this included."""
        ...

    async def finish_update(self, update_id: int) -> None:
        """The update was handled or is given up: `adopt_updates` does not return it again,
        and what is kept of it is its id, not what the person wrote."""
        ...

    async def adopt_updates(self) -> list[tuple[int, str]]:
        """Takes charge of unfinished updates whose process is gone; returns them, oldest first."""
        ...

    async def adopt_jobs(self) -> list[Job]:
        """Takes charge of jobs that are not settled and whose process is gone; returns them, oldest
        first. The first call also returns what an earlier process left in this `state_dir`."""
        ...

    async def listen(self, hear: Callable[[News], None]) -> None:
        """Calls `hear` for every change of a job's state by another process, and when one sets
        `finish_early`, sets or clears `file_caption`, or has the job forgotten, until cancelled;
        nothing is left out while the connection is lost."""
        ...

    async def add(self, job: Job, *, limits: Limits = NO_LIMITS) -> Job:
        """Stores a new job in state `accepted` and returns it; the known job instead, whatever the
        limits, when there is one of the same `origin`.

        Raises:
            LimitReached: there are as many jobs as `limits` allow, checked in the order of its
                fields; nothing was stored.
        """
        ...

    async def get(self, job_id: str) -> Job | None:
        """None when there is no such job."""
        ...

    async def move(self, job_id: str, to: JobState, **facts: Any) -> Job:
        """Changes the state and, with it, fields of the job; returns the job as it is now.

        Raises:
            InvalidTransition: `to` may not follow the job's state, there is no such job, or it has
                left the queue and another process is in charge of it: then it can only be cancelled
                or abandoned here.
        """
        ...

    async def note(self, job_id: str, **facts: Any) -> Job:
        """Changes fields other than the state (such as `status_message`), atomically, as
        `Job.changed` says; returns the job as it is now. What was forgotten stays so: of a
        forgotten job only `Job.forgotten()` is stored."""
        ...

    async def claim(self, *, larger_than: int | None = None) -> Job | None:
        """Moves the next waiting job to `running`, atomically, counting an attempt; None when none
        waits, or all that do are put off (`Job.is_put_off`). The next job is the first of
        `impasto.jobs.order.in_order` that is not: that of the person who has waited longest since
        their last; with `larger_than`, one of more pixels than that comes before all others."""
        ...

    async def of_person(self, person: int) -> list[Job]:
        """A person's jobs that are not final, oldest first."""
        ...

    async def count(self, *states: JobState) -> int:
        """How many jobs are in any of these states."""
        ...

    async def last_painted(self, count: int) -> list[Job]:
        """The jobs that have an `effort`, newest first, at most `count`."""
        ...

    async def ahead_of(self, job_id: str) -> int:
        """How many running and waiting jobs come before this one, by the same order; 0 when it
        does not wait."""
        ...

    async def workers(self) -> int:
        """How many processes claim jobs, each of which paints one at a time; at least 1."""
        ...

    async def forget(self, person: int) -> list[Job]:
        """Replaces this person's final jobs by what `Job.forgotten()` makes of them; returns those
        that were not forgotten before. Others stay as they are: see `JobService.forget`."""
        ...

    async def prune(self, before: datetime) -> int:
        """Removes final jobs whose `changed_at` is earlier, with all that is stored about them;
        returns how many. (Finished updates are `take_updates`'s to remove.)"""
        ...


@runtime_checkable
class Storage(Protocol):
    """Where the bot's memory lives: the journal, the dialogue state (aiogram's FSM storage), and
    the token buckets."""

    name: str
    """What `queue.storage` picks it by."""
    is_shared: bool
    """Whether several processes may use it at the same time, on other machines too."""

    async def open(self) -> None:
        """Connects, and creates what is missing. May be called once more after `close`. Raises
        OwnerError where it cannot be used."""
        ...

    @property
    def journal(self) -> Journal:
        """Updates and jobs."""
        ...

    @property
    def dialogue(self) -> BaseStorage:
        """aiogram's FSM storage: state and data by bot, chat, person, thread and destiny."""
        ...

    @property
    def buckets(self) -> Buckets:
        """Shared by all processes that use this storage; `MemoryBuckets` if that is only one."""
        ...

    @property
    def isolation(self) -> BaseEventIsolation:
        """Keeps two updates of one person in one chat from being handled at the same time, by any
        of the processes that share the storage."""
        ...

    async def forget_dialogue(self, person: int) -> None:
        """Removes the dialogue state and data of this person: of all bots, chats and destinies."""
        ...

    async def close(self) -> None:
        """Lets go of everything; also after an `open` that failed."""
        ...


@runtime_checkable
class JobQueue(Protocol):
    """Wakes workers when a job waits.

    It says that one waits, not which: that is the journal's decision (`Journal.claim`). So a lost
    announcement is no lost job, and one too many finds nothing to do.
    """

    name: str
    """What `queue.kind` picks it by."""
    embedded_worker: bool
    """Whether `impasto run` paints too; otherwise only `impasto worker` processes do."""

    async def open(self) -> None:
        """Connects. Raises OwnerError where it cannot."""
        ...

    async def announce(self) -> None:
        """A job waits: wakes one worker, the next one that waits for it if none does now. What
        fails is logged, not raised, as the job is in the journal."""
        ...

    async def wait(self) -> None:
        """Returns when a job was announced, also if that was before this call. A worker awaits it
        whenever it has found no job waiting; it may be cancelled, and it may raise: the worker
        looks again a little later. Where announcements can get lost, as on the way between
        machines, it also returns now and then without one."""
        ...

    async def close(self) -> None:
        """Lets go of everything; `wait` may be running."""
        ...


class Errand(NamedTuple):
    """A small thing that a process asks of one on another machine."""

    request: str
    answer: Callable[[str | None], Awaitable[None]]
    """To be called once, with None where it is not done."""


@runtime_checkable
class Errands(Protocol):
    """A `JobQueue` between machines may have this besides: it carries errands to processes that
    have nothing else to do, and answers of a few hundred kB back. Nothing of them is kept; they may
    get lost."""

    async def send(self, request: str, patience: float) -> str | None:
        """The answer of whoever does this errand; None where nobody does within `patience` seconds,
        and where it got lost. Cancel the call when nobody wants the answer any more."""
        ...

    async def next_errand(self) -> Errand:
        """The next errand, which is this process's to do; it may be cancelled, and it may raise:
        whoever calls asks again a little later."""
        ...
