"""What is kept of a person for all their pictures and chats: language and look.

It lies in the dialogue storage beside the conversation's state, under a destiny of its own, so
that forgetting a conversation does not touch it.
"""

from __future__ import annotations

import structlog
from aiogram.fsm.storage.base import BaseStorage, StorageKey
from pydantic import BaseModel, ValidationError

from impasto_dialog.looks import Look

log = structlog.get_logger(__name__)

DESTINY = "preferences"


class Preferences(BaseModel):
    language: str | None = None
    """A language of `texts`; None follows the language of the person's app."""
    look: Look = Look()


class PreferenceStore:
    """The preferences of one person."""

    def __init__(self, storage: BaseStorage, *, bot: int, person: int) -> None:
        self._storage = storage
        self._key = StorageKey(bot_id=bot, chat_id=person, user_id=person, destiny=DESTINY)

    async def load(self) -> Preferences:
        try:
            return Preferences.model_validate(await self._storage.get_data(self._key))
        except ValidationError:
            log.warning("preferences_unreadable", person=self._key.user_id)
            return Preferences()

    async def save(self, preferences: Preferences) -> None:
        data = preferences.model_dump(mode="json", exclude_defaults=True)
        await self._storage.set_data(self._key, data)
