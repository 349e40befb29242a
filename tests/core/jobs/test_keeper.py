"""The keeper has one child at a time, and leaves none behind."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from impasto.contracts import StylePreset
from impasto.jobs.painter_process import ChildKeeper, PaintingChild
from impasto.settings import Settings

from .jobs_bench import SCRIPTED_CHILD


@pytest.fixture
async def keeper(settings: Settings, preset: StylePreset) -> AsyncIterator[ChildKeeper]:
    keeper = ChildKeeper(settings, [preset], command=[sys.executable, str(SCRIPTED_CHILD)])
    yield keeper
    await keeper.close()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[PaintingChild]:
    """All children that were started."""
    children: list[PaintingChild] = []
    start = PaintingChild.start

    async def noted(*arguments: Any, **facts: Any) -> PaintingChild:
        children.append(await start(*arguments, **facts))
        return children[-1]

    monkeypatch.setattr(PaintingChild, "start", noted)
    return children


async def test_two_who_want_another_child_get_the_same_one(
    keeper: ChildKeeper, started: list[PaintingChild]
) -> None:
    async with asyncio.timeout(60):
        await keeper.child()
        await keeper.replace()
        await keeper.replace()  # while the other one starts
        child = await keeper.child()
    assert [one for one in started if one.is_alive] == [child]


async def test_a_child_that_is_stopped_while_it_measures_ends(
    keeper: ChildKeeper, started: list[PaintingChild], monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring = asyncio.Event()

    async def never(_: PaintingChild) -> None:
        measuring.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(PaintingChild, "measured", never)
    async with asyncio.timeout(60):
        wanted = asyncio.create_task(keeper.child())
        await measuring.wait()
        await keeper.close()
        await asyncio.gather(wanted, return_exceptions=True)
    assert [child.is_alive for child in started] == [False]
