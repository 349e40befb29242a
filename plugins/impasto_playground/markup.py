"""Parse modes: HTML, MarkdownV2 and the older Markdown to text and entities, with the errors of the
Bot API server.

The grammars are those of https://core.telegram.org/bots/api#formatting-options. Offsets of entities
count UTF-16 code units, offsets in errors count UTF-8 bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from aiogram.types import MessageEntity

Parsed = tuple[str, list[MessageEntity]]
"""Plain text and its entities, by offset, outer before inner."""

_USER_LINK = re.compile(r"tg://user\?id=(\d{1,15})$")
_URL = re.compile(r"(?:(?:https?|ftp|tg|tonsite)://)?[^\s/?#]+(?:[.:/?#][^\s]*)?$", re.IGNORECASE)


class MarkupError(ValueError):
    """Markup that the Bot API does not take; the text says where."""


def utf16_length(text: str) -> int:
    """The length of `text` as the Bot API counts it."""
    return len(text) + sum(character > "\uffff" for character in text)


def is_url(url: str) -> bool:
    """Whether a link may point there: a web address, a tg: link or a person."""
    return bool(_USER_LINK.match(url) or (("." in url or "://" in url) and _URL.match(url)))


@dataclass(slots=True)
class _Open:
    """An entity whose end is still to come."""

    mark: str
    """The tag, or the characters that begin it."""
    kind: str
    begin: int
    """Where the mark stands in the markup."""
    offset: int
    """Where the entity begins in the text."""
    argument: str = ""
    """What an attribute says of it."""
    part: int = 0
    """Its first part of the text."""


class _Parser:
    """The markup, how far it is read, and what it has given so far."""

    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._at = 0
        self._parts: list[str] = []
        self._offset = 0
        self._open: list[_Open] = []
        self._entities: list[MessageEntity] = []

    def _peek(self) -> str:
        """The next character; empty at the end."""
        return self._markup[self._at : self._at + 1]

    def _take(self, pattern: re.Pattern[str]) -> str:
        """What matches here, possibly nothing; reading goes on after it."""
        match = pattern.match(self._markup, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group()

    def _error(self, problem: str, begin: int, more: str = "") -> MarkupError:
        position = len(self._markup[:begin].encode())
        return MarkupError(f"{problem} at byte offset {position}{more}")

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._offset += utf16_length(text)

    def _add(self, kind: str, offset: int, **more: Any) -> None:
        """An entity from `offset` up to here, unless it is empty."""
        length = self._offset - offset
        if length > 0:
            entity = MessageEntity(type=kind, offset=offset, length=length)
            self._entities.append(entity.model_copy(update=more))

    def _parsed(self) -> Parsed:
        return "".join(self._parts), by_offset(self._entities)


def by_offset(entities: list[MessageEntity]) -> list[MessageEntity]:
    """Entities in the order of their offsets, outer before inner."""
    return sorted(entities, key=lambda entity: (entity.offset, -entity.length))


# ---- HTML ------------------------------------------------------------------------------------

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
_SPACES = re.compile(r"[ \t\r\n\0\v]*")
_UP_TO_TAG = re.compile(r"[^<]+")
_TAG_NAME = re.compile(r"[^ \t\r\n\0\v>]*")
_ATTRIBUTE_NAME = re.compile(r"[^ \t\r\n\0\v=>/\"']*")
_BARE_VALUE = re.compile(r"[A-Za-z0-9.-]*")
_QUOTED_VALUE = {"'": re.compile(r"[^']*"), '"': re.compile(r'[^"]*')}
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


def parse_html(markup: str) -> Parsed:
    """``parse_mode=HTML``. Raises `MarkupError` with the server's text."""
    return _Html(markup).parse()


