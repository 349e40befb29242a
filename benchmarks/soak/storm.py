"""Blow after blow: processes killed, Telegram out of order, a full disk, while people go on."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from impasto_playground import Fault, FaultKind, Playground

from .installation import Installation
from .points import POINTS, Point, held_at

WEATHER = (
    Fault(kind=FaultKind.FLOOD, probability=0.02, retry_after=1),
    Fault(kind=FaultKind.ERROR, probability=0.01, code=500),
    Fault(kind=FaultKind.ERROR, probability=0.01, code=502, acts=True),
    Fault(kind=FaultKind.CUT, probability=0.01),
    Fault(kind=FaultKind.CUT, probability=0.01, acts=True),
    Fault(kind=FaultKind.CUT, probability=0.05, acts=True, method="download"),
)
"""What goes wrong now and then, all the time."""

STORMS = {
    "429 storm": Fault(kind=FaultKind.FLOOD, retry_after=2),
    "5xx storm": Fault(kind=FaultKind.ERROR, code=503),
    "connections cut": Fault(kind=FaultKind.CUT),
    "answers lost": Fault(kind=FaultKind.CUT, acts=True),
    "silence": Fault(kind=FaultKind.SILENCE),
}
"""What then strikes every call for some seconds."""

PATIENCE_S = 40.0
"""If no call comes to a point in so long, the blow falls where things are."""


@dataclass
class Tally:
    """What was done to the bot."""

    kills: Counter[str] = field(default_factory=Counter)
    """By victim."""
    moments: Counter[str] = field(default_factory=Counter)
    """By point, or "at random"."""
    storms: Counter[str] = field(default_factory=Counter)
    ends: list[float] = field(default_factory=list)
    """Seconds from SIGTERM to the end."""
    ended_by_themselves: int = 0
    """Processes that gave up: at a start on a full disk."""

    @property
    def unclean_ends(self) -> int:
        return sum(seconds < 0 for seconds in self.ends)


class Storm:
    """Strikes until as many kills were made as asked for, or the time is up."""

    def __init__(
        self,
        installation: Installation,
        playground: Playground,
        seed: int,
        say: Callable[[str], None],
        *,
        longest_calm: float = 8.0,
    ) -> None:
        self.tally = Tally()
        self._installation = installation
        self._playground = playground
        self._random = random.Random(seed)
        self._say = say
        self._longest_calm = longest_calm
        self._is_striking = False
        playground.faults.random.seed(seed)

    async def rage(self, kills: int, seconds: float) -> None:
        """Half of the kills fall at named points, each in its turn."""
        until = time.monotonic() + seconds
        weather = [self._playground.faults.add(fault) for fault in WEATHER]
        points = self._turns(POINTS)
        while self.tally.kills.total() < kills and time.monotonic() < until:
            self.tally.ended_by_themselves += await self._installation.start()
            chance = self._random.random()
            if chance < 0.5:
                await self._kill_at(next(points))
            elif chance < 0.85:
                await self._kill_at_random()
            elif chance < 0.95:
                await self._storm()
            else:
                await self._end()
        for fault in weather:
            self._playground.faults.remove(fault)
        await self._installation.start()

    def _turns(self, points: Sequence[Point]) -> Iterator[Point]:
        while True:
            yield from self._random.sample(points, len(points))

    async def _kill_at(self, point: Point) -> None:
        async def strike() -> None:
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

    async def _storm(self) -> None:
        kinds: dict[str, Callable[[float], Awaitable[bool]]] = {
            name: lambda seconds, fault=fault: self._faulty(fault, seconds)
            for name, fault in STORMS.items()
        }
        kinds["full disk"] = self._full_disk
        name = self._random.choice(list(kinds))
        seconds = self._random.uniform(2, 6)
        if await kinds[name](seconds):
            self.tally.storms[name] += 1
            self._say(f"{name}, {seconds:.1f} s")

    async def _faulty(self, fault: Fault, seconds: float) -> bool:
        with self._playground.faults.during(fault):
            await asyncio.sleep(seconds)
        return True

    async def _full_disk(self, seconds: float) -> bool:
        if not self._installation.fill_disk():
            return False
        try:
            await asyncio.sleep(seconds)
        finally:
            self._installation.free_disk()
        return True

    async def _end(self) -> None:
        await asyncio.sleep(self._random.uniform(0, self._longest_calm))
        ends = await self._installation.stop()
        self.tally.ends += ends
        self._say("SIGTERM: " + ", ".join(f"{seconds:.1f} s" for seconds in ends))
