"""Every update taken and every job: the protocol of the store that is the only truth.

The journal is asynchronous and durable: when a call returns, what it wrote survives the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from impasto.jobs.job import Job, JobState

if TYPE_CHECKING:
    from aiogram.fsm.storage.base import BaseStorage


class Journal(Protocol):
    """Updates and jobs, each call one transaction."""

    async def take_updates(self, updates: Sequence[tuple[int, str]]) -> list[int]:
        """Stores updates (id, JSON) that are not known yet; returns the ids of the new ones."""
        ...

    async def begin_update(self, update_id: int) -> int:
        """Counts an attempt at handling an update; returns how many there were, this included."""
        ...

    async def finish_update(self, update_id: int) -> None:
        """The update was handled or is given up: `unfinished_updates` does not return it again."""
        ...

    async def unfinished_updates(self) -> list[tuple[int, str]]:
        """Updates that were taken and not finished, oldest first."""
        ...

    async def add(self, job: Job, *, limit: int | None = None) -> Job | None:
        """Stores a new job in state `accepted` and returns it.

        Returns the known job instead when there is one of the same `origin`, and None, storing
        nothing, when the person has `limit` jobs that are not final.
        """
        ...

    async def get(self, job_id: str) -> Job | None: ...

    async def move(self, job_id: str, to: JobState, **facts: Any) -> Job:
        """Changes the state and, with it, fields of the job; returns the job as it is now.

        Raises:
            InvalidTransition: `to` may not follow the job's state, or there is no such job.
        """
        ...

    async def note(self, job_id: str, **facts: Any) -> Job:
        """Changes fields other than the state (such as `status_message`)."""
        ...

    async def claim(self) -> Job | None:
        """Moves the next waiting job to `running`, atomically, counting an attempt; None when none
        waits. The next job is the one whose owner has waited longest since their last."""
        ...

    async def in_states(self, *states: JobState) -> list[Job]:
        """Jobs in any of these states, oldest first."""
        ...

    async def of_person(self, person: int) -> list[Job]:
        """A person's jobs that are not final, oldest first."""
        ...

    async def last_painted(self, count: int) -> list[Job]:
        """The jobs that have an `effort`, newest first, at most so many."""
        ...

    async def ahead_of(self, job_id: str) -> int:
        """How many running and waiting jobs come before this one."""
        ...


@runtime_checkable
class Storage(Protocol):
    """Where the bot's memory lives: the journal, and the dialogue state (aiogram's FSM storage)."""

    name: str

    async def open(self) -> None: ...

    @property
    def journal(self) -> Journal: ...

    @property
    def dialogue(self) -> BaseStorage: ...

    async def close(self) -> None: ...
