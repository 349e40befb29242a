"""`impasto run` as its owner has it: a settings file, a log, a port, signals."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from impasto_playground import Playground

from .bot_process import IMPASTO_RUN, PATIENCE, environment_for, killed_at_the_end


class OwnedBot:
    """A bot that runs, its log unread so far."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, config: Path) -> None:
        self.process, self.config = process, config
        self._url = f"http://127.0.0.1:{port}"

    async def logged(self, event: str, **facts: object) -> dict[str, Any]:
        """The next line of the log about this."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                line = await self.process.stderr.readline()
                assert line, f"it ended without {event}"
                entry: dict[str, Any] = json.loads(line)
                if entry.items() >= {"event": event, **facts}.items():
                    return entry

    async def counted(self, line: str) -> str:
        """The metrics, once this is among them: calls are counted when their answers come, which
        may be after a person saw what they did."""
        async with asyncio.timeout(PATIENCE):
            while line not in (metrics := (await self.get("/metrics"))[1]):
                await asyncio.sleep(0.05)
        return metrics

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self._url + path) as answer:
            return answer.status, await answer.text()

    def hang_up(self, config: str) -> None:
        """SIGHUP with another settings file."""
        self.config.write_text(config, encoding="utf-8")
        self.process.send_signal(signal.SIGHUP)


@asynccontextmanager
async def owned_bot(
    playground: Playground, folder: Path, port: int, config: str, **variables: str
) -> AsyncIterator[OwnedBot]:
    """A bot with this settings file, and variables without `IMPASTO_`; killed at the end, unless
    it has ended by itself."""
    file = folder / "mine.toml"
    file.write_text(config, encoding="utf-8")
    environment = environment_for(
        playground,
        folder,
        CONFIG=str(file),
        SERVER__HOST="127.0.0.1",
        LOG__FORMAT="json",
        **variables,
    )
    process = await asyncio.create_subprocess_exec(
        *IMPASTO_RUN,
        cwd=folder,
        env=environment | {"PORT": str(port)},
        stderr=asyncio.subprocess.PIPE,
    )
    async with killed_at_the_end(process):
        yield OwnedBot(process, port, file)
