"""Which messages carry a picture that may be painted, and why others do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from aiogram.types import Document, Message

from impasto.jobs.job import TelegramPicture
from impasto_dialog.texts import FALLBACK, LANGUAGES, Texts

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
        return {"picture": TelegramPicture(file_id=message.photo[-1].file_id)}
    # Telegram sends an animation with a document beside it.
    if message.document and not message.animation and _refusal_of(message.document) is None:
        picture = TelegramPicture(file_id=message.document.file_id, as_photo=False)
        return {"picture": picture}
    return False


def refusal(message: Message, texts: Texts) -> str | None:
    """Why this message's contents cannot be painted and what to do instead; None for texts and
    for what is not worth an answer, such as a note that something was pinned."""
    if message.document and not message.animation:
        return _refusal_of(message.document, texts)
    others = message.contact or message.location or message.venue or message.poll or message.dice
    kinds = (
        (message.animation, texts.refused_animation),
        (message.video or message.video_note, texts.refused_video),
        (message.voice or message.audio, texts.refused_voice),
        (message.sticker, texts.refused_sticker),
        (others or message.story, texts.hint),
    )
    return next((sentence for found, sentence in kinds if found), None)


def _refusal_of(document: Document, texts: Texts = LANGUAGES[FALLBACK]) -> str | None:
    """None for a picture that Telegram hands out; whether it can be painted is found out later, by
    the painting process, from its contents."""
    kind = (document.mime_type or "").lower()
    suffix = PurePath(document.file_name or "").suffix.lower()
    if kind.startswith("video/"):
        return texts.refused_video
    if kind in HEIC_TYPES or suffix in HEIC_SUFFIXES:
        return texts.refused_heic
    is_picture = kind.startswith("image/") if kind else suffix in PICTURE_SUFFIXES
    # Some clients send every file as bytes of no kind.
    is_picture = is_picture or (kind == "application/octet-stream" and suffix in PICTURE_SUFFIXES)
    if not is_picture or kind in VECTOR_TYPES:
        return texts.refused_document
    if (document.file_size or 0) > MAX_DOWNLOAD:
        return texts.refused_large
    return None
