"""A child's silence is judged by time in which its parent was awake."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from impasto.jobs.painter_process import ChildLost, PaintingChild
from impasto.messages import Ready, encode

SILENCE = 30.0
READY = encode(Ready(pid=1, device="cpu"))


class Clock:
    """The event loop's, which can be set ahead."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patch: pytest.MonkeyPatch) -> None:
        self._real = loop.time
        self._ahead = 0.0
        patch.setattr(loop, "time", lambda: self._real() + self._ahead)

    def goes_on(self, seconds: float) -> None:
        self._ahead += seconds


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(asyncio.get_running_loop(), monkeypatch)


Says = Callable[[bytes], Any]


@pytest.fixture
async def child_that_says() -> AsyncIterator[tuple[PaintingChild, Says]]:
    """A child whose words come through a real pipe: only then are they and a timer that has run out
    found by the loop at the same moment."""
    reading, writing = os.pipe()
    stdout = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(reading, "rb")
    )
    process: Any = SimpleNamespace(stdin=object(), stdout=stdout, pid=os.getpid())
    yield PaintingChild(process, SILENCE, None), lambda words: os.write(writing, words)
    transport.close()
    os.close(writing)


async def begun(child: PaintingChild) -> asyncio.Task[Any]:
    receiving = asyncio.create_task(child.receive(SILENCE))
    for _ in range(5):  # until it waits for the pipe
        await asyncio.sleep(0)
    return receiving


async def test_what_is_in_the_pipe_is_read_before_silence_is_judged(
    clock: Clock, child_that_says: tuple[PaintingChild, Says]
) -> None:
    child, says = child_that_says
    receiving = await begun(child)
    says(READY)
    clock.goes_on(1000)
    assert isinstance(await receiving, Ready)


async def test_a_child_that_was_paused_too_has_its_time_again(
    clock: Clock, child_that_says: tuple[PaintingChild, Says]
) -> None:
    child, says = child_that_says
    receiving = await begun(child)
    for _ in range(3):
        clock.goes_on(1000)
        for _ in range(20):
            await asyncio.sleep(0)
    assert not receiving.done()
    says(READY)
    assert isinstance(await receiving, Ready)


async def test_silence_while_the_parent_is_awake_counts(
    clock: Clock, child_that_says: tuple[PaintingChild, Says]
) -> None:
    child, _ = child_that_says
    receiving = await begun(child)
    awake = 0.0
    while not receiving.done():
        clock.goes_on(0.5)
        awake += 0.5
        for _ in range(5):
            await asyncio.sleep(0)
        assert awake < 3 * SILENCE
    with pytest.raises(ChildLost, match="said nothing for 30 s"):
        receiving.result()
