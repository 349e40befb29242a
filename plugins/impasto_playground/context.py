"""What a method's handler is given besides the method: the world, the uploads, the webhook; and how
it finds in them what the method names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiogram.methods import TelegramMethod
from aiogram.types import Message

from .files import Content
from .refusals import Refusal, bad_request
from .state import Conversation, World
from .updates import Webhook
from .wire import Upload


@dataclass(slots=True)
class Context:
    """One call's surroundings."""

    world: World
    webhook: Webhook
    uploads: dict[str, Upload]

    def chat(self, chat_id: Any) -> Conversation:
        """The chat that a method names, one the bot may write to. Raises `Refusal`."""
        conversation = self._conversation(chat_id)
        if conversation is None or not conversation.started:
            raise bad_request("chat not found")
        if conversation.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        return conversation

    def _conversation(self, chat_id: Any) -> Conversation | None:
        if chat_id is None or chat_id == "":
            raise bad_request("chat_id is empty")
        if isinstance(chat_id, int):
            return self.world.chats.get(chat_id)
        name = str(chat_id).removeprefix("@").lower()
        for conversation in self.world.chats.values():
            if (conversation.person.username or "").lower() == name:
                return conversation
        return None

    def own_message(self, method: Any) -> tuple[Conversation, Message]:
        """The bot's own message that an edit names. Raises `Refusal`."""
        if method.inline_message_id is not None:
            raise bad_request("MESSAGE_ID_INVALID")
        conversation = self.chat(method.chat_id)
        if method.message_id is None:
            raise bad_request("message identifier is not specified")
        message = conversation.messages.get(method.message_id)
        if message is None:
            raise bad_request("message to edit not found")
        if message.from_user is None or not message.from_user.is_bot:
            raise bad_request("message can't be edited")
        return conversation, message

    async def content(self, value: Any, kind: str) -> Content:
        """What a message carries of the medium that a field names: an upload by ``attach://`` or a
        known ``file_id``.

        `kind` is ``photo``, ``document`` or ``animation``. Raises `Refusal`.
        """
        text = str(value)
        if text.startswith("attach://"):
            return await self._uploaded(text.removeprefix("attach://"), kind)
        if text.startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")
        if not text:
            raise bad_request(f"there is no {kind} in the request")
        content = self.world.files.content(text)
        actual = next(iter(content))
        if actual != kind and (kind, actual) != ("document", "animation"):
            raise bad_request(
                f"can't use file of type {actual.capitalize()} as {kind.capitalize()}"
            )
        return content

    async def _uploaded(self, name: str, kind: str) -> Content:
        upload = self.uploads.pop(name, None)
        if upload is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        files = self.world.files
        try:
            if upload.size == 0:
                raise bad_request("file must be non-empty")
            if kind == "photo":
                return await files.add_photo(upload.path)
            moving = await files.add_animation(upload.path, upload.name)
            return moving or await files.add_document(upload.path, upload.name, upload.content_type)
        finally:
            upload.path.unlink(missing_ok=True)


Handlers = dict[type[TelegramMethod[Any]], Callable[[Context, Any], Awaitable[Any]]]
"""What carries out a method, which returns one of aiogram's types."""
