"""A thousand people within a minute: how soon each has a reply, and what memory that takes.

The people act inside of the playground, not over HTTP, so that it is the bot that is measured.
"""

from __future__ import annotations

import asyncio
import io
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiogram.types import Message, User
from PIL import Image

from impasto_playground import Playground
from impasto_playground.files import Content
from impasto_playground.state import Conversation, World

from ..machine import OthersWork, cpu_seconds
from .chat_facts import STOP, STYLE, buttons_of
from .installation import TINY, Installation, OneMachine, started
from .memory import Sample, watched

PATIENCE_S = 120.0
SAMPLE_S = 5.0


@dataclass(frozen=True)
class Times:
    """How long people waited for a reply, in seconds."""

    replies: int
    missing: int
    median: float
    p99: float
    longest: float

    @classmethod
    def of(cls, waits: list[float | None]) -> Times:
        found = sorted(wait for wait in waits if wait is not None)
        p99 = (
            statistics.quantiles(found, n=100, method="inclusive")[98]
            if len(found) > 1
            else found[0]
        )
        missing = len(waits) - len(found)
        return cls(len(found), missing, statistics.median(found), p99, found[-1])


@dataclass(frozen=True)
class LoadOutcome:
    """What was measured."""

    people: int
    seconds: float
    questions: Times
    """From a photo to the question for its style."""
    acceptances: Times | None
    """From the tap on a style to the message that shows the job."""
    samples: list[Sample]
    bot_cpu_seconds: float
    others: float
    """Share of all CPUs that other programs took meanwhile: with much of it, waits say little."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Visitor:
    """Somebody in the playground's own process."""

    def __init__(self, world: World, number: int, photo: Content) -> None:
        language = "ru" if number % 3 == 0 else "en"
        person = User(
            id=number, is_bot=False, first_name=f"Visitor {number}", language_code=language
        )
        self._world = world
        self._conversation: Conversation = world.conversation(person)
        self._photo = photo

    async def send_photo(self) -> float | None:
        """Seconds until the question for a style; None when none came."""
        return await self._until_there_is(
            STYLE, lambda: self._world.from_person(self._conversation, **self._photo)
        )

    async def choose(self) -> float | None:
        """Seconds from the tap on the first style to the message that shows the job."""
        galleries = [
            (message, data)
            for message in self._conversation.messages.values()
            for data in buttons_of(message)
            if data.startswith(STYLE)
        ]
        if not galleries:
            return None
        message, data = galleries[0]
        return await self._until_there_is(
            STOP, lambda: self._world.tap(self._conversation, message, data)
        )

    async def _until_there_is(self, button: str, act: Callable[[], object]) -> float | None:
        hub, chat = self._world.hub, self._conversation.id
        watcher = hub.watch(chat)
        began = time.perf_counter()
        act()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while (event := await watcher.next()) is not None:
                    if event["kind"] == "message" and _has(event["message"], button):
                        return time.perf_counter() - began
        except TimeoutError:
            return None
        finally:
            hub.leave(chat, watcher)
        return None


async def run_load(
    folder: Path,
    *,
    people: int,
    seconds: float,
    seed: int,
    taps: bool,
    say: Callable[[str], None] = lambda line: None,
    install: Callable[[Playground, Path], Installation] | None = None,
) -> LoadOutcome:
    """Has everybody send a photo at a random moment of `seconds`; then, with `taps`, choose a style
    in as much time again."""
    chance = random.Random(seed)
    async with Playground(port=0) as playground:
        installation = (install or _as_delivered)(playground, folder)
        try:
            photo = await _photo(playground.world, folder)
            visitors = [Visitor(playground.world, 1000 + n, photo) for n in range(people)]
            await started(installation, playground)
            # The first sheet of each language is drawn once; that is no matter of load.
            warm = [Visitor(playground.world, number, photo) for number in (1, 2, 3)]
            await asyncio.gather(*(visitor.send_photo() for visitor in warm))
            say(f"{people} people within {seconds:g} s")
            others, bot = OthersWork(), installation.process_ids()["bot"]
            cpu_before = cpu_seconds(bot)
            async with watched(installation, SAMPLE_S) as samples:
                questions = await _spread(
                    [visitor.send_photo for visitor in visitors], seconds, chance
                )
                say("every photo is sent and answered")
                acceptances = None
                if taps:
                    acceptances = await _spread(
                        [visitor.choose for visitor in visitors], seconds, chance
                    )
            cpu = cpu_seconds(bot) - cpu_before
            await installation.stop()
        finally:
            installation.close()
    return LoadOutcome(
        people,
        seconds,
        Times.of(questions),
        Times.of(acceptances) if acceptances is not None else None,
        samples,
        cpu,
        others.share(),
    )


def _as_delivered(playground: Playground, folder: Path) -> OneMachine:
    """With the pace of messages as it is by default; only the paintings are tiny."""
    return OneMachine(playground, folder, TINY)


async def _spread(
    acts: list[Callable[[], Any]], seconds: float, chance: random.Random
) -> list[float | None]:
    """Each at a random moment."""

    async def later(act: Callable[[], Any], moment: float) -> float | None:
        await asyncio.sleep(moment)
        return await act()

    moments = [chance.uniform(0, seconds) for _ in acts]
    return await asyncio.gather(*map(later, acts, moments))


async def _photo(world: World, folder: Path) -> Content:
    """One photo for all: it is kept by Telegram, and the bot sees an id."""
    path = folder / "photo.jpg"
    buffer = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize((320, 240)).save(buffer, "JPEG")
    path.write_bytes(buffer.getvalue())
    return await world.files.add_photo(path)


def _has(message: dict[str, Any], button: str) -> bool:
    return any(data.startswith(button) for data in buttons_of(Message.model_validate(message)))
