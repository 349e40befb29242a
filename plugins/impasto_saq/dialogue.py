"""Dialogue state in Redis, and one update at a time of a person in a chat, whichever bot has it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from aiogram.fsm.storage.base import (
    BaseEventIsolation,
    StorageKey,
)
from aiogram.fsm.storage.redis import RedisStorage
from redis.asyncio.client import Pipeline
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

from impasto.tasks import cancelled
from impasto.telegram.dialogue import LocalIsolation, PersonFirst, decoded
from impasto_saq.connection import Server

_SECONDS_TO_ASK_AGAIN = 0.05
RENEWALS_PER_LEASE = 3


class RedisDialogue(RedisStorage):
    """State and data by bot, chat, thread, user, business connection and destiny, for good."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.redis, key_builder=PersonFirst(f"{server.prefix}dialogue:"))
        self._prefix = server.prefix

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return decoded(await self.redis.get(self.key_builder.build(key, "data")))

    async def update_data(self, key: StorageKey, data: Mapping[str, Any]) -> dict[str, Any]:
        """In one transaction, unlike the base class's reading and writing."""
        name = self.key_builder.build(key, "data")
        merged: dict[str, Any] = {}

        async def update(pipe: Pipeline) -> None:
            merged.clear()
            known = await pipe.get(name)
            merged.update(decoded(known), **data)
            pipe.multi()  # type: ignore[no-untyped-call]
            pipe.set(name, json.dumps(merged))

        await self.redis.transaction(update, name)
        return merged

    async def forget(self, person: int) -> None:
        """Everything of this person, in all chats."""
        async for name in self.redis.scan_iter(f"{self._prefix}dialogue:{person}:*", count=1000):
            await self.redis.delete(name)

    async def close(self) -> None:
        """Nothing: the connection is closed by the storage that owns it."""


class _Lock(Lock):
    """Can be taken in a Redis that is full: what is handled may be a tap on Cancel."""

    def __init__(self, server: Server, name: str, lease_seconds: float) -> None:
        super().__init__(server.redis, name, timeout=lease_seconds, sleep=_SECONDS_TO_ASK_AGAIN)
        self._server = server
        self._key = name
        self._lease_ms = round(1000 * lease_seconds)

    async def do_acquire(self, token: str | bytes) -> bool:
        word = token.decode() if isinstance(token, bytes) else token
        return bool(await self._server.run("lock", self._key, word, self._lease_ms))


class RedisIsolation(BaseEventIsolation):
    """A lock that ends with its process: it lasts for a lease, renewed while it is held."""

    def __init__(self, server: Server, lease_seconds: float) -> None:
        self._server = server
        self._lease = lease_seconds
        self._keys = PersonFirst(f"{server.prefix}dialogue:")
        # First come, first served within a process, which asks Redis for one of them at a time.
        self._here = LocalIsolation()

    @contextlib.asynccontextmanager
    async def lock(self, key: StorageKey) -> AsyncGenerator[None, None]:
        lock = _Lock(self._server, self._keys.build(key, "lock"), self._lease)
        async with self._here.lock(key):
            await lock.acquire()
            renewing = asyncio.create_task(self._renew(lock))
            try:
                yield
            finally:
                await cancelled([renewing])
                # What was handled is handled, even if the lock was lost with the connection.
                with contextlib.suppress(LockError, RedisError, OSError):
                    await lock.release()

    async def close(self) -> None:
        """Nothing: the connection is closed by the storage that owns it."""

    async def _renew(self, lock: Lock) -> None:
        while True:
            await asyncio.sleep(self._lease / RENEWALS_PER_LEASE)
            with contextlib.suppress(LockError, RedisError, OSError):
                await lock.reacquire()