class _Html(_Parser):
    _code: tuple[MessageEntity, str] | None = None
    """The last code that was closed, and its language."""

    def parse(self) -> Parsed:
        while self._peek():
            if self._markup.startswith("</", self._at):
                self._end_tag()
            elif self._peek() == "<":
                self._start_tag()
            else:
                self._append(_unescaped(self._take(_UP_TO_TAG)))
        if self._open:
            raise MarkupError(
                f'Can\'t find end tag corresponding to start tag "{self._open[-1].mark}"'
            )
        return self._parsed()

    def _start_tag(self) -> None:
        begin = self._at
        self._at += 1
        tag = self._take(_TAG_NAME).lower()
        if not self._peek():
            raise self._error("Unclosed start tag", begin)
        if tag not in TAGS:
            raise self._error(f'Unsupported start tag "{tag}"', begin)
        argument = ""
        self._take(_SPACES)
        while self._peek() != ">":
            argument = self._attribute(tag, begin) or argument
            self._take(_SPACES)
        self._at += 1
        if tag == "span" and argument != "spoiler":
            raise self._error('Tag "span" must have class "tg-spoiler"', begin)
        opened = _Open(tag, TAGS[tag], begin, self._offset, argument, len(self._parts))
        self._open.append(opened)

    def _attribute(self, tag: str, begin: int) -> str:
        """Read one attribute; what of it matters for the entity, else an empty string."""
        name = self._take(_ATTRIBUTE_NAME)
        if not name:
            raise self._error(f'Empty attribute name in the tag "{tag}"', begin)
        self._take(_SPACES)
        has_value = self._peek() == "="
        if has_value:
            self._at += 1
            self._take(_SPACES)
        if not self._peek():
            raise self._error(f'Unclosed start tag "{tag}"', begin)
        if not has_value:
            return "expandable" if (tag, name) == ("blockquote", "expandable") else ""
        value = self._attribute_value()
        if not self._peek():
            raise self._error("Unclosed start tag", begin)
        return _argument(tag, name.lower(), value)

    def _attribute_value(self) -> str:
        begin = self._at
        quoted = _QUOTED_VALUE.get(self._peek())
        if quoted is not None:
            self._at += 1
            value = self._take(quoted)
            self._at += 1
            return _unescaped(value)
        value = self._take(_BARE_VALUE)
        if self._peek() not in "> \t\r\n\0\v":
            raise self._error("Unexpected end of name token", begin)
        return value.lower()

    def _end_tag(self) -> None:
        begin = self._at
        if not self._open:
            raise self._error("Unexpected end tag", begin)
        self._at += 2
        tag = self._take(_TAG_NAME).lower()
        self._take(_SPACES)
        if self._peek() != ">":
            raise self._error("Unclosed end tag", begin)
        self._at += 1
        opened = self._open.pop()
        if tag and tag != opened.mark:
            expected = f', expected "</{opened.mark}>", found "</{tag}>"'
            raise self._error("Unmatched end tag", begin, expected)
        if self._offset > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        match opened.kind:
            case "text_link":
                url = opened.argument or "".join(self._parts[opened.part :])
                if is_url(url):
                    self._add("text_link", opened.offset, url=url)
            case "custom_emoji":
                self._add("custom_emoji", opened.offset, custom_emoji_id=opened.argument)
            case "blockquote" if opened.argument:
                self._add("expandable_blockquote", opened.offset)
            case "code":
                self._add("code", opened.offset)
                self._code = self._entities[-1], opened.argument
            case "pre":
                self._close_block(opened)
            case kind:
                self._add(kind, opened.offset)

    def _close_block(self, opened: _Open) -> None:
        """`<pre><code class="language-x">` is one block of code in the language x."""
        code, language = self._code or (None, "")
        is_whole = code is not None and code.offset == opened.offset
        if code is not None and is_whole and code.offset + code.length == self._offset and language:
            self._entities.remove(code)
            self._add("pre", opened.offset, language=language)
        else:
            self._add("pre", opened.offset)


def _argument(tag: str, name: str, value: str) -> str:
    match tag, name:
        case ("a", "href") | ("tg-emoji", "emoji-id"):
            return value
        case "code", "class":
            return value.removeprefix("language-") if value.startswith("language-") else ""
        case "span", "class":
            return value.removeprefix("tg-") if value.startswith("tg-") else ""
    return ""


def _unescaped(text: str) -> str:
    return _REFERENCE.sub(_referenced, text)


def _referenced(reference: re.Match[str]) -> str:
    decimal, hexadecimal, name = reference.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    is_character = 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return chr(code) if is_character else reference.group()


# ---- MarkdownV2 ------------------------------------------------------------------------------

RESERVED = "_*[]()~`>#+-=|{}.!"
_MARKS = {
    "```": "pre",
    "`": "code",
    "||": "spoiler",
    "__": "underline",
    "_": "italic",
    "*": "bold",
    "~": "strikethrough",
    "![": "custom_emoji",
    "[": "text_link",
}
"""The longer ones first."""
_LINKS = ("![", "[")
_TARGET = re.compile(r"\((?:\\.|[^)\\])*\)")


def parse_markdown_v2(markup: str) -> Parsed:
    """MarkdownV2: nested entities; every other reserved character must be escaped."""
    return _MarkdownV2(markup).parse()


