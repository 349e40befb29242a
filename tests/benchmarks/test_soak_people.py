"""What the storm is to strike, on a bot that nothing strikes: people who get what they ask for, and
calls that come to every point."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from benchmarks.soak.installation import OneMachine, started
from benchmarks.soak.people import BROKEN, KINDS, Customer, End, Wishes
from benchmarks.soak.points import POINTS, held_at

from impasto_playground import Playground

pytestmark = pytest.mark.slow

PATIENCE = 120.0
ENDS = {BROKEN: {End.EXPLAINED}, "cancelled": {End.CANCELLED, End.PICTURE}}
"""Who cancels late gets the picture."""


@asynccontextmanager
async def quiet_bot(folder: Path) -> AsyncIterator[tuple[Playground, OneMachine]]:
    async with Playground(port=0) as playground:
        installation = OneMachine(playground, folder)
        try:
            await started(installation, playground)
            yield playground, installation
        finally:
            await installation.stop()
            installation.close()


async def test_people_of_every_kind_get_what_they_ask_for(tmp_path: Path) -> None:
    async with quiet_bot(tmp_path) as (playground, _):
        customer = Customer(1, playground, Wishes(), seed=1)
        async with customer.person:
            for kind in KINDS:
                wish = await asyncio.wait_for(customer.ask_for(kind), PATIENCE)
                assert wish.end in ENDS.get(kind, {End.PICTURE}), kind
                assert wish.asked_again == 0, f"{kind}: a button was not found"


async def test_calls_come_to_every_point(tmp_path: Path) -> None:
    async with quiet_bot(tmp_path) as (playground, installation):
        wishes, closing = Wishes(), asyncio.Event()
        customer = Customer(1, playground, wishes, seed=1)
        async with customer.person:
            life = asyncio.create_task(customer.live(closing))
            for point in POINTS:
                wishes.wanted = point.wish
                async with held_at(point, playground, installation, PATIENCE) as is_reached:
                    assert is_reached, point.name
            closing.set()
            await asyncio.wait_for(life, PATIENCE)
