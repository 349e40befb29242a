"""Every command of README.md and the pages is run, or stands in `NOT_RUN` with the reason."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram.filters import Command
from PIL import Image

import impasto_dialog
from impasto.cli import main
from impasto.settings import Settings
from impasto_playground import Playground

from ..environments import ROOT
from ..redis_server import running_redis
from .not_run import NOT_RUN, OWN_TESTS, OWN_TESTS_OF_TEXT, exception_for, is_there
from .pages import (
    DOCS,
    PAGES,
    PHOTOS,
    commands_in_blocks,
    commands_in_text,
    commands_out_of_place,
    name_of,
    programs,
    run_script,
    variables_with,
)

TOKEN = "123456:EXAMPLE-TOKEN"
SERVERS = {"play", "run", "worker"}

WITH_BLOCKS = [
    page for page in PAGES if commands_in_blocks(page) and name_of(page) not in OWN_TESTS
]
FOLLOWED = [page for page in WITH_BLOCKS if not all(map(exception_for, commands_in_blocks(page)))]
IN_BLOCKS = {command for page in WITH_BLOCKS for command in commands_in_blocks(page)}
IN_TEXT = sorted(
    {
        command
        for page in PAGES
        if name_of(page) not in OWN_TESTS_OF_TEXT
        for command in commands_in_text(page)
        if not exception_for(command)
    }
    - IN_BLOCKS
)


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(port=0, token=TOKEN) as playground:
        yield playground


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """The folder that a reader is in: pictures, the plugin of README.md, one that was made."""
    folder = tmp_path / "reader"
    (folder / "my_plugins").mkdir(parents=True)
    (folder / "holiday").mkdir()
    picture = Image.effect_mandelbrot((600, 400), (-2, -1.5, 1, 1.5), 40).convert("RGB")
    for name in PHOTOS:
        picture.save(folder / name)
    for name in ("photo.jpg", "holiday/beach.jpg"):  # what is painted, in seconds
        picture.resize((200, 133)).save(folder / name)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [plugin] = re.findall(r"```python\n(from PIL.+?)```", readme, re.DOTALL)
    (folder / "my_plugins" / "sepia.py").write_text(plugin, encoding="utf-8")
    with pytest.raises(SystemExit):
        main(
            ["new-plugin", "crisp", "--kind", "preprocess", "--single-file", "--into", str(folder)]
        )
    return folder


@pytest.fixture
def environment(playground: Playground, tmp_path: Path, reader: Path) -> dict[str, str]:
    """Variables with programs that end, with the playground for Telegram, and little effort."""
    folder = programs(tmp_path / "bin")
    installed = reader / ".venv" / "bin"
    installed.mkdir(parents=True)
    (installed / "impasto").symlink_to(folder / "impasto")
    return variables_with(folder) | {
        "IMPASTO_TELEGRAM__API_BASE": playground.url,
        "IMPASTO_PAINTING__STEPS": "6",
    }


@pytest.mark.slow
@pytest.mark.parametrize("page", FOLLOWED, ids=name_of)
async def test_a_page_can_be_followed(
    page: Path, playground: Playground, reader: Path, environment: dict[str, str]
) -> None:
    commands = [c for c in commands_in_blocks(page) if not exception_for(c)]
    assert commands
    script = "\n".join(commands).replace("http://localhost:8080", playground.url)
    script = script.replace("localhost:8080", playground.url.removeprefix("http://"))
    await asyncio.to_thread(run_script, script, reader, environment)
    for painting in re.findall(r"(?:-o|--output) (\S+)", script):
        assert (reader / painting).is_file()


def subcommand(command: str) -> str:
    words = [word for word in shlex.split(command) if "=" not in word]
    return next(word for word in words[1:] if not word.startswith("-"))


@pytest.mark.parametrize("command", [c for c in IN_TEXT if subcommand(c) not in SERVERS])
async def test_a_command_in_the_text_works(
    command: str, playground: Playground, reader: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, *words = shlex.split(command)
    assert program == "impasto", "only impasto itself can be run here: see NOT_RUN"
    monkeypatch.chdir(reader)
    monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN", TOKEN)
    monkeypatch.setenv("IMPASTO_TELEGRAM__API_BASE", playground.url)
    # In a thread: the playground answers meanwhile.
    with pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(main, words)
    assert not ended.value.code


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in IN_TEXT if subcommand(c) in SERVERS])
async def test_a_command_in_the_text_starts_what_it_says(
    command: str, reader: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment["IMPASTO_TELEGRAM__TOKEN"] = TOKEN
    if subcommand(command) != "worker":
        await asyncio.to_thread(run_script, command, reader, environment)
        return
    with running_redis(tmp_path) as redis:
        many = {
            "QUEUE__KIND": "saq",
            "QUEUE__STORAGE": "redis",
            "PLUGINS__SAQ__REDIS_URL": redis.url,
        }
        environment |= {f"IMPASTO_{name}": value for name, value in many.items()}
        await asyncio.to_thread(run_script, command, reader, environment)


SEEN = IN_BLOCKS | {c for page in PAGES for c in commands_in_text(page)}


@pytest.mark.parametrize("command", sorted(c for c in SEEN if exception_for(c)))
def test_what_is_not_run_goes_with_what_it_uses(command: str) -> None:
    exception = exception_for(command)
    assert exception is not None
    exception.look(command)


def test_the_list_of_what_is_not_run_is_no_longer_than_it_has_to_be() -> None:
    used = {exception_for(command) for command in SEEN}
    assert [item.pattern for item in NOT_RUN if item not in used] == []
    assert {*OWN_TESTS, *OWN_TESTS_OF_TEXT} <= {name_of(page) for page in PAGES}
    own = OWN_TESTS | OWN_TESTS_OF_TEXT
    reasons = " ".join([*own.values(), *(item.why for item in NOT_RUN)])
    named = re.findall(r"tests/[\w/]+\.py::\w+", reasons)
    assert named
    assert [test for test in named if not is_there(test)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_command_stands_where_nobody_looks(page: Path) -> None:
    """In a block of sh, or between backticks: there it is found and run."""
    assert commands_out_of_place(page) == []


OF_BOTFATHER = {"setinline"}


@pytest.mark.parametrize("page", [DOCS / "chat.md", DOCS / "chat.ru.md"], ids=name_of)
def test_commands_in_the_chat_are_those_of_the_bot(page: Path) -> None:
    written = set(re.findall(r"`/(\w+)[^`]*`", page.read_text(encoding="utf-8")))
    filters = [
        one.callback
        for router in impasto_dialog.impasto_routers(Settings())
        for part in router.chain_tail
        for handler in part.message.handlers
        for one in handler.filters or ()
    ]
    known = {name for item in filters if isinstance(item, Command) for name in item.commands}
    assert written - OF_BOTFATHER
    assert written <= known | OF_BOTFATHER
