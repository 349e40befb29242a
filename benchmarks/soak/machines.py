"""Many machines to be struck: a bot, two workers, each with a disk of its own, and their Redis."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from redis.asyncio import Redis
from tests.ports import reserved_port
from tests.redis_server import RedisServer

from impasto.jobs.job import Job
from impasto_playground import Playground

from .installation import HURRIED, MOST_FAILURES, CannotRun, ended, environment, processes_with

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
        self._redis = RedisServer(folder / "redis", port)
        self._redis.start()
        self._bot_id = playground.token.partition(":")[0]
        wanted = {
            **settings,
            "QUEUE__KIND": "saq",
            "QUEUE__STORAGE": "redis",
            "PLUGINS__SAQ__REDIS_URL": self._redis.url,
            "PLUGINS__SAQ__LEASE_SECONDS": "3",
            "PLUGINS__SAQ__LOOK_SECONDS": "1",
        }
        self._log = (folder / "all.log").open("ab")
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._failures = 0
        self._environments = {
            name: environment(playground, folder / name.replace(" ", "-"), wanted)
            for name in ("bot", *WORKERS)
        }

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
            )
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

    async def kill(self, victim: str) -> bool:
        if victim == "redis":
            self._redis.kill()
            return True
        names = WORKERS if victim == "both workers" else (victim,)
        running = [name for name in names if name in self.process_ids()]
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
        return {
            name: process.pid
            for name, process in self._processes.items()
            if process.returncode is None
        }

    def left_over(self) -> list[int]:
        states = [variables["IMPASTO_STATE_DIR"] for variables in self._environments.values()]
        return [pid for state in states for pid in processes_with(f"IMPASTO_STATE_DIR={state}")]

    def job_folders(self) -> Path:
        return self._folder / WORKERS[0].replace(" ", "-") / "jobs"

    def fill_disk(self) -> bool:
        return False

    def free_disk(self) -> None:
        """There is nothing to free."""

    async def jobs(self) -> list[Job]:
        async with Redis.from_url(self._redis.url) as redis:
            names = [name async for name in redis.scan_iter(f"impasto:{self._bot_id}:job:*")]
            bodies = [await redis.hget(name, "body") for name in names]  # type: ignore[misc]
        jobs = [Job.model_validate_json(body) for body in bodies if body is not None]
        return sorted(jobs, key=lambda job: job.accepted_at)
