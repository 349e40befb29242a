"""Two bots behind a balancer and two workers, each a process with its own disk, on one Redis."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiogram.types import Message
from aiohttp import web

from impasto.jobs.trials import TRIAL
from impasto_playground import Person, Playground

from .. import endless
from ..e2e.bot_process import PATIENCE
from ..redis_server import RedisServer

LEASE_SECONDS = 2


class Machine:
    """One process of `impasto`, which may be killed and started again."""

    def __init__(self, command: str, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._command = command
        self._environment = {**environment, "IMPASTO_STATE_DIR": str(folder)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "impasto",
            self._command,
            cwd=self.folder,
            env=self._environment,
            process_group=0,
        )

    async def kill(self) -> None:
        """Ends it and its painting process at once, as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> int:
        """Asks it to end, and waits for that; returns its exit code."""
        assert self._process is not None
        self._process.terminate()
        return await self._process.wait()

    def has(self, job: str) -> bool:
        """Whether it has begun with this job."""
        return (self.folder / "jobs" / job).exists()

    def jobs(self) -> set[str]:
        """Ids of the jobs it has begun with. Trials, whose folders lie beside theirs, are none."""
        names = {path.name for path in (self.folder / "jobs").glob("*")}
        return {name for name in names if not name.startswith(TRIAL)}


class Fleet:
    """All of it; make one with `running`."""

    def __init__(
        self, playground: Playground, redis: RedisServer, folder: Path, port: int, ports: list[int]
    ) -> None:
        """`port` is the balancer's, `ports` are those of the bots."""
        self.playground = playground
        self.redis = redis
        self.balancer = Balancer(port, ports)
        settings = {
            "TELEGRAM__TOKEN": playground.token,
            "TELEGRAM__API_BASE": playground.url,
            "TELEGRAM__EDIT_SECONDS": "0",
            "TELEGRAM__MESSAGES_PER_SECOND": "0",
            "TELEGRAM__CHAT_MESSAGES_PER_SECOND": "0",
            "PAINTING__MAX_PIXELS_CPU": "40000",
            **endless.SETTINGS,
            "PAINTING__PREVIEW_SECONDS": "0.1",
            "PAINTING__DEVICE": "cpu",
            "PAINTING__THREADS": "1",
            "QUEUE__KIND": "saq",
            "QUEUE__STORAGE": "redis",
            "PLUGINS__SAQ__REDIS_URL": redis.url,
            "PLUGINS__SAQ__LEASE_SECONDS": str(LEASE_SECONDS),
            "PLUGINS__SAQ__LOOK_SECONDS": "1",
            "SERVER__HOST": "127.0.0.1",
        }
        environment = {name: value for name, value in os.environ.items() if "IMPASTO_" not in name}
        environment |= {f"IMPASTO_{name}": value for name, value in settings.items()}
        webhook = {"IMPASTO_TELEGRAM__WEBHOOK_BASE": self.balancer.url}
        self.bots = [
            Machine(
                "run",
                folder / f"bot-{port}",
                {**environment, **webhook, "IMPASTO_SERVER__PORT": str(port)},
            )
            for port in ports
        ]
        self.workers = [
            Machine("worker", folder / f"worker-{number}", environment) for number in range(2)
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Fleet]:
        await self.balancer.start()
        try:
            for machine in (*self.bots, *self.workers):
                await machine.start()
            yield self
        finally:
            for machine in (*self.bots, *self.workers):
                await machine.kill()
            await self.balancer.stop()

    async def painter(self, of: str | None = None, but: frozenset[str] = frozenset()) -> Machine:
        """The worker that has begun with the job `of`, or with any job that is not one of `but`."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for worker in self.workers:
                    if of in worker.jobs() if of is not None else worker.jobs() - but:
                        return worker
                await asyncio.sleep(0.05)

    def known_jobs(self) -> frozenset[str]:
        return frozenset().union(*(worker.jobs() for worker in self.workers))


class Balancer:
    """Hands each request to the next of the bots that is up."""

    def __init__(self, port: int, ports: list[int]) -> None:
        self._port = port
        self._ports = itertools.cycle(ports)
        self._tries = len(ports)
        self._runner: web.AppRunner | None = None
        self.url = f"http://127.0.0.1:{self._port}"
        self.handed: dict[int, int] = dict.fromkeys(ports, 0)

    async def start(self) -> None:
        application = web.Application()
        application.router.add_post("/{path:.*}", self._hand_on)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _hand_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        for _ in range(self._tries):
            port = next(self._ports)
            url = f"http://127.0.0.1:{port}{request.path}"
            try:
                async with (
                    aiohttp.ClientSession() as session,
                    session.post(url, data=body, headers=request.headers) as answer,
                ):
                    self.handed[port] += 1
                    return web.Response(status=answer.status, body=await answer.read())
            except aiohttp.ClientError:
                continue
        return web.Response(status=502)


def shown(person: Person, status: Message) -> int:
    """How often the picture in this message has changed so far."""
    return len(
        {
            version.photo[-1].file_unique_id
            for version in person.versions()
            if version.message_id == status.message_id and version.photo
        }
    )


async def preview(person: Person, status: Message, more_than: int = 1) -> None:
    """Waits until the message has shown more pictures than this; the first is the person's own."""
    await person.wait_until(lambda: shown(person, status) > more_than, PATIENCE)
