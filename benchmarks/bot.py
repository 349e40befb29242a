"""The whole bot in the playground, as a person uses it: memory, and how soon something is seen."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiogram.types import Message
from PIL import Image

from impasto_playground import Person, Playground

from .machine import family, peak_mb, proportional_mb
from .painters import settings_for
from .pairs import SharedData
from .processes import MeasurementFailed, clean_environment
from .worker import until_idle

PATIENCE = 1800.0
POLL_SECONDS = 0.05
PHOTO_SIZE = (1280, 960)
"""Width and height of the photo that is sent: the largest that Telegram keeps of a 4:3 photo."""
CONTENT = "tubingen"


class MemoryWatch:
    """Polls the proportional set sizes of a process and its children, in a thread."""

    def __init__(self, pid: int) -> None:
        self.peak: dict[int, float] = {}
        """By process, at the moment when their sum was largest, in MiB."""
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory watch", daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self.look()

    def look(self) -> None:
        """One look; what is largest so far is kept."""
        now = {}
        for pid in family(self._pid):
            with contextlib.suppress(ProcessLookupError):
                now[pid] = proportional_mb(pid)
        if sum(now.values()) > sum(self.peak.values()):
            self.peak = now


@dataclass(frozen=True, slots=True)
class BotRun:
    """A bot with a network and a pixel cap that paints one photo with its first preset."""

    network: str
    """As in the settings."""
    pixels: int | None = None
    """The pixel cap, with the memory that it takes; None leaves the default settings."""
    memory_mb: int | None = None
    """What painting may take; None: what goes with the pixel cap."""
    threads: int = 0
    modules: Path | None = None
    """A folder of packages to take instead of the installed ones."""
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
                self.running(playground, Path(folder)) as (process, log),
            ):
                await log.wait_for(lambda event: event.get("event") == "painting_child_ready")
                for pid in family(process.pid):
                    await until_idle(pid)
                with MemoryWatch(process.pid) as watch:
                    values = await _conversation(person, photo, log)
                    values["painter_resident_mb"] = max(
                        peak_mb(pid) for pid in family(process.pid) if pid != process.pid
                    )
        bot = watch.peak.get(process.pid, 0.0)
        whole = sum(watch.peak.values())
        return {**values, "peak_mb": whole, "bot_mb": bot, "painter_mb": whole - bot}

    @asynccontextmanager
    async def running(
        self, playground: Playground, folder: Path
    ) -> AsyncIterator[tuple[asyncio.subprocess.Process, _Log]]:
        """The process and its log."""
        painting = {
            **({} if self.pixels is None else settings_for(self.pixels)),
            "network": self.network,
            "device": "cpu",
            "threads": self.threads,
            **({} if self.memory_mb is None else {"memory_mb": self.memory_mb}),
        }
        environment = clean_environment(
            IMPASTO_TELEGRAM__TOKEN=playground.token,
            IMPASTO_TELEGRAM__API_BASE=playground.url,
            IMPASTO_STATE_DIR=str(folder / "state"),
            IMPASTO_LOG__FORMAT="json",
            # A bench asks for more pictures than one person may.
            IMPASTO_QUEUE__PICTURES_PER_HOUR="0",
            **{f"IMPASTO_PAINTING__{key.upper()}": str(value) for key, value in painting.items()},
        )
        if self.modules is not None:
            path = [str(self.modules), environment.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
        process = await asyncio.create_subprocess_exec(
            *(*self.prefix, sys.executable, "-m", "impasto", "run"),
            cwd=folder,
            env=environment,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        log = _Log(process.stderr)
        try:
            yield process, log
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), 30)
                except TimeoutError:
                    process.kill()
                    await process.wait()
            await log.close()


class _Log:
    """What the bot logs, one JSON object a line."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._events: list[dict[str, Any]] = []
        self._ended = False
        self._changed = asyncio.Condition()
        self._reader = asyncio.create_task(self._read(stream))

    async def wait_for(self, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event that matches. Raises TimeoutError, MeasurementFailed."""
        async with asyncio.timeout(PATIENCE), self._changed:
            while True:
                for event in self._events:
                    if matches(event):
                        return event
                if self._ended:
                    raise MeasurementFailed(f"the bot ended; it said {self._events[-3:]}")
                await self._changed.wait()

    async def close(self) -> None:
        await self._reader

    async def _read(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            with contextlib.suppress(ValueError):
                self._events.append(json.loads(line))
            async with self._changed:
                self._changed.notify_all()
        self._ended = True
        async with self._changed:
            self._changed.notify_all()


async def _conversation(person: Person, photo: bytes, log: _Log) -> dict[str, Any]:
    """Sends the photo, taps the first preset, waits for the picture."""
    sent = await person.send_photo(photo)
    gallery = await person.wait_for(
        lambda m: m.reply_markup is not None, PATIENCE, after=sent.message_id
    )
    assert gallery.reply_markup is not None
    tapped = time.time()
    await person.tap(gallery.reply_markup.inline_keyboard[0][0].text, gallery.message_id)
    status = await person.wait_for(lambda m: m.photo, PATIENCE, after=gallery.message_id)
    preview_at = await _when_repainted(person, status)
    await person.wait_for(lambda m: m.text, PATIENCE, after=status.message_id)
    ready_at = time.time()
    [result] = [m for m in person.from_bot() if m.message_id == status.message_id]
    if not result.photo:
        raise MeasurementFailed(f"the bot sent no picture but {result.text or result.caption!r}")
    running = await log.wait_for(
        lambda event: event.get("event") == "job_changed" and event.get("state") == "running"
    )
    taken = datetime.fromisoformat(running["timestamp"]).astimezone(UTC).timestamp()
    return {
        "tap_to_taken_seconds": taken - tapped,
        "taken_to_preview_seconds": preview_at - taken,
        "taken_to_ready_seconds": ready_at - taken,
        "painted_pixels": result.photo[-1].width * result.photo[-1].height,
    }


async def _when_repainted(person: Person, status: Message) -> float:
    """When the status message first shows another picture than the person's own."""
    assert status.photo
    own = status.photo[-1].file_unique_id
    await person.wait_for(
        lambda m: (
            m.message_id == status.message_id and m.photo and m.photo[-1].file_unique_id != own
        ),
        PATIENCE,
    )
    return time.time()


def _photo(shared: SharedData) -> bytes:
    with Image.open(shared.photo(CONTENT)) as picture:
        photo = picture.convert("RGB").resize(PHOTO_SIZE, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
