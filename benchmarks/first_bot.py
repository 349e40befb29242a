"""From nothing to a running bot by the page "The first bot in ten minutes" alone, with the seconds
that each of its commands takes.

    python -m benchmarks.first_bot
    python -m benchmarks.first_bot --without-torch-index    where PyTorch's index is out of reach

A fresh clone, a new virtual environment, an empty cache of pip; the commands are read from
docs/index.md of the clone and typed into one shell. A playground stands for Telegram: what people
do in the chat, here and in `impasto play`, is done over HTTP, and the painted picture must come.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.docs.pages import commands_in_blocks

from impasto_playground import Person, Playground

from .bot import PATIENCE
from .machine import describe, family
from .processes import MeasurementFailed, clean_environment
from .records import REPOSITORY
from .small_host import painting_of

TOKEN: Final = "123456:EXAMPLE-TOKEN"
PAGE: Final = Path("docs", "index.md")
PHOTO: Final = Path("docs", "images", "gallery", "photo.jpg")
MARK: Final = "the-command-has-ended"
TORCH_INDEX: Final = "download.pytorch.org"

_INTERRUPTIBLE_SHELL: Final = (
    *(sys.executable, "-c"),
    "import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execlp('sh', 'sh')",
)
"""Started in the background, a process ignores SIGINT, and so do all that it starts: no Ctrl-C."""


class Shell:
    """A shell into which one command after another is typed, as a reader does."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.printed: list[str] = []
        """By the last command."""

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path, environment: dict[str, str]) -> AsyncIterator[Shell]:
        process = await asyncio.create_subprocess_exec(
            *_INTERRUPTIBLE_SHELL,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield cls(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def run(self, command: str) -> None:
        """Raises MeasurementFailed when it fails."""
        self.begin(command)
        await self.end(command)

    def begin(self, command: str) -> None:
        assert self._process.stdin is not None
        self.printed = []
        self._process.stdin.write(f"{command}\necho {MARK} $?\n".encode())

    async def until(self, pattern: str) -> str:
        """What the first group of the pattern matches in a line to come."""
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode():
            self.printed.append(line)
            if match := re.search(pattern, line):
                return match[1]
            if line.startswith(MARK):
                break
        raise MeasurementFailed("".join(self.printed[-20:]))

    async def end(self, command: str) -> None:
        code = await self.until(rf"^{MARK} (\d+)")
        if code != "0":
            raise MeasurementFailed(f"{command}: {code}\n{''.join(self.printed[-20:])}")

    def interrupt(self) -> None:
        """Ctrl-C."""
        _, program, *_ = family(self._process.pid)
        os.kill(program, signal.SIGINT)


class Walk:
    """Types the commands and prints how long each took."""

    def __init__(self, shell: Shell, telegram: Playground, photo: bytes) -> None:
        self._shell, self._telegram, self._photo = shell, telegram, photo
        self.seconds = 0.0

    async def do(self, command: str) -> None:
        with self.timed(command):
            self._shell.begin(command)
            match server_in(command):
                case "play":
                    url = await self._shell.until(r"Talk to the bot at (\S+)")
                    await self._talk(url)
                case "run":
                    await self._shell.until(r"(bot_starts)")
                    await self._talk(self._telegram.url)
            await self._shell.end(command)

    async def _talk(self, url: str) -> None:
        """Sends a photo, taps a style, waits for the painting, ends the bot."""
        async with Person(url) as person:
            with self.timed("  a photo, a tap, the painting", is_part=True):
                sent = await person.send_photo(self._photo)
                await painting_of(person, sent, button=0)
        self._shell.interrupt()

    @contextlib.contextmanager
    def timed(self, what: str, *, is_part: bool = False) -> Iterator[None]:
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        self.seconds += 0 if is_part else seconds
        print(f"{seconds:7.1f} s  {what}", flush=True)


def server_in(command: str) -> str | None:
    """The subcommand that runs until it is stopped, if this is one."""
    words = shlex.split(command)
    return words[1] if words[:1] == ["impasto"] and words[1] in {"play", "run"} else None


async def walk(*, torch_index: bool) -> None:
    """Prints a line for each command; raises MeasurementFailed at the first that fails."""
    with tempfile.TemporaryDirectory(prefix="first-bot-") as name:
        clone, cache = Path(name, "impasto"), Path(name, "pip")
        async with Playground(port=0, token=TOKEN) as telegram:
            environment = clean_environment(
                IMPASTO_TELEGRAM__API_BASE=telegram.url, PIP_CACHE_DIR=str(cache)
            )
            for variable in ("VIRTUAL_ENV", "PYTHONPATH", "PORT"):
                environment.pop(variable, None)
            photo = (REPOSITORY / PHOTO).read_bytes()
            async with Shell.opened(Path(name), environment) as shell:
                reader = Walk(shell, telegram, photo)
                await reader.do(f"git clone --quiet {REPOSITORY} impasto")
                await shell.run("cd impasto")
                shutil.copy(clone / PHOTO, clone / "photo.jpg")
                for command in commands_in_blocks(clone / PAGE):
                    if TORCH_INDEX in command and not torch_index:
                        print(f"           (left out: {command})")
                        continue
                    await asyncio.wait_for(reader.do(command), PATIENCE)
        print(f"{reader.seconds:7.1f} s  in all")
    print(json.dumps(describe()))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.first_bot",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--without-torch-index", action="store_true")
    arguments = parser.parse_args()
    try:
        asyncio.run(walk(torch_index=not arguments.without_torch_index))
    except MeasurementFailed as failure:
        parser.exit(1, f"{failure}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
