"""A playground and a person in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from impasto_playground import Person, Playground


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(port=0) as playground:
        yield playground


@pytest.fixture
async def alice(playground: Playground) -> AsyncIterator[Person]:
    async with Person(playground.url) as alice:
        yield alice
