"""Which messages carry a picture that may be painted, and why others do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from aiogram.types import Document, Message

from impasto.jobs.job import TelegramPicture

MAX_DOWNLOAD = 20 * 1024 * 1024
"""Bytes that a bot can fetch: https://core.telegram.org/bots/api#getfile"""
HEIC_TYPES = frozenset({"image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"})
HEIC_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
VECTOR_TYPES = frozenset({"image/svg+xml", "image/vnd.dxf", "image/vnd.djvu"})
PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
)


def picture_in(message: Message) -> Mapping[str, TelegramPicture] | bool:
    """Filter: gives the handler the `picture` of a message that has a usable one."""
    if message.photo:
        size = message.photo[-1]
        picture = TelegramPicture(file_id=size.file_id, pixels=size.width * size.height)
        return {"picture": picture}
    # Telegram sends an animation with a document beside it.
    if message.document and not message.animation and _refusal_of(message.document) is None:
        picture = TelegramPicture(file_id=message.document.file_id, as_photo=False)
        return {"picture": picture}
    return False


def refusal(message: Message) -> str | None:
    """The text that says why this message's contents cannot be painted and what to do instead;
    None for texts and for what is not worth an answer, such as a note that something was pinned."""
    if message.document and not message.animation:
        return _refusal_of(message.document)
    others = message.contact or message.location or message.venue or message.poll or message.dice
    kinds = (
        (message.animation, "refused-animation"),
        (message.video or message.video_note, "refused-video"),
        (message.voice or message.audio, "refused-voice"),
        (message.sticker, "refused-sticker"),
        (others or message.story, "hint"),
    )
    return next((text for found, text in kinds if found), None)


def _refusal_of(document: Document) -> str | None:
    """None for a picture that Telegram hands out; whether it can be painted is found out later, by
    the painting process, from its contents."""
    kind = (document.mime_type or "").lower()
    suffix = PurePath(document.file_name or "").suffix.lower()
    if kind.startswith("video/"):
        return "refused-video"
    if kind in HEIC_TYPES or suffix in HEIC_SUFFIXES:
        return "refused-heic"
    is_picture = kind.startswith("image/") if kind else suffix in PICTURE_SUFFIXES
    # Some clients send every file as bytes of no kind.
    is_picture = is_picture or (kind == "application/octet-stream" and suffix in PICTURE_SUFFIXES)
    if not is_picture or kind in VECTOR_TYPES:
        return "refused-document"
    if (document.file_size or 0) > MAX_DOWNLOAD:
        return "refused-large"
    return None
