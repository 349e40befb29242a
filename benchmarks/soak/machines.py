"""Many machines to be struck: a bot, two workers, each with a disk of its own, and their Redis."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.ports import reserved_port
from tests.redis_server import RedisServer

from impasto.jobs.job import Job
from impasto_playground import Playground

from .clock import Clocks
from .installation import (
    HURRIED,
    MOST_FAILURES,
    CannotRun,
    child_of,
    ended,
    environment,
    processes_of,
    write_settings,
)
from .stores import RedisStore

WORKERS = ("worker 1", "worker 2")


class ManyMachines:
    """`impasto run` and two `impasto worker`; see `Installation`."""

    victims = ("bot", *WORKERS, "both workers", "redis")

    def __init__(
        self, playground: Playground, folder: Path, settings: Mapping[str, str] = HURRIED
    ) -> None:
        self._folder = folder
        (folder / "redis").mkdir(parents=True)
        self._cleanup = contextlib.ExitStack()
        port = self._cleanup.enter_context(reserved_port())
        self.clocks = Clocks(folder)
        self._redis = RedisServer(folder / "redis", port, self.clocks.environment("redis"))
        self._redis.start()
        self.store = RedisStore(self._redis.url, playground.token.partition(":")[0])
        self.port = self._cleanup.enter_context(reserved_port())
        self.write_settings(0)
        wanted = {
            **settings,
            "CONFIG": str(self._config),
            "QUEUE__KIND": "saq",
            "QUEUE__STORAGE": "redis",
            "PLUGINS__SAQ__REDIS_URL": self._redis.url,
            "PLUGINS__SAQ__LEASE_SECONDS": "3",
            "PLUGINS__SAQ__LOOK_SECONDS": "1",
        }
        self._log = (folder / "all.log").open("ab")
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._sessions: set[int] = set()
        self._failures = 0
        self._environments = {
            name: environment(playground, folder / name.replace(" ", "-"), wanted)
            | self.clocks.environment(name)
            for name in ("bot", *WORKERS)
        }
        self._environments["bot"]["IMPASTO_SERVER__PORT"] = str(self.port)

    def close(self) -> None:
        """When nothing runs any more."""
        self._log.close()
        self._redis.kill()
        self._cleanup.close()

    async def start(self) -> int:
        failed = 0
        await asyncio.to_thread(self._redis.start)
        for name, variables in self._environments.items():
            process = self._processes.get(name)
            if process is not None and process.returncode is None:
                continue
            failed += process is not None and process.returncode != -signal.SIGKILL
            self._processes[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "impasto", "run" if name == "bot" else "worker"),
                cwd=self._folder,
                env=variables,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
            self._sessions.add(self._processes[name].pid)
        self._failures = self._failures + failed if failed else 0
        if self._failures > MOST_FAILURES:
            last = Path(self._log.name).read_text(errors="replace")[-2000:]
            raise CannotRun(f"processes ended {self._failures} times; they said:\n{last}")
        return failed

    async def until_one_ends(self) -> None:
        ends = [asyncio.create_task(process.wait()) for process in self._processes.values()]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def until_all_end(self) -> None:
        await asyncio.gather(*(process.wait() for process in self._processes.values()))

    async def kill(self, victim: str) -> bool:
        if victim == "redis":
            self._redis.kill()
            return True
        names = WORKERS if victim == "both workers" else (victim,)
        running = [name for name in names if self._processes[name].returncode is None]
        for name in running:
            process = self._processes[name]
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        return bool(running)

    async def stop(self) -> list[float]:
        await asyncio.to_thread(self._redis.start)
        processes, self._processes = self._processes, {}
        return await asyncio.gather(
            *(ended(one) for one in processes.values() if one.returncode is None)
        )

    def process_ids(self) -> dict[str, int]:
        found = {
            name: process.pid
            for name, process in self._processes.items()
            if process.returncode is None
        }
        workers = [name for name in WORKERS if name in found]
        painters = {f"painter of {name}": child_of(found[name]) for name in workers}
        redis = {"redis": self._redis.pid} if self._redis.pid is not None else {}
        return found | redis | {name: pid for name, pid in painters.items() if pid is not None}

    def forgive(self) -> None:
        self._processes.clear()
        self._failures = 0

    def write_settings(self, number: int) -> None:
        write_settings(self._config, number)

    def left_over(self) -> list[int]:
        return processes_of(self._sessions)

    def job_folders(self) -> Sequence[Path]:
        return [self._folder / name.replace(" ", "-") / "jobs" for name in WORKERS]

    async def fill_disk(self) -> bool:
        await self.store.fill()
        return True

    async def free_disk(self) -> None:
        await self.store.make_room()

    async def empty_store(self) -> list[Job]:
        return await self.store.empty()

    @property
    def _config(self) -> Path:
        return self._folder / "soak.toml"
