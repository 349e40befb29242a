"""One update at a time of a person in a chat, within one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from weakref import WeakValueDictionary

from aiogram.fsm.storage.base import BaseEventIsolation, StorageKey


class LocalIsolation(BaseEventIsolation):
    """As aiogram's own, which keeps a lock of everybody who ever wrote."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[StorageKey, asyncio.Lock] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def lock(self, key: StorageKey) -> AsyncGenerator[None, None]:
        """Held while an update of this person in this chat is handled."""
        # Whoever holds it or waits for it keeps it there.
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            yield

    async def close(self) -> None:
        """Nothing: what is in use ends with its updates."""
