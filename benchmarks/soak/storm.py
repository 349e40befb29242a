"""Blow after blow: processes killed, Telegram out of order, a full disk, while people go on."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from impasto_playground import Fault, FaultKind, Playground

from .bad_days import BAD_DAYS, Scene
from .installation import Installation
from .people import Wishes
from .points import POINTS, Point, held_at

T = TypeVar("T")

WEATHER = (
    Fault(kind=FaultKind.FLOOD, probability=0.02, retry_after=1),
    Fault(kind=FaultKind.ERROR, probability=0.01, code=500),
    Fault(kind=FaultKind.ERROR, probability=0.01, code=502, acts=True),
    Fault(kind=FaultKind.PAGE, probability=0.01),
    Fault(kind=FaultKind.PAGE, probability=0.005, code=504, acts=True),
    Fault(kind=FaultKind.CUT, probability=0.01),
    Fault(kind=FaultKind.CUT, probability=0.01, acts=True),
    Fault(kind=FaultKind.CUT, probability=0.05, acts=True, method="download"),
)
"""What goes wrong now and then, all the time."""

PATIENCE_S = 120.0
"""If no call comes to a point in so long, the blow falls where things are."""


@dataclass
class Tally:
    """What was done to the bot."""

    kills: Counter[str] = field(default_factory=Counter)
    """By victim."""
    moments: Counter[str] = field(default_factory=Counter)
    """By point, or "at random"."""
    storms: Counter[str] = field(default_factory=Counter)
    """Bad days, by name."""
    ends: list[float] = field(default_factory=list)
    """Seconds from SIGTERM to the end."""
    ended_by_themselves: int = 0
    """Processes that gave up: at a start on a full disk."""

    @property
    def faults(self) -> int:
        """Kills and bad days."""
        return self.kills.total() + self.storms.total()

    @property
    def unclean_ends(self) -> int:
        return sum(seconds < 0 for seconds in self.ends)


class Storm:
    """Strikes until there were as many faults as asked for, or the time is up."""

    def __init__(
        self,
        installation: Installation,
        playground: Playground,
        wishes: Wishes,
        seed: int,
        say: Callable[[str], None],
        *,
        longest_calm: float = 8.0,
    ) -> None:
        self.tally = Tally()
        self._installation = installation
        self._playground = playground
        self._wishes = wishes
        self._random = random.Random(seed)
        self._scene = Scene(installation, playground, wishes, self._random)
        self._say = say
        self._longest_calm = longest_calm
        self._is_striking = False
        playground.faults.random.seed(seed)

    async def rage(self, faults: int, seconds: float) -> None:
        """Kills fall at named points, each in its turn, or at random; so do bad days."""
        until = time.monotonic() + seconds
        weather = [self._playground.faults.add(fault) for fault in WEATHER]
        points, bad_days = self._turns(POINTS), self._turns(tuple(BAD_DAYS))
        while self.tally.faults < faults and time.monotonic() < until:
            self.tally.ended_by_themselves += await self._installation.start()
            chance = self._random.random()
            if chance < 0.3:
                await self._kill_at(next(points))
            elif chance < 0.5:
                await self._kill_at_random()
            elif chance < 0.95:
                await self._bad_day(next(bad_days))
            else:
                await self._end()
        for fault in weather:
            self._playground.faults.remove(fault)
        await self._installation.start()

    def _turns(self, things: Sequence[T]) -> Iterator[T]:
        while True:
            yield from self._random.sample(things, len(things))

    async def _kill_at(self, point: Point) -> None:
        async def strike() -> None:
            self._wishes.wanted = point.wish
            async with held_at(point, self._playground, self._installation, PATIENCE_S) as reached:
                await self._kill(point.name if reached else f"not reached: {point.name}")

        await self._while_it_runs(strike())

    async def _kill_at_random(self) -> None:
        async def strike() -> None:
            await asyncio.sleep(self._random.uniform(0, self._longest_calm))
            await self._kill("at random")

        await self._while_it_runs(strike())

    async def _while_it_runs(self, work: Coroutine[Any, Any, None]) -> None:
        """Awaits `work`, unless a process ends by itself before."""
        task = asyncio.create_task(work)
        ended = asyncio.create_task(self._installation.until_one_ends())
        try:
            await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
            if self._is_striking or task.done():
                await task
        finally:
            for pending in (task, ended):
                pending.cancel()
            await asyncio.gather(task, ended, return_exceptions=True)

    async def _kill(self, moment: str) -> None:
        self._is_striking = True
        victim = self._random.choice(self._installation.victims)
        if await self._installation.kill(victim):
            self.tally.kills[victim] += 1
            self.tally.moments[moment] += 1
            self._say(f"kill {self.tally.kills.total()}: {victim}, {moment}")
        self._is_striking = False

    async def _bad_day(self, name: str) -> None:
        seconds = self._random.uniform(2, 6)
        self._say(f"{name}, {seconds:.1f} s")
        if await BAD_DAYS[name](self._scene, seconds):
            self.tally.storms[name] += 1

    async def _end(self) -> None:
        await asyncio.sleep(self._random.uniform(0, self._longest_calm))
        ends = await self._installation.stop()
        self.tally.ends += ends
        self._say("SIGTERM: " + ", ".join(f"{seconds:.1f} s" for seconds in ends))
