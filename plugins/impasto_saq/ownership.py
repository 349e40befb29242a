"""Which process is in charge of what: processes are heard of regularly, and take over from those
that are gone.

Each has a name that its successor inherits. It is in a file of `state_dir` that is locked while the
process lives, so that whoever starts next with the same pictures on its disk goes on where the last
one ended.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO

import structlog
from redis.exceptions import RedisError

from impasto import file_locks
from impasto.data_folders import PRIVATE_FOLDER, make_private
from impasto.errors import OwnerError, described
from impasto.tasks import cancelled
from impasto_saq.connection import Server

log = structlog.get_logger(__name__)

BEATS_PER_LEASE = 4
_MOST_PROCESSES = 256


class Heartbeat:
    """The name of this process, and its signs of life."""

    def __init__(
        self,
        server: Server,
        state_dir: Path,
        lease_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._clock = clock
        self._folder = state_dir / "processes"
        self._lease = lease_seconds
        self._lock: IO[str] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._heard_since: float | None = None
        self.name = ""
        self.paints = False
        """Whether this process is one of those that claim jobs."""

    async def begin(self) -> None:
        """Raises OwnerError when `state_dir` cannot be written."""
        try:
            self._lock = await asyncio.to_thread(self._locked)
        except OSError as error:
            raise OwnerError(
                f"{self._folder} cannot be written ({error}); check its permissions, or set "
                "state_dir to another folder"
            ) from error
        self._lock.seek(0)
        self.name = self._lock.read()
        await self._beat()
        self._beating = asyncio.create_task(self._keep_beating())

    @property
    def may_judge(self) -> bool:
        """Whether others that are not heard of now are gone: after Redis was away, they need the
        time of a lease to be heard of again."""
        since = self._heard_since
        return since is not None and self._clock() - since >= self._lease

    async def end(self) -> None:
        """The name stays taken for the time of a lease: a restart within it inherits everything."""
        if self._beating is not None:
            await cancelled([self._beating])
            self._beating = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._lease / BEATS_PER_LEASE)
            try:
                async with asyncio.timeout(self._lease):
                    await self._beat()
            except (RedisError, OSError, TimeoutError) as error:
                self._heard_since = None
                log.warning("redis_not_reached", why=described(error))

    async def _beat(self) -> None:
        began = self._clock()
        await self._server.run("beat", self.name, round(1000 * self._lease), int(self.paints))
        if self._clock() - began > self._lease / BEATS_PER_LEASE:
            self._heard_since = None  # others may have been cut off, too
        if self._heard_since is None:
            self._heard_since = self._clock()

    def _locked(self) -> IO[str]:
        """The file of the first name that no living process has."""
        self._folder.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        self._folder.mkdir(exist_ok=True)
        make_private(self._folder.parent)
        for number in range(_MOST_PROCESSES):
            file = file_locks.opened(self._folder / str(number))
            if not file_locks.lock(file):
                file.close()
                continue
            if file.seek(0, os.SEEK_END) == 0:
                file.write(secrets.token_hex(8))
                file.flush()
            return file
        raise OSError(f"{_MOST_PROCESSES} processes are running on it")


class Ownership:
    """Ids of one kind, each in the charge of a process, in a hash of Redis.

    What Redis has in the charge of this process, but this process does not know of, is taken over
    too: an earlier process of the same name had it, or the answer to this one was lost.
    """

    def __init__(self, server: Server, heartbeat: Heartbeat, name: str) -> None:
        self._server = server
        self._heartbeat = heartbeat
        self._name = name
        self._known: set[str] = set()

    def forget_all(self) -> None:
        """The process begins anew."""
        self._known.clear()

    def join(self, *ids: str) -> None:
        """These are in the charge of this process from now on."""
        self._known.update(ids)

    def leave(self, *ids: str) -> None:
        """These are nothing to take care of any more."""
        self._known.difference_update(ids)

    @contextmanager
    def taking(self, *ids: str) -> Iterator[set[str]]:
        """While these are asked for; put into the set which of them were obtained."""
        obtained: set[str] = set()
        new = set(ids) - self._known
        self._known |= new
        try:
            yield obtained
        finally:
            self._known -= new - obtained

    @asynccontextmanager
    async def adopting(self) -> AsyncIterator[list[str]]:
        """Takes charge of everything that nobody is in charge of; what fails inside is adopted
        again the next time."""
        adopted = await self._adopt()
        yield adopted
        self._known.update(adopted)

    async def _adopt(self) -> list[str]:
        me = self._heartbeat.name
        found = await self._server.run("orphans", self._name, me, int(self._heartbeat.may_judge))
        adopted = []
        for member, process in zip(found[::2], found[1::2], strict=True):
            if process == me and member in self._known:
                continue
            if await self._server.run("adopt", self._name, me, member, process):
                adopted.append(member)
        return adopted
