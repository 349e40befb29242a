"""What a method's handler is given besides the method: the world, the uploads, the webhook."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiogram.methods import TelegramMethod
from aiogram.types import Animation, Document, PhotoSize

from .files import Media
from .forms import Upload
from .refusals import bad_request
from .state import World
from .webhook import Webhook

TYPE_NAMES = {"photo": "Photo", "document": "Document", "animation": "Animation"}


@dataclass(slots=True)
class Context:
    """One call's surroundings."""

    world: World
    webhook: Webhook
    uploads: dict[str, Upload]

    async def media(self, value: Any, kind: str) -> Media:
        """The medium that a field names: an upload by ``attach://`` or a known ``file_id``.

        `kind` is ``photo``, ``document`` or ``animation``. Raises `Refusal`.
        """
        text = str(value)
        if text.startswith("attach://"):
            return await self._uploaded(text.removeprefix("attach://"), kind)
        if text.startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")
        if not text:
            raise bad_request(f"there is no {kind} in the request")
        media = self.world.files.media(text)
        actual = kind_of(media)
        if actual != kind and (kind, actual) != ("document", "animation"):
            raise bad_request(f"can't use file of type {TYPE_NAMES[actual]} as {TYPE_NAMES[kind]}")
        return media

    async def _uploaded(self, name: str, kind: str) -> Media:
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


Handler = Callable[[Context, Any], Awaitable[Any]]
Entry = tuple[type[TelegramMethod[Any]], Handler]


def kind_of(media: Media) -> str:
    """``photo``, ``document`` or ``animation``."""
    if isinstance(media, Document):
        return "document"
    return "animation" if isinstance(media, Animation) else "photo"


def content_of(media: Media) -> dict[str, Any]:
    """The fields of a message that carries this medium."""
    if isinstance(media, Document):
        return {"document": media}
    if isinstance(media, Animation):
        return {
            "animation": media,
            "document": Document(
                file_id=media.file_id,
                file_unique_id=media.file_unique_id,
                thumbnail=media.thumbnail,
                file_name=media.file_name,
                mime_type=media.mime_type,
                file_size=media.file_size,
            ),
        }
    photo: list[PhotoSize] = list(media)
    return {"photo": photo}
