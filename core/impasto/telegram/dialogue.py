"""What the parts of a conversation share: any plugin that takes part in it finds here what the
dialog knows of a person, and each keeps what the others have put into the dialogue's data; and
what the storages of it share."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Any, Final, Literal
from weakref import WeakValueDictionary

import structlog
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import (
    BaseEventIsolation,
    DefaultKeyBuilder,
    KeyBuilder,
    StorageKey,
)
from aiogram.types import User
from pydantic import ValidationError

from impasto.jobs.job import TelegramPicture

log = structlog.get_logger(__name__)

LAST_PHOTO: Final = "last_photo"
"""Key of the dialogue's data."""
LANGUAGE: Final = "language"
"""Key of the person's preferences."""


async def last_photo(state: FSMContext) -> TelegramPicture | None:
    """The photo that this person has last sent to be painted in this chat, also when it is painted
    already; None when there was none, or it was forgotten."""
    known = (await state.get_data()).get(LAST_PHOTO)
    try:
        return TelegramPicture.model_validate(known)
    except ValidationError:
        return None


async def language_of(state: FSMContext, person: User) -> str:
    """The language to answer this person in: the one chosen with /language, else that of their
    Telegram app, else English. Two or three lower-case letters, such as `en`: `pt-br` is `pt`."""
    chosen = (await preferences_of(state).get_data()).get(LANGUAGE)
    language = chosen or person.language_code or "en"
    return str(language).replace("_", "-").partition("-")[0].lower()


def preferences_of(state: FSMContext) -> FSMContext:
    """What is kept of the person for all chats, so that forgetting one conversation does not touch
    it: dialogue data with a destiny of its own."""
    bot, person = state.key.bot_id, state.key.user_id
    key = StorageKey(bot, chat_id=person, user_id=person, destiny="preferences")
    return FSMContext(state.storage, key)


async def replace_own(state: FSMContext, own: Mapping[str, Any], names: Collection[str]) -> None:
    """Replaces those of the data whose keys are `names` by `own`; what other plugins keep there
    stays."""
    known = await state.get_data()
    others = {key: value for key, value in known.items() if key not in names}
    await state.set_data({**others, **own})


class PersonFirst(KeyBuilder):
    """Keys that begin with whose state it is, so that all of one person can be found: after
    `prefix` the person's id and a colon."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._rest = DefaultKeyBuilder(
            with_bot_id=True, with_business_connection_id=True, with_destiny=True
        )

    def build(self, key: StorageKey, part: Literal["data", "state", "lock"] | None = None) -> str:
        return f"{self._prefix}{key.user_id}:{self._rest.build(key, part)}"


def decoded(data: str | None) -> dict[str, Any]:
    """Data that a storage keeps as JSON. Nothing, where it cannot be read: the person is asked
    again."""
    try:
        found = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        log.warning("dialogue_data_unreadable")
        return {}
    return found if isinstance(found, dict) else {}


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
