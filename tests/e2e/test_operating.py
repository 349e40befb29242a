"""A bot in a process of its own, as its owner meets it: health, metrics, signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from impasto.playground import Person, Playground

from .bot_process import PATIENCE


class Bot:
    """`impasto run` with a settings file, its log, and its port."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, config: Path) -> None:
        self.process, self.config = process, config
        self._url = f"http://127.0.0.1:{port}"

    async def logged(self, event: str) -> dict[str, Any]:
        """The next line of the log about this."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                line = await self.process.stderr.readline()
                assert line, f"it ended without {event}"
                entry: dict[str, Any] = json.loads(line)
                if entry["event"] == event:
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


@pytest.fixture
async def bot(playground: Playground, tmp_path: Path, free_port: int) -> AsyncIterator[Bot]:
    config = tmp_path / "mine.toml"
    config.write_text("[painting]\nsteps = 5\n")
    environment = {
        **{name: value for name, value in os.environ.items() if "IMPASTO_" not in name},
        "IMPASTO_CONFIG": str(config),
        "IMPASTO_TELEGRAM__TOKEN": playground.token,
        "IMPASTO_TELEGRAM__API_BASE": playground.url,
        "IMPASTO_STATE_DIR": str(tmp_path / "state"),
        "IMPASTO_SERVER__HOST": "127.0.0.1",
        "IMPASTO_LOG__FORMAT": "json",
        "PORT": str(free_port),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "impasto", "run"),
        cwd=tmp_path,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Bot(process, free_port, config)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_an_evening_with_a_bot(bot: Bot, alice: Person) -> None:
    await bot.logged("painting_child_ready")
    assert (await bot.get("/healthz"))[0] == 200
    assert (await bot.get("/readyz"))[0] == 200

    bot.config.write_text("[painting]\nsteps = 7\nthreads = 1\n")
    bot.process.send_signal(signal.SIGHUP)
    assert (await bot.logged("settings_reloaded"))["changed"] == ["painting.steps"]
    assert (await bot.logged("settings_need_a_restart"))["settings"] == ["painting.threads"]

    bot.config.write_text("[painting]\nstpes = 7\n")
    bot.process.send_signal(signal.SIGHUP)
    refused = await bot.logged("settings_not_reloaded")
    assert "did you mean painting.steps?" in refused["why"]

    await alice.send_text("/start")
    await alice.wait_for(lambda m: m.text, PATIENCE)
    metrics = await bot.counted('impasto_telegram_calls_total{method="sendMessage",result="ok"}')
    assert 'impasto_unfinished_jobs{state="accepted"} 0.0' in metrics

    bot.process.terminate()
    assert await bot.process.wait() == 0
