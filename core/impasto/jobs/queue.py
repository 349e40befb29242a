"""The JobQueue protocol: how workers learn that the journal has work.

A queue carries tickets, not jobs: which job is next is the journal's decision (`Journal.claim`).
So a lost ticket is no lost job, and a ticket too many finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable


@runtime_checkable
class JobQueue(Protocol):
    """Announces waiting jobs to workers."""

    name: str
    embedded_worker: bool
    """Whether `impasto run` paints too; otherwise only `impasto worker` processes do."""

    async def open(self) -> None: ...

    async def put(self, job_id: str) -> None:
        """Announces a waiting job."""
        ...

    async def serve(self, work: Callable[[], Awaitable[bool]]) -> None:
        """Awaits `work()` for every announced job, one at a time, until cancelled.

        `work` paints one job and returns True, or returns False when none was waiting. It is also
        called at the start until it returns False: jobs announced to an earlier process wait there.
        On many machines it is called now and then without a ticket, too.
        """
        ...

    async def close(self) -> None: ...
