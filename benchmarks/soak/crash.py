"""The crash harness: people, a storm, calm, and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.jobs.job import Job
from impasto_playground import Playground

from .audit import Record, Verdict, judge
from .chat_facts import About, news_of
from .installation import Installation, OneMachine
from .people import Customer, Wishes
from .storm import Storm, Tally

SECONDS_TO_SETTLE = 600.0
"""After the storm, every wish must have its end within this time."""

Factory = Callable[[Playground, Path], Installation]


@dataclass(frozen=True)
class Outcome:
    """Everything that a run came to."""

    seed: int
    people: int
    seconds: float
    tally: Tally
    verdict: Verdict
    calls: Counter[str]

    def as_json(self) -> dict[str, Any]:
        tally, verdict = vars(self.tally), vars(self.verdict)
        return {**vars(self), "tally": tally, "verdict": verdict}


async def run_crash(
    folder: Path,
    *,
    faults: int,
    seconds: float,
    seed: int,
    people: int = 6,
    install: Factory = OneMachine,
    say: Callable[[str], None] = lambda line: None,
    longest_calm: float = 8.0,
) -> Outcome:
    """Storms over a bot in `folder` until `faults` or `seconds` are reached, and judges."""
    began = time.monotonic()
    record, wishes = Record(), Wishes()
    async with Playground(port=0) as playground, record.of(playground):
        installation = install(playground, folder)
        customers = [Customer(number, playground, wishes, seed) for number in range(1, people + 1)]
        storm = Storm(installation, playground, wishes, seed, say, longest_calm=longest_calm)
        closing = asyncio.Event()
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(installation.close)
            for customer in customers:
                await stack.enter_async_context(customer.person)
            lives = [asyncio.create_task(customer.live(closing)) for customer in customers]
            try:
                await _unless_any_fails(storm.rage(faults, seconds), lives)
                say("calm")
                closing.set()
                await asyncio.wait(lives, timeout=SECONDS_TO_SETTLE)
                _raise_failures(lives)
                for wish in wishes.open:
                    say(f"still open: {wish}")
                jobs = await _settled(installation, storm.tally, wishes.vanished)
            finally:
                for life in lives:
                    life.cancel()
                await asyncio.gather(*lives, return_exceptions=True)
                await installation.stop()
            left = _left_behind(customers)
            verdict = judge(jobs, record, wishes.all, left, wishes.vanished)
            verdict.left_over = len(installation.left_over())
    return Outcome(seed, people, time.monotonic() - began, storm.tally, verdict, record.calls)


async def _unless_any_fails(work: Any, others: list[asyncio.Task[None]]) -> None:
    """Awaits `work`; a bug of the harness in one of the others ends it at once."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task, *others}, return_when=asyncio.FIRST_COMPLETED)
        _raise_failures(others)
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _raise_failures(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()


async def _settled(
    installation: Installation, tally: Tally, vanished: Collection[str]
) -> list[Job]:
    """Every job, once nothing is under way any more or has had its time."""
    for pause in (0.0, 10.0, 30.0):
        await installation.start()
        await asyncio.sleep(pause)
        tally.ends += await installation.stop()
        jobs = await installation.store.jobs()
        if all(job.is_settled or job.id in vanished for job in jobs):
            break
    return jobs


def _left_behind(customers: list[Customer]) -> Counter[str]:
    """By job, the messages in all chats that still offer to stop it."""
    left: Counter[str] = Counter()
    for customer in customers:
        for message in customer.person.from_bot():
            news = news_of(message)
            if news is not None and news.about in (About.WAITING, About.PAINTING):
                left[news.job] += 1
    return left
