"""``parse_mode=HTML``: markup to text and entities, with the errors of the Bot API server.

The grammar is that of https://core.telegram.org/bots/api#html-style; offsets of entities count
UTF-16 code units, offsets in errors count UTF-8 bytes.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from aiogram.types import MessageEntity

TAGS = {
    "a": "text_link",
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "u": "underline",
    "ins": "underline",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "span": "spoiler",
    "pre": "pre",
    "code": "code",
    "blockquote": "blockquote",
}

_SPACE = " \t\r\n\0\v"
_END = ""
_NAME_TOKEN = string.ascii_letters + string.digits + ".-"
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_USER_LINK = re.compile(r"tg://user\?id=(\d{1,15})$")
_URL = re.compile(r"(?:(?:https?|ftp|tg|tonsite)://)?[^\s/?#]+(?:[.:/?#][^\s]*)?$", re.IGNORECASE)


class MarkupError(ValueError):
    """Markup that the Bot API does not take; the text says where."""


@dataclass(slots=True)
class _Open:
    """A start tag whose end tag is still to come."""

    tag: str
    argument: str
    offset: int
    text_start: int


def utf16_length(text: str) -> int:
    """The length of `text` as the Bot API counts it."""
    return len(text) + sum(character > "\uffff" for character in text)


def parse_html(markup: str) -> tuple[str, list[MessageEntity]]:
    """Text and entities of `markup`, entities by offset, outer before inner.

    Raises `MarkupError` with the server's text.
    """
    return _HtmlParser(markup).parse()


class _HtmlParser:
    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._at = 0
        self._text: list[str] = []
        self._offset = 0
        self._open: list[_Open] = []
        self._entities: list[MessageEntity] = []
        self._languages: dict[tuple[int, int], str] = {}

    def parse(self) -> tuple[str, list[MessageEntity]]:
        while (character := self._peek()) != _END:
            if character == "<":
                self._tag()
            else:
                self._append(self._reference_or_character())
        if self._open:
            raise MarkupError(
                f'Can\'t find end tag corresponding to start tag "{self._open[-1].tag}"'
            )
        self._entities.sort(key=lambda entity: (entity.offset, -entity.length))
        return "".join(self._text), self._entities

    def _peek(self) -> str:
        return self._markup[self._at : self._at + 1]

    def _append(self, character: str) -> None:
        self._text.append(character)
        self._offset += utf16_length(character)

    def _bytes(self, position: int) -> int:
        return len(self._markup[:position].encode())

    def _reference_or_character(self) -> str:
        match = _REFERENCE.match(self._markup, self._at)
        if match:
            decimal, hexadecimal, name = match.groups()
            code = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else 0
            known = _NAMED.get(name) if name else _character(code)
            if known is not None:
                self._at = match.end()
                return known
        self._at += 1
        return self._markup[self._at - 1]

    def _take_until(self, stops: str) -> str:
        start = self._at
        while (character := self._peek()) != _END and character not in stops:
            self._at += 1
        return self._markup[start : self._at]

    def _skip_space(self) -> None:
        while (character := self._peek()) != _END and character in _SPACE:
            self._at += 1

    def _tag(self) -> None:
        begin = self._at
        self._at += 1
        if self._peek() == "/":
            self._end_tag(begin)
        else:
            self._start_tag(begin)

    def _start_tag(self, begin: int) -> None:
        tag = self._take_until(_SPACE + ">").lower()
        if self._peek() == _END:
            raise MarkupError(f"Unclosed start tag at byte offset {self._bytes(begin)}")
        if tag not in TAGS:
            raise MarkupError(f'Unsupported start tag "{tag}" at byte offset {self._bytes(begin)}')
        argument = ""
        self._skip_space()
        while self._peek() != ">":
            argument = self._attribute(tag, begin) or argument
            self._skip_space()
        self._at += 1
        if tag == "span" and argument != "spoiler":
            raise MarkupError(
                f'Tag "span" must have class "tg-spoiler" at byte offset {self._bytes(begin)}'
            )
        self._open.append(_Open(tag, argument, self._offset, len(self._text)))

    def _attribute(self, tag: str, begin: int) -> str:
        """Read one attribute; what of it matters for the entity, else an empty string."""
        name = self._take_until(_SPACE + "=>/\"'")
        if not name:
            raise MarkupError(
                f'Empty attribute name in the tag "{tag}" at byte offset {self._bytes(begin)}'
            )
        self._skip_space()
        if self._peek() != "=":
            if self._peek() == _END:
                raise MarkupError(f'Unclosed start tag "{tag}" at byte offset {self._bytes(begin)}')
            return "expandable" if (tag, name) == ("blockquote", "expandable") else ""
        self._at += 1
        self._skip_space()
        if self._peek() == _END:
            raise MarkupError(f'Unclosed start tag "{tag}" at byte offset {self._bytes(begin)}')
        value = self._attribute_value()
        if self._peek() == _END:
            raise MarkupError(f"Unclosed start tag at byte offset {self._bytes(begin)}")
        return _argument(tag, name.lower(), value)

    def _attribute_value(self) -> str:
        quote = self._peek()
        if quote not in ("'", '"'):
            start = self._at
            while self._peek() in _NAME_TOKEN and self._peek() != _END:
                self._at += 1
            if self._peek() not in (*_SPACE, ">", _END):
                raise MarkupError(
                    f"Unexpected end of name token at byte offset {self._bytes(start)}"
                )
            return self._markup[start : self._at].lower()
        self._at += 1
        value: list[str] = []
        while self._peek() not in (quote, _END):
            value.append(self._reference_or_character())
        if self._peek() == quote:
            self._at += 1
        return "".join(value)

    def _end_tag(self, begin: int) -> None:
        if not self._open:
            raise MarkupError(f"Unexpected end tag at byte offset {self._bytes(begin)}")
        self._at += 1
        tag = self._take_until(_SPACE + ">").lower()
        self._skip_space()
        if self._peek() != ">":
            raise MarkupError(f"Unclosed end tag at byte offset {self._bytes(begin)}")
        self._at += 1
        opened = self._open.pop()
        if tag and tag != opened.tag:
            raise MarkupError(
                f"Unmatched end tag at byte offset {self._bytes(begin)}, "
                f'expected "</{opened.tag}>", found "</{tag}>"'
            )
        if self._offset > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        kind = TAGS[opened.tag]
        entity = MessageEntity(type=kind, offset=opened.offset, length=self._offset - opened.offset)
        if kind == "text_link":
            url = opened.argument or "".join(self._text[opened.text_start :])
            if not is_url(url):
                return
            entity = entity.model_copy(update={"url": url})
        elif kind == "custom_emoji":
            entity = entity.model_copy(update={"custom_emoji_id": opened.argument})
        elif opened.argument == "expandable":
            entity = entity.model_copy(update={"type": "expandable_blockquote"})
        elif kind == "code":
            self._languages[entity.offset, entity.length] = opened.argument
        elif kind == "pre":
            entity = self._with_language(entity)
        self._entities.append(entity)

    def _with_language(self, block: MessageEntity) -> MessageEntity:
        """`<pre><code class="language-x">` is one block of code in the language x."""
        language = self._languages.get((block.offset, block.length))
        if not language:
            return block
        self._entities = [
            entity
            for entity in self._entities
            if (entity.type, entity.offset, entity.length) != ("code", block.offset, block.length)
        ]
        return block.model_copy(update={"language": language})


def _argument(tag: str, name: str, value: str) -> str:
    if (tag, name) in (("a", "href"), ("tg-emoji", "emoji-id")):
        return value
    if (tag, name) == ("code", "class"):
        return value.removeprefix("language-") if value.startswith("language-") else ""
    if (tag, name) == ("span", "class"):
        return value.removeprefix("tg-") if value.startswith("tg-") else ""
    return ""


def is_url(url: str) -> bool:
    """Whether a link may point there: a web address, a tg: link or a person."""
    return bool(_USER_LINK.match(url) or (("." in url or "://" in url) and _URL.match(url)))


def _character(code: int) -> str | None:
    if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return None
    return chr(code)
