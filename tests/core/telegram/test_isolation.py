"""Updates of one person in one chat are handled one after the other, and nothing of it is kept."""

from __future__ import annotations

import asyncio
import gc

from aiogram.fsm.storage.base import StorageKey

from impasto.telegram.dialogue import LocalIsolation


def key(person: int) -> StorageKey:
    return StorageKey(bot_id=1, chat_id=2, user_id=person)


async def test_one_waits_for_the_other() -> None:
    isolation, told = LocalIsolation(), list[str]()
    may_go_on = asyncio.Event()

    async def handle(name: str) -> None:
        async with isolation.lock(key(1)):
            told.append(f"{name} begins")
            await may_go_on.wait()
            told.append(f"{name} ends")

    both = [asyncio.create_task(handle(name)) for name in ("first", "second")]
    async with isolation.lock(key(2)):
        await asyncio.sleep(0)
        assert told == ["first begins"]
    may_go_on.set()
    await asyncio.gather(*both)
    assert told == ["first begins", "first ends", "second begins", "second ends"]


async def test_no_lock_outlives_its_use() -> None:
    isolation = LocalIsolation()
    for person in range(100):
        async with isolation.lock(key(person)):
            pass
    gc.collect()
    assert len(isolation._locks) == 0  # what is kept of them shows only as memory
