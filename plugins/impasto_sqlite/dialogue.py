"""Dialogue state (aiogram's FSM storage) in SQLite, so that a restart loses nobody's place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from aiogram.exceptions import DataNotDictLikeError
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import (
    BaseStorage,
    StateType,
    StorageKey,
)

from impasto.telegram.dialogue import PersonFirst, decoded
from impasto_sqlite.database import Database

_EMPTY = "DELETE FROM dialogue WHERE key = ? AND state IS NULL AND data IS NULL"


class SqliteDialogue(BaseStorage):
    """State and data by bot, chat, thread, user, business connection and destiny.

    Data must be a dict that JSON can hold.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys = PersonFirst()

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        value = state.state if isinstance(state, State) else state
        await self._set(key, "state", value)

    async def get_state(self, key: StorageKey) -> str | None:
        return await self._get(key, "state")

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        if not isinstance(data, dict):
            raise DataNotDictLikeError(
                f"Data must be a dict or dict-like object, got {type(data).__name__}"
            )
        await self._set(key, "data", json.dumps(data, ensure_ascii=False) if data else None)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return decoded(await self._get(key, "data"))

    async def update_data(self, key: StorageKey, data: Mapping[str, Any]) -> dict[str, Any]:
        """In one transaction, unlike the base class's reading and writing."""
        row = self._keys.build(key)

        def update(connection: sqlite3.Connection) -> dict[str, Any]:
            known = connection.execute("SELECT data FROM dialogue WHERE key = ?", (row,)).fetchone()
            merged = {**decoded(known["data"] if known else None), **data}
            _write(connection, row, "data", json.dumps(merged, ensure_ascii=False))
            return merged

        return await self._database.run(update)

    async def forget(self, person: int) -> None:
        """Everything of this person, in all chats."""
        await self._database.run(
            lambda connection: connection.execute(
                "DELETE FROM dialogue WHERE key >= ? AND key < ?", (f"{person}:", f"{person};")
            )
        )

    async def close(self) -> None:
        """Nothing: the database is closed by the storage that owns it."""

    async def _get(self, key: StorageKey, column: str) -> str | None:
        row = self._keys.build(key)

        def read(connection: sqlite3.Connection) -> str | None:
            found = connection.execute(
                f"SELECT {column} FROM dialogue WHERE key = ?",  # noqa: S608  (our own two names)
                (row,),
            ).fetchone()
            return found[0] if found else None

        return await self._database.run(read)

    async def _set(self, key: StorageKey, column: str, value: str | None) -> None:
        row = self._keys.build(key)
        await self._database.run(lambda connection: _write(connection, row, column, value))


def _write(connection: sqlite3.Connection, row: str, column: str, value: str | None) -> None:
    connection.execute(
        f"INSERT INTO dialogue (key, {column}) VALUES (?, ?) "  # noqa: S608  (our own two names)
        f"ON CONFLICT (key) DO UPDATE SET {column} = excluded.{column}",
        (row, value),
    )
    if value is None:
        connection.execute(_EMPTY, (row,))
