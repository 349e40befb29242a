"""Updates that the playground's people cannot cause, straight into the dispatcher."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import (
    AnswerInlineQuery,
    GetMe,
    SendDocument,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiogram.types import Chat, Message, PhotoSize, Update, User

FILE = {"file_id": "file", "file_unique_id": "unique"}
VIDEO = {**FILE, "width": 9, "height": 9, "duration": 1}


class RecordingSession(BaseSession):
    """Telegram for updates that the playground's people cannot cause: records every request."""

    def __init__(self) -> None:
        super().__init__()
        self.methods: list[TelegramMethod[Any]] = []
        self.refuse: type[TelegramMethod[Any]] | None = None

    async def close(self) -> None: ...

    async def make_request(
        self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None
    ) -> Any:
        self.methods.append(method)
        if self.refuse is not None and isinstance(method, self.refuse):
            raise TelegramBadRequest(method, "Bad Request: refused")
        if isinstance(method, GetMe):
            return User(id=42, is_bot=True, first_name="Impasto", username="impasto_bot")
        if isinstance(method, SendMessage | SendPhoto | SendDocument):
            chat = Chat(id=int(method.chat_id), type="private")
            size = PhotoSize(file_id="sheet", file_unique_id="sheet", width=9, height=9)
            return Message(message_id=99, date=datetime.now(UTC), chat=chat, photo=[size])
        return True

    async def stream_content(self, *_: Any, **__: Any) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError
        yield b""

    @property
    def texts(self) -> list[str]:
        return [method.text for method in self.methods if isinstance(method, SendMessage)]


class Feeder:
    """Hands updates to the dispatcher as if they came from Telegram."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.session = RecordingSession()
        self.bot = Bot("42:EXAMPLE-TOKEN", session=self.session)
        self._dispatcher = dispatcher
        self._last = 0

    async def message(
        self, *, chat: str = "private", language: str = "en", **content: Any
    ) -> list[str]:
        """What the bot says to this message, without what it said before."""
        del self.session.methods[:]
        self._last += 1
        user = {"id": 7, "is_bot": False, "first_name": "Eve", "language_code": language}
        where = {"id": 7 if chat == "private" else -100, "type": chat, "title": "A place"}
        message = {"message_id": self._last, "date": 0, "chat": where, "from": user, **content}
        await self._feed(message=message)
        return self.session.texts

    async def tap(self, data: str, message: dict[str, Any] | None = None) -> None:
        del self.session.methods[:]
        self._last += 1
        user = {"id": 7, "is_bot": False, "first_name": "Eve"}
        query = {"id": "1", "from": user, "chat_instance": "1", "data": data}
        await self._feed(callback_query=query | ({"message": message} if message else {}))

    async def inline_query(self, words: str, person: int = 7) -> AnswerInlineQuery:
        """What the bot answers to these words after its name, in any chat."""
        del self.session.methods[:]
        self._last += 1
        user = {"id": person, "is_bot": False, "first_name": "Eve"}
        await self._feed(inline_query={"id": "1", "from": user, "query": words, "offset": ""})
        [answer] = self.session.methods
        assert isinstance(answer, AnswerInlineQuery)
        return answer

    async def _feed(self, **event: Any) -> None:
        update = Update.model_validate(
            {"update_id": self._last, **event}, context={"bot": self.bot}
        )
        await self._dispatcher.feed_update(self.bot, update)


def document(name: str | None = None, mime: str | None = None, size: int = 9) -> dict[str, Any]:
    return {"document": {**FILE, "file_name": name, "mime_type": mime, "file_size": size}}
