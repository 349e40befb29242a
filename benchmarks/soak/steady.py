"""Steady work for a long time: does the bot's memory grow?"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto_playground import Playground

from .installation import TINY, OneMachine, started
from .memory import Sample, watched
from .people import Customer, Wishes

LONGEST_PAUSE_S = 20.0


@dataclass(frozen=True)
class SteadyOutcome:
    """What was measured."""

    people: int
    wishes: dict[str, int]
    """How the wishes ended."""
    samples: list[Sample]

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


async def run_steady(
    folder: Path,
    *,
    minutes: float,
    people: int,
    seed: int,
    shipped: bool,
    every: float = 60.0,
    say: Callable[[str], None] = lambda line: None,
) -> SteadyOutcome:
    """People ask for picture after picture with pauses; memory is looked at `every` so many
    seconds. With `shipped`, paintings have the network and the size that they have by default."""
    wishes = Wishes()
    photo = (1280, 960) if shipped else (120, 90)
    async with Playground(port=0) as playground, contextlib.AsyncExitStack() as stack:
        installation = OneMachine(playground, folder, {} if shipped else TINY)
        stack.callback(installation.close)
        customers = [
            Customer(number, playground, wishes, seed, longest_pause=LONGEST_PAUSE_S, photo=photo)
            for number in range(1, people + 1)
        ]
        for customer in customers:
            await stack.enter_async_context(customer.person)
        await started(installation, playground)
        stack.push_async_callback(installation.stop)
        closing = asyncio.Event()
        lives = [asyncio.create_task(customer.live(closing)) for customer in customers]
        try:
            async with watched(installation, every) as samples:
                for minute in range(1, int(minutes) + 1):
                    await _one_minute(lives, minutes * 60 / max(1, int(minutes)))
                    say(f"minute {minute}: {len(wishes.all)} wishes, {samples[-1].megabytes}")
        finally:
            for life in lives:
                life.cancel()
            await asyncio.gather(*lives, return_exceptions=True)
    return SteadyOutcome(people, dict(Counter(wish.end.value for wish in wishes.all)), samples)


async def _one_minute(lives: list[asyncio.Task[None]], seconds: float) -> None:
    done, _ = await asyncio.wait(lives, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for life in done:
        life.result()
