"""`impasto play --reload`: edit, save, and the bot of the page runs the new code, the chat kept."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from impasto.cli import main
from impasto.settings import load_settings
from impasto_playground import Person
from impasto_playground.play import variables_for

PATIENCE = 120.0
"""Seconds that a wait may take on a slow and busy machine; no test depends on how long it does."""
PLUGIN = """
from aiogram import Router
from aiogram.filters import Command
from impasto import hookimpl

async def answer(message):
    await message.answer("{answer}")

@hookimpl
def impasto_routers(settings):
    router = Router(name="mine")
    router.message.register(answer, Command("version"))
    return [router]
"""


class Play:
    """The program, and what it prints on standard error."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self, pattern: str) -> str:
        """What the first group of the pattern matches in one of the lines to come."""
        assert self.process.stderr is not None
        printed = []
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stderr.readline()).decode():
                printed.append(line)
                if match := re.search(pattern, line):
                    return match[1]
        raise AssertionError("".join(printed))


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN.format(answer="one"))
    return path


@pytest.fixture
async def play(plugin: Path, tmp_path: Path) -> AsyncIterator[Play]:
    options = ["--port", "0", "--no-browser", "--reload", "--plugin", str(plugin)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *["-m", "impasto", "play", *options],
        stderr=asyncio.subprocess.PIPE,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if "IMPASTO_" not in name},
    )
    yield Play(process)
    if process.returncode is None:
        process.terminate()  # not killed: it has a process of its own to end
        await asyncio.wait_for(process.wait(), PATIENCE)


@pytest.mark.slow
async def test_the_bot_restarts_and_the_chat_stays(play: Play, plugin: Path) -> None:
    url = await play.says(r"Talk to the bot at (\S+)")
    async with Person(url) as person:
        sent = await person.send_text("/version")
        await person.wait_for(lambda m: m.text == "one", PATIENCE, after=sent.message_id)

        plugin.write_text(PLUGIN.format(answer="two"))
        assert await play.says(r"(\S+) has changed: the bot starts again") == "mine.py"
        sent = await person.send_text("/version")
        await person.wait_for(lambda m: m.text == "two", PATIENCE, after=sent.message_id)
        assert [m.text for m in person.messages()] == ["/version", "one", "/version", "two"]

    play.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(play.process.wait(), PATIENCE) == 0


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (lambda patch: None, "there is nothing to reload; name a plugin with --plugin"),
        (
            lambda patch: patch.setitem(sys.modules, "watchfiles", None),
            "--reload needs watchfiles: pip install 'impasto[authors]'",
        ),
    ],
    ids=["nothing to watch", "nothing to watch with"],
)
def test_what_is_missing_is_said(
    prepare: Callable[[pytest.MonkeyPatch], None],
    problem: str,
    plugin: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prepare(monkeypatch)
    monkeypatch.chdir(plugin.parent)
    more = ["--plugin", str(plugin)] if "watchfiles" in problem else []
    with pytest.raises(SystemExit) as ended:
        main(["play", "--port", "0", "--no-browser", "--reload", *more])
    assert ended.value.code == 1
    assert problem in capsys.readouterr().err


def test_the_bot_has_the_settings_that_the_command_has_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "mine.toml"
    config.write_text("[telegram]\nwebhook_base = 'https://bot.example.org'\ntoken = '1:of-mine'\n")
    monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN_FILE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("IMPASTO_TELEGRAM__ADMINS", "7")
    monkeypatch.setenv("IMPASTO_PLUGINS__FILES", "other.py")
    playground = {"token": "1:playground", "api_base": "http://127.0.0.1:1", "webhook_base": ""}
    decided = load_settings(config, telegram=playground, plugins={"files": []})
    monkeypatch.setattr(os, "environ", variables_for(decided))
    of_bot = load_settings(config)
    assert of_bot.model_dump() == decided.model_dump()
    assert of_bot.telegram.admins == [7]
