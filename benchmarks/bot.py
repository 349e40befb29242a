"""The whole bot in the playground, as a person uses it: memory, and how soon something is seen."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiogram.types import Message, PhotoSize
from PIL import Image

from impasto_playground import Person, Playground

from .machine import MemoryWatch, by_process, family
from .processes import MeasurementFailed, clean_environment
from .subjects import SharedData
from .worker import until_idle

PATIENCE = 1800.0
PHOTO_SIZE = (1280, 960)
"""Width and height of the photo that is sent: the largest that Telegram keeps of a 4:3 photo."""
DEFAULT_PIXELS = 1080 * 810
"""Of the painting of that photo at default settings on a CPU (`painting.long_side_cpu`)."""
CONTENT = "tubingen"


@dataclass(frozen=True, slots=True)
class BotRun:
    """A bot that paints one photo with its first preset."""

    painting: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Settings of the section `painting` other than the defaults."""
    prefix: tuple[str, ...] = ()
    """A command that becomes the bot."""

    def measure(self, shared: SharedData) -> dict[str, Any]:
        """Raises MeasurementFailed."""
        try:
            return asyncio.run(self._measure(_photo(shared)))
        except TimeoutError as error:
            raise MeasurementFailed(str(error)) from error

    async def _measure(self, photo: bytes) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            async with (
                Playground(port=0) as playground,
                Person(playground.url) as person,
                self.running(playground, Path(folder)) as bot,
            ):
                for pid in family(bot.process.pid):
                    await until_idle(pid)
                with MemoryWatch(lambda: by_process(bot.process.pid)) as memory:
                    values = await _conversation(person, photo, bot)
        ours = memory.peak.get(bot.process.pid, 0.0)
        whole = sum(memory.peak.values())
        return {**values, "peak_mb": whole, "bot_mb": ours, "painter_mb": whole - ours}

    @asynccontextmanager
    async def running(self, playground: Playground, folder: Path) -> AsyncIterator[RunningBot]:
        """Whose painting process is ready. Raises MeasurementFailed."""
        # No picture is to be smaller because the ones before it took long.
        painting = {"device": "cpu", "patience_seconds": 0, **self.painting}
        environment = clean_environment(
            IMPASTO_TELEGRAM__TOKEN=playground.token,
            IMPASTO_TELEGRAM__API_BASE=playground.url,
            IMPASTO_STATE_DIR=str(folder / "state"),
            IMPASTO_LOG__FORMAT="json",
            # A bench asks for more pictures than one person may.
            IMPASTO_QUEUE__PICTURES_PER_HOUR="0",
            **{f"IMPASTO_PAINTING__{key.upper()}": str(value) for key, value in painting.items()},
        )
        log = folder / "bot.log"
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *(*self.prefix, sys.executable, "-P", "-m", "impasto", "run"),
                cwd=folder,
                env=environment,
                stderr=stderr,
            )
        bot = RunningBot(process, log)
        try:
            await bot.logged(event="painting_child_ready")
            yield bot
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), 30)
                except TimeoutError:
                    process.kill()
                    await process.wait()


@dataclass(frozen=True, slots=True)
class RunningBot:
    """The process of a bot and its log, one JSON object a line."""

    process: asyncio.subprocess.Process
    log: Path

    async def logged(self, **fields: str) -> dict[str, Any]:
        """The first event with these fields, once it is in the log.

        Raises:
            MeasurementFailed: the bot ended before.
        """
        async with asyncio.timeout(PATIENCE):
            while True:
                lines = self.log.read_text().splitlines()
                for line in lines:
                    with contextlib.suppress(ValueError):  # no event, or one that is not whole yet
                        event = json.loads(line)
                        if fields.items() <= event.items():
                            return event
                if self.process.returncode is not None:
                    raise MeasurementFailed(f"the bot ended; it said {lines[-3:]}")
                await asyncio.sleep(0.05)


async def _conversation(person: Person, photo: bytes, bot: RunningBot) -> dict[str, Any]:
    """Sends the photo, taps the first preset, waits for the picture."""
    gallery = await tap_style(person, await person.send_photo(photo), button=0)
    status = await person.wait_for(lambda m: m.photo, PATIENCE, after=gallery.message_id)
    assert status.photo
    own = status.photo[-1].file_unique_id
    await person.wait_for(
        lambda m: (
            m.message_id == status.message_id and m.photo and m.photo[-1].file_unique_id != own
        ),
        PATIENCE,
    )
    preview_at = time.time()
    _, size = await finished_picture(person, gallery)
    ready_at = time.time()
    running = await bot.logged(event="job_changed", state="running")
    taken = datetime.fromisoformat(running["timestamp"]).astimezone(UTC).timestamp()
    return {
        "taken_to_preview_seconds": preview_at - taken,
        "taken_to_ready_seconds": ready_at - taken,
        "painted_pixels": size.width * size.height,
    }


async def tap_style(person: Person, sent: Message, *, button: int) -> Message:
    """Taps a preset in answer to the gallery for what was sent; returns the gallery."""
    gallery = await person.wait_for(lambda m: m.reply_markup, PATIENCE, after=sent.message_id)
    assert gallery.reply_markup is not None
    buttons = [b.text for row in gallery.reply_markup.inline_keyboard for b in row]
    await person.tap(buttons[button], gallery.message_id)
    return gallery


async def finished_picture(person: Person, gallery: Message) -> tuple[Message, PhotoSize]:
    """The message with the picture that a tap on this gallery led to, once "ready" is said.

    Raises:
        MeasurementFailed: no picture came.
    """
    try:
        _, result = await person.finished_picture(PATIENCE, after=gallery.message_id)
    except TimeoutError as error:
        raise MeasurementFailed(str(error)) from error
    assert result.photo
    return result, result.photo[-1]


def _photo(shared: SharedData) -> bytes:
    with Image.open(shared.photo(CONTENT)) as picture:
        photo = picture.convert("RGB").resize(PHOTO_SIZE, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