class _MarkdownV2(_Parser):
    _quote: int | None = None
    """Where the block quotation began that is being read."""
    _is_line_start = True

    def parse(self) -> Parsed:
        while self._peek():
            self._step()
        self._end_quote()
        if self._open:
            last = self._open[-1]
            name = last.kind.title().replace("_", "")
            raise self._error(f"Can't find end of {name} entity", last.begin)
        return self._parsed()

    def _step(self) -> None:
        character = self._peek()
        escaped = self._markup[self._at + 1 : self._at + 2]
        if character == "\\" and escaped and 0 < ord(escaped) <= 126:
            self._character(escaped, 2)
        elif self._open and self._open[-1].kind in ("pre", "code"):
            if not self._end(self._open[-1].mark):
                self._character(character, 1)
        elif character == ">" and self._is_line_start:
            self._quote = self._offset if self._quote is None else self._quote
            self._at += 1
            self._is_line_start = False
        elif self._mark():
            self._is_line_start = False
        elif character in RESERVED:
            raise MarkupError(
                f"Character '{character}' is reserved and must be escaped with the preceding '\\'"
            )
        else:
            self._character(character, 1)

    def _character(self, character: str, width: int) -> None:
        """Take a character of the text, which has this width in the markup."""
        self._at += width
        if character == "\n" and self._peek() != ">":
            self._end_quote()
        self._append(character)
        self._is_line_start = character == "\n"

    def _end_quote(self) -> None:
        if self._quote is not None:
            self._add("blockquote", self._quote)
        self._quote = None

    def _end(self, mark: str) -> bool:
        """End the entity that was opened last, if it has this mark and the mark is here."""
        if not (self._open and self._open[-1].mark == mark):
            return False
        if not self._markup.startswith(mark, self._at):
            return False
        opened = self._open.pop()
        self._at += len(mark)
        self._add(opened.kind, opened.offset)
        return True

    def _mark(self) -> bool:
        """Begin or end an entity, if there is a mark here."""
        if self._peek() == "]" and self._open and self._open[-1].mark in _LINKS:
            self._at += 1
            self._end_link(self._open.pop())
            return True
        for mark, kind in _MARKS.items():
            if self._markup.startswith(mark, self._at):
                if mark in _LINKS or not self._end(mark):
                    self._open.append(_Open(mark, kind, self._at, self._offset))
                    self._at += len(mark)
                return True
        return False

    def _end_link(self, opened: _Open) -> None:
        target = self._take(_TARGET)
        url = re.sub(r"\\(.)", r"\1", target[1:-1])
        if opened.kind == "text_link" and is_url(url):
            self._add("text_link", opened.offset, url=url)
        elif opened.kind == "custom_emoji" and target:
            self._add("custom_emoji", opened.offset, custom_emoji_id=url.rpartition("id=")[2])


# ---- Markdown --------------------------------------------------------------------------------

_LEGACY_MARKS = {"```": "pre", "*": "bold", "_": "italic", "`": "code", "[": "text_link"}
_LANGUAGE = re.compile(r"[^\s`]+\n")
_LEGACY_TARGET = re.compile(r"\([^)\n]*\)")


def parse_markdown(markup: str) -> Parsed:
    """The older Markdown: bold, italic, links and code, nothing nested."""
    return _Markdown(markup).parse()


class _Markdown(_Parser):
    def parse(self) -> Parsed:
        while character := self._peek():
            if character == "\\" and self._markup[self._at + 1 : self._at + 2] in tuple("_*`["):
                self._append(self._markup[self._at + 1])
                self._at += 2
            elif character in _LEGACY_MARKS:
                self._entity("```" if self._markup.startswith("```", self._at) else character)
            else:
                self._append(character)
                self._at += 1
        return self._parsed()

    def _entity(self, mark: str) -> None:
        begin, offset = self._at, self._offset
        close = "]" if mark == "[" else mark
        self._at += len(mark)
        language = self._take(_LANGUAGE).rstrip() if mark == "```" else ""
        end = self._markup.find(close, self._at)
        if end < 0:
            raise self._error("Can't find end of the entity starting", begin)
        self._append(self._markup[self._at : end])
        self._at = end + len(close)
        if mark != "[":
            self._add(_LEGACY_MARKS[mark], offset, **({"language": language} if language else {}))
        elif is_url(url := self._take(_LEGACY_TARGET)[1:-1]):
            self._add("text_link", offset, url=url)
