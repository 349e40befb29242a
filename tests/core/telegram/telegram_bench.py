"""What tests of the Telegram side share: faults on the way to Telegram, pictures, plain words."""

from __future__ import annotations

import asyncio
import io
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from PIL import Image

from impasto.contracts import Journal, Say
from impasto.jobs.job import Job, JobState
from impasto.messages import Progress

Fault = Callable[[TelegramMethod[Any]], Exception]


def out_of_order(method: TelegramMethod[Any]) -> TelegramAPIError:
    return TelegramServerError(method=method, message="Bad Gateway")


def unreachable(method: TelegramMethod[Any]) -> TelegramAPIError:
    return TelegramNetworkError(method=method, message="ClientConnectorError")


def flood(seconds: int) -> Fault:
    def fault(method: TelegramMethod[Any]) -> TelegramAPIError:
        return TelegramRetryAfter(method=method, message="Flood control", retry_after=seconds)

    return fault


class Faults(BaseRequestMiddleware):
    """Between the bot and Telegram: counts calls, and lets some fail or wait."""

    def __init__(self) -> None:
        self.calls: list[TelegramMethod[Any]] = []
        self.times: list[float] = []
        """When each came, by the clock of the event loop."""
        self.gates: dict[str, asyncio.Event] = {}
        self.later_gates: dict[str, asyncio.Event] = {}
        self.held: list[str] = []
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._changed = asyncio.Event()

    def on(self, method: str, *faults: Fault) -> None:
        """The next calls of this method fail like this, one after the other."""
        self._faults[method].extend(faults)

    def hold(self, method: str, *, after: bool = False) -> asyncio.Event:
        """Calls of this method wait until the event is set, or their answers do, with `after`."""
        gates = self.later_gates if after else self.gates
        return gates.setdefault(method, asyncio.Event())

    def names(self) -> list[str]:
        return [type(call).__name__ for call in self.calls]

    def sent(self) -> list[Any]:
        """The calls that send a message."""
        return [call for call in self.calls if type(call).__name__.startswith("Send")]

    def seconds_between(self, method: str, later: str) -> float:
        """From the first call of one method to the last of another (or the same) one."""
        names = self.names()
        last = len(names) - 1 - names[::-1].index(later)
        return self.times[last] - self.times[names.index(method)]

    async def until_called(self, method: str, times: int = 1) -> None:
        async with asyncio.timeout(30):
            while self.names().count(method) < times:
                self._changed.clear()
                await self._changed.wait()

    async def __call__(self, make_request: Any, bot: Bot, method: TelegramMethod[Any]) -> Any:
        name = type(method).__name__
        self.calls.append(method)
        self.times.append(asyncio.get_running_loop().time())
        self._changed.set()
        await self._wait_at(self.gates.get(name), name)
        if self._faults[name]:
            raise self._faults[name].popleft()(method)
        answer = await make_request(bot, method)
        await self._wait_at(self.later_gates.get(name), name)
        return answer

    async def until_held(self, method: str) -> None:
        async with asyncio.timeout(30):
            while method not in self.held:
                self._changed.clear()
                await self._changed.wait()

    async def _wait_at(self, gate: asyncio.Event | None, name: str) -> None:
        if gate is not None:
            self.held.append(name)
            self._changed.set()
            await gate.wait()


class PlainPresenter:
    """Says what happens in one word."""

    name = "plain"
    order = 100

    def waiting(self, job: Job, ahead: int, seconds: float | None) -> Say:
        button = InlineKeyboardButton(text="Stop", callback_data="stop")
        return Say(f"waiting {ahead}", InlineKeyboardMarkup(inline_keyboard=[[button]]))

    def painting(self, job: Job, progress: Progress) -> Say:
        return Say(f"painting {progress.step}")

    def painted(self, job: Job) -> Say:
        return Say("painted")

    def ready(self, job: Job) -> Say:
        return Say("ready")

    def moved(self, job: Job) -> Say:
        return Say("moved")

    def failed(self, job: Job) -> Say:
        return Say(f"failed {job.failure.code if job.failure else ''}")

    def cancelled(self, job: Job) -> Say:
        return Say("cancelled")


def jpeg(color: str = "teal", size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


def color_of(picture: bytes) -> str:
    """The color of a picture of one color; Telegram compresses photos anew."""
    pixel = Image.open(io.BytesIO(picture)).convert("RGB").getpixel((5, 5))
    channels = ("red", "green", "blue")
    return channels[pixel.index(max(pixel))]


async def until_state(journal: Journal, job_id: str, state: JobState) -> Job:
    """Waits until the journal has the job in this state."""
    return await until_job(journal, job_id, lambda job: job.state is state)


async def until_job(journal: Journal, job_id: str, holds: Callable[[Job], bool]) -> Job:
    """Waits until this holds of the job as the journal has it."""
    async with asyncio.timeout(30):
        while True:
            job = await journal.get(job_id)
            if job is not None and holds(job):
                return job
            await asyncio.sleep(0.01)


async def eventually(condition: Callable[[], Awaitable[Any]]) -> None:
    """Waits until a condition that nothing announces holds."""
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.01)
