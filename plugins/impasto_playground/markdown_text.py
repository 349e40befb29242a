"""``parse_mode=MarkdownV2`` and the older ``Markdown``: markup to text and entities.

The grammars are those of https://core.telegram.org/bots/api#markdownv2-style and
https://core.telegram.org/bots/api#markdown-style.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiogram.types import MessageEntity

from .html_text import MarkupError, is_url, utf16_length

RESERVED = "_*[]()~`>#+-=|{}.!"

_V2_MARKS = (
    ("```", "pre"),
    ("`", "code"),
    ("||", "spoiler"),
    ("__", "underline"),
    ("_", "italic"),
    ("*", "bold"),
    ("~", "strikethrough"),
)
_LEGACY_NAMES = {"*": "bold", "_": "italic", "`": "code", "```": "pre", "[": "text_link"}
_LANGUAGE = re.compile(r"([^\s`]+)\n")


@dataclass(slots=True)
class _Open:
    mark: str
    kind: str
    offset: int
    at: int


class _Text:
    """The plain text so far and its length in UTF-16 code units."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.offset = 0

    def append(self, part: str) -> None:
        self.parts.append(part)
        self.offset += utf16_length(part)


def _bytes(markup: str, position: int) -> int:
    return len(markup[:position].encode())


def _sorted(entities: list[MessageEntity]) -> list[MessageEntity]:
    return sorted(entities, key=lambda entity: (entity.offset, -entity.length))


def parse_markdown(markup: str) -> tuple[str, list[MessageEntity]]:
    """The older Markdown: bold, italic, links and code, nothing nested."""
    text = _Text()
    entities: list[MessageEntity] = []
    at = 0
    while at < len(markup):
        character = markup[at]
        if character == "\\" and markup[at + 1 : at + 2] in tuple("_*`["):
            text.append(markup[at + 1])
            at += 2
        elif character in _LEGACY_NAMES:
            at = _legacy_entity(markup, at, text, entities)
        else:
            text.append(character)
            at += 1
    return "".join(text.parts), _sorted(entities)


def _legacy_entity(markup: str, at: int, text: _Text, entities: list[MessageEntity]) -> int:
    """Read the entity that starts at `at`; where the text goes on after it."""
    mark = "```" if markup.startswith("```", at) else markup[at]
    close = "]" if mark == "[" else mark
    start = at + len(mark)
    extra: dict[str, str] = {}
    if mark == "```" and (language := _LANGUAGE.match(markup, start)):
        extra["language"] = language.group(1)
        start = language.end()
    end = markup.find(close, start)
    if end < 0:
        raise MarkupError(
            "Can't find end of the entity starting at byte offset " + str(_bytes(markup, at))
        )
    offset = text.offset
    text.append(markup[start:end])
    after = end + len(close)
    kind = _LEGACY_NAMES[mark]
    if mark == "[":
        target = re.compile(r"\(([^)\n]*)\)").match(markup, after)
        if target is None:
            return after
        after = target.end()
        if not is_url(target.group(1)):
            return after
        extra["url"] = target.group(1)
    if text.offset > offset:
        length = text.offset - offset
        entity = MessageEntity(type=kind, offset=offset, length=length)
        entities.append(entity.model_copy(update=extra))
    return after


def parse_markdown_v2(markup: str) -> tuple[str, list[MessageEntity]]:
    """MarkdownV2: nested entities; every other reserved character must be escaped."""
    return _MarkdownV2(markup).parse()


class _MarkdownV2:
    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._at = 0
        self._text = _Text()
        self._open: list[_Open] = []
        self._entities: list[MessageEntity] = []
        self._quote: int | None = None
        self._line_start = True

    def parse(self) -> tuple[str, list[MessageEntity]]:
        while self._at < len(self._markup):
            self._step()
        self._end_quote()
        if self._open:
            last = self._open[-1]
            name = last.kind.title().replace("_", "")
            raise MarkupError(
                f"Can't find end of {name} entity at byte offset {_bytes(self._markup, last.at)}"
            )
        return "".join(self._text.parts), _sorted(self._entities)

    def _step(self) -> None:
        character = self._markup[self._at]
        escaped = self._markup[self._at + 1 : self._at + 2]
        if character == "\\" and escaped and 0 < ord(escaped) <= 126:
            self._take(escaped, 2)
        elif self._in_code():
            self._code_step(character)
        elif character == ">" and self._line_start:
            self._begin_quote()
        elif self._mark() or self._link():
            self._line_start = False
        elif character in RESERVED:
            raise MarkupError(
                f"Character '{character}' is reserved and must be escaped with the preceding '\\'"
            )
        else:
            self._take(character, 1)

    def _take(self, character: str, width: int) -> None:
        if character == "\n" and self._quote is not None:
            following = self._markup[self._at + width : self._at + width + 1]
            if following != ">":
                self._end_quote()
        self._text.append(character)
        self._at += width
        self._line_start = character == "\n"

    def _in_code(self) -> bool:
        return bool(self._open) and self._open[-1].kind in ("pre", "code")

    def _code_step(self, character: str) -> None:
        opened = self._open[-1]
        if self._markup.startswith(opened.mark, self._at):
            self._at += len(opened.mark)
            self._close(self._open.pop())
        else:
            self._take(character, 1)

    def _begin_quote(self) -> None:
        if self._quote is None:
            self._quote = self._text.offset
        self._at += 1
        self._line_start = False

    def _end_quote(self) -> None:
        if self._quote is not None and self._text.offset > self._quote:
            self._add("blockquote", self._quote)
        self._quote = None

    def _mark(self) -> bool:
        for mark, kind in _V2_MARKS:
            if not self._markup.startswith(mark, self._at):
                continue
            if self._open and self._open[-1].mark == mark:
                self._at += len(mark)
                self._close(self._open.pop())
            else:
                self._open.append(_Open(mark, kind, self._text.offset, self._at))
                self._at += len(mark)
            return True
        return False

    def _link(self) -> bool:
        custom_emoji = self._markup.startswith("![", self._at)
        if custom_emoji or self._markup[self._at] == "[":
            width = 2 if custom_emoji else 1
            kind = "custom_emoji" if custom_emoji else "text_link"
            self._open.append(_Open("[", kind, self._text.offset, self._at))
            self._at += width
            return True
        if self._markup[self._at] == "]" and self._open and self._open[-1].mark == "[":
            self._at += 1
            self._close_link(self._open.pop())
            return True
        return False

    def _close_link(self, opened: _Open) -> None:
        target = re.compile(r"\(((?:\\.|[^)\\])*)\)").match(self._markup, self._at)
        if target is None:
            return
        self._at = target.end()
        url = re.sub(r"\\(.)", r"\1", target.group(1))
        if self._text.offset == opened.offset:
            return
        if opened.kind == "custom_emoji":
            number = url.rpartition("id=")[2]
            self._add("custom_emoji", opened.offset, custom_emoji_id=number)
        elif is_url(url):
            self._add("text_link", opened.offset, url=url)

    def _close(self, opened: _Open) -> None:
        if self._text.offset > opened.offset:
            self._add(opened.kind, opened.offset)

    def _add(self, kind: str, offset: int, **extra: str) -> None:
        length = self._text.offset - offset
        entity = MessageEntity(type=kind, offset=offset, length=length)
        self._entities.append(entity.model_copy(update=extra))
