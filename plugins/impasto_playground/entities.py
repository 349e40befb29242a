"""Formatted text: a parse mode or given entities to what a message carries, within its limits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from aiogram.types import MessageEntity

from .markup import (
    MarkupError,
    by_offset,
    parse_html,
    parse_markdown,
    parse_markdown_v2,
    utf16_length,
)
from .refusals import bad_request
from .wire import given

MAX_TEXT = 4096
"""Characters of a text message after parsing (Bot API, sendMessage)."""

MAX_CAPTION = 1024
"""Characters of a caption after parsing (Bot API, sendPhoto)."""

Formatted = tuple[str, list[MessageEntity] | None]

_PARSERS = {
    "html": parse_html,
    "markdown": parse_markdown,
    "markdownv2": parse_markdown_v2,
}

_FOUND = re.compile(
    r"(?P<url>\bhttps?://[^\s<>\"]+[^\s<>\".,!?;:)\]'])"
    r"|(?<![\w/])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?)(?!\w)"
    r"|(?<!\w)(?P<mention>@[A-Za-z]\w{3,31})\b"
    r"|(?<!\w)(?P<hashtag>#\w*[^\W\d]\w*)"
)


def format_text(
    text: str | None, parse_mode: str | None, entities: list[MessageEntity] | None
) -> Formatted:
    """The text of a message. Raises `Refusal` when it is empty, too long or badly marked up."""
    plain, found = _parse(text or "", parse_mode, entities)
    if not plain:
        raise bad_request("message text is empty")
    if utf16_length(plain) > MAX_TEXT:
        raise bad_request("message is too long")
    return plain, found


def format_caption(
    caption: str | None, parse_mode: str | None, entities: list[MessageEntity] | None
) -> Formatted | tuple[None, None]:
    """The caption of a medium, None when it is empty. Raises `Refusal` like `format_text`."""
    plain, found = _parse(caption or "", parse_mode, entities)
    if utf16_length(plain) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return (plain, found) if plain else (None, None)


def caption_of(item: Any) -> dict[str, Any]:
    """The fields of a message for the caption of a method or of an InputMedia, and for how it is
    shown with its medium."""
    caption, entities = format_caption(item.caption, given(item.parse_mode), item.caption_entities)
    return {
        "caption": caption,
        "caption_entities": entities,
        "show_caption_above_media": given(getattr(item, "show_caption_above_media", None)) or None,
        "has_media_spoiler": getattr(item, "has_spoiler", None) or None,
    }


def _parse(text: str, parse_mode: str | None, entities: list[MessageEntity] | None) -> Formatted:
    if "\0" in text:
        text = text.replace("\0", "")
    if parse_mode:
        parser = _PARSERS.get(parse_mode.lower())
        if parser is None:
            raise bad_request("unsupported parse_mode")
        try:
            text, entities = parser(text)
        except MarkupError as error:
            raise bad_request(f"can't parse entities: {error}") from error
    elif entities:
        entities = _checked(text, entities)
    body, kept = _trimmed(text, entities or [])
    return body, _with_found(body, kept) or None


def _checked(text: str, entities: list[MessageEntity]) -> list[MessageEntity]:
    """Entities a bot gave, clipped to the text, as Telegram does."""
    length = utf16_length(text)
    kept = []
    for entity in entities:
        if entity.offset < 0 or entity.length <= 0 or entity.offset >= length:
            continue
        clipped = min(entity.length, length - entity.offset)
        kept.append(entity.model_copy(update={"length": clipped}))
    return by_offset(kept)


def _trimmed(text: str, entities: list[MessageEntity]) -> tuple[str, list[MessageEntity]]:
    """Without white space around; entities moved along or dropped with it."""
    body = text.strip()
    if body == text:
        return text, entities
    start = utf16_length(text[: len(text) - len(text.lstrip())])
    length = utf16_length(body)
    moved = []
    for entity in entities:
        begin = max(entity.offset - start, 0)
        end = min(entity.offset + entity.length - start, length)
        if end > begin:
            moved.append(entity.model_copy(update={"offset": begin, "length": end - begin}))
    return body, moved


def _with_found(text: str, entities: list[MessageEntity]) -> list[MessageEntity]:
    """Links, commands, mentions and hashtags that Telegram finds by itself, outside of others."""
    taken = [(entity.offset, entity.offset + entity.length) for entity in entities]
    found = [
        entity
        for entity in find_entities(text)
        if all(
            entity.offset >= end or entity.offset + entity.length <= begin for begin, end in taken
        )
    ]
    return by_offset([*entities, *found])


def find_entities(text: str) -> Iterable[MessageEntity]:
    """Links, commands, mentions and hashtags in plain text."""
    for match in _FOUND.finditer(text):
        yield MessageEntity(
            type=str(match.lastgroup),
            offset=utf16_length(text[: match.start()]),
            length=utf16_length(match.group()),
        )
