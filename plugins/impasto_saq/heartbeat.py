"""Who is there: each process has a name that its successor inherits, and is heard of regularly.

The name is in a file of `state_dir` that is locked while the process lives, so that whoever starts
next with the same pictures on its disk goes on where the last one ended.
"""

from __future__ import annotations

import asyncio
import fcntl
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import structlog
from redis.exceptions import RedisError

from impasto.errors import OwnerError
from impasto.tasks import cancelled
from impasto_saq import scripts
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
                log.warning("redis_not_reached", why=f"{type(error).__name__}: {error}")

    async def _beat(self) -> None:
        began = self._clock()
        await self._server.run(scripts.BEAT, self.name, round(1000 * self._lease), int(self.paints))
        if self._clock() - began > self._lease / BEATS_PER_LEASE:
            self._heard_since = None  # it was away for so long that others may have been cut off
        if self._heard_since is None:
            self._heard_since = self._clock()

    def _locked(self) -> IO[str]:
        """The file of the first name that no living process has."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in range(_MOST_PROCESSES):
            file = (self._folder / str(number)).open("a+")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                continue
            if file.tell() == 0:
                file.write(secrets.token_hex(8))
                file.flush()
            return file
        raise OSError(f"{_MOST_PROCESSES} processes are running on it")
