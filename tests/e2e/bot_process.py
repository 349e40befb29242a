"""`impasto run` in a process of its own, and the steps of a person who talks to it over HTTP."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiogram.types import Message
from PIL import Image

from impasto_playground import Person, Playground

from .. import endless
from ..bot_environment import bot_environment

PATIENCE = 120.0
"""Seconds that a wait may take on a slow and busy machine; no test depends on how long it does."""

IMPASTO_RUN = (sys.executable, "-m", "impasto", "run")


class BotProcess:
    """`impasto run` against a playground; may be started again on the same state.

    Without `steps` a painting goes on until it is stopped.
    """

    def __init__(
        self,
        playground: Playground,
        folder: Path,
        *,
        steps: int | None = None,
        max_pixels: int = 12_000,
    ) -> None:
        effort = endless.SETTINGS if steps is None else {"PAINTING__STEPS": str(steps)}
        self._folder = folder
        self._environment = environment_for(
            playground,
            folder,
            PAINTING__MAX_PIXELS_CPU=str(max_pixels),
            PAINTING__PREVIEW_SECONDS="0.1",
            PAINTING__DEVICE="cpu",
            QUEUE__JOBS_PER_PERSON="100",
            QUEUE__PICTURES_PER_HOUR="0",
            **effort,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            *IMPASTO_RUN, cwd=self._folder, env=self._environment
        )
        async with killed_at_the_end(process):
            yield process


def environment_for(playground: Playground, folder: Path, **variables: str) -> dict[str, str]:
    """For a bot at a playground, without pauses between messages; variables without `IMPASTO_`."""
    hurried = {
        "TELEGRAM__EDIT_SECONDS": "0",
        "TELEGRAM__MESSAGES_PER_SECOND": "0",
        "TELEGRAM__CHAT_MESSAGES_PER_SECOND": "0",
    }
    return bot_environment(playground, folder / "state", hurried | variables)


@asynccontextmanager
async def killed_at_the_end(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """Unless it has ended by itself."""
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def photo(size: tuple[int, int] = (400, 300)) -> bytes:
    buffer = io.BytesIO()
    gradient = Image.radial_gradient("L").resize(size)
    Image.merge("RGB", (gradient, gradient.rotate(90), gradient.rotate(180))).save(buffer, "JPEG")
    return buffer.getvalue()


async def gallery_after(person: Person, sent: Message) -> Message:
    """The gallery that the bot answers a picture with."""
    return await person.wait_for(
        lambda m: m.reply_markup is not None, PATIENCE, after=sent.message_id
    )


async def chosen(person: Person, gallery: Message) -> Message:
    """Taps the first preset; returns the status message."""
    assert gallery.reply_markup is not None
    await person.tap(gallery.reply_markup.inline_keyboard[0][0].text, gallery.message_id)
    return await person.wait_for(lambda m: m.photo or m.text, PATIENCE, after=gallery.message_id)


async def ordered(person: Person) -> Message:
    """Sends a photo and taps the first preset; returns the status message."""
    return await chosen(person, await gallery_after(person, await person.send_photo(photo())))


async def delivered(person: Person, status: Message) -> Message:
    """Waits for the message that notifies; returns the finished picture's message."""
    told, result = await person.finished_picture(PATIENCE, after=status.message_id)
    assert told.reply_to_message is not None
    assert told.reply_to_message.message_id == status.message_id
    return result
