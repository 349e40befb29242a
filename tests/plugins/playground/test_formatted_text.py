"""Parse modes: what becomes of markup, and the errors for what is none."""

from __future__ import annotations

from html import escape

import pytest
from aiogram.types import MessageEntity
from hypothesis import given
from hypothesis import strategies as st

from impasto_playground.entities import find_entities, format_caption, format_text
from impasto_playground.markup import (
    MarkupError,
    parse_html,
    parse_markdown,
    parse_markdown_v2,
    utf16_length,
)
from impasto_playground.refusals import Refusal
from impasto_playground.wire import to_json

Entity = tuple[str, int, int]


def short(entities: list[MessageEntity] | None) -> list[Entity]:
    return [(str(item.type), item.offset, item.length) for item in entities or []]


@pytest.mark.parametrize(
    ("markup", "text", "entities"),
    [
        ("plain", "plain", []),
        ("&lt;&gt;&amp;&quot;&nbsp;&#65;&#x42;&#0;", '<>&"&nbsp;AB&#0;', []),
        ("<b>bold</b>, <STRONG>bold</STRONG>", "bold, bold", [("bold", 0, 4), ("bold", 6, 4)]),
        ("<i>a</i><em>b</em>", "ab", [("italic", 0, 1), ("italic", 1, 1)]),
        ("<u>a</u><ins>b</ins>", "ab", [("underline", 0, 1), ("underline", 1, 1)]),
        ("<s>a</s><del>b</del>", "ab", [("strikethrough", 0, 1), ("strikethrough", 1, 1)]),
        ('<span class="tg-spoiler">a</span>', "a", [("spoiler", 0, 1)]),
        ("<tg-spoiler>a</tg-spoiler>", "a", [("spoiler", 0, 1)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("<b></b>x", "x", []),
        ("😀<b>я</b>", "😀я", [("bold", 2, 1)]),
        ("<pre>x = 1</pre>", "x = 1", [("pre", 0, 5)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ("<b >x</b >", "x", [("bold", 0, 1)]),
        ("<a href='https://a.example'>x</a>", "x", [("text_link", 0, 1)]),
        ("<a href=a.example>x</a>", "x", [("text_link", 0, 1)]),
        ('<a href="javascript:alert(1)">x</a>', "x", []),
        ("<a>https://a.example</a>", "https://a.example", [("text_link", 0, 17)]),
        ("1 > 0", "1 > 0", []),
    ],
)
def test_html(markup: str, text: str, entities: list[Entity]) -> None:
    parsed, found = parse_html(markup)
    assert (parsed, short(found)) == (text, entities)


def test_html_details() -> None:
    _, [code] = parse_html('<pre><code class="language-python">x</code></pre>')
    assert to_json(code) == {"type": "pre", "offset": 0, "length": 1, "language": "python"}
    _, [link] = parse_html('<a href="https://a.example/?a=1&amp;b=2">x</a>')
    assert link.url == "https://a.example/?a=1&b=2"
    _, [emoji] = parse_html('<tg-emoji emoji-id="123">👍</tg-emoji>')
    assert (emoji.custom_emoji_id, emoji.length) == ("123", 2)


@pytest.mark.parametrize(
    ("markup", "error"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("я</b>", "Unexpected end tag at byte offset 2"),
        ("<think>x</think>", 'Unsupported start tag "think" at byte offset 0'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("ж<b", "Unclosed start tag at byte offset 2"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a ='x'>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=a,b>y</a>", "Unexpected end of name token at byte offset 8"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_html_errors(markup: str, error: str) -> None:
    with pytest.raises(MarkupError) as wrong:
        parse_html(markup)
    assert str(wrong.value) == error


@pytest.mark.parametrize(
    ("markup", "text", "entities"),
    [
        (r"*b* _i_ __u__ ~s~ ||p||", "b i u s p", [
            ("bold", 0, 1), ("italic", 2, 1), ("underline", 4, 1), ("strikethrough", 6, 1),
            ("spoiler", 8, 1),
        ]),
        (r"*b _i_*", "b i", [("bold", 0, 3), ("italic", 2, 1)]),
        (r"1\.5 \*", "1.5 *", []),
        ("`a*b`", "a*b", [("code", 0, 3)]),
        ("```\nx\n```", "\nx\n", [("pre", 0, 3)]),
        (r"[x](https://a\.example/\))", "x", [("text_link", 0, 1)]),
        (">q\nrest", "q\nrest", [("blockquote", 0, 1)]),
    ],
)  # fmt: skip
def test_markdown_v2(markup: str, text: str, entities: list[Entity]) -> None:
    parsed, found = parse_markdown_v2(markup)
    assert (parsed, short(found)) == (text, entities)


@pytest.mark.parametrize(
    ("markup", "error"),
    [
        ("Done.", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("a *b", "Can't find end of Bold entity at byte offset 2"),
        ("[x", "Can't find end of TextLink entity at byte offset 0"),
    ],
)
def test_markdown_v2_errors(markup: str, error: str) -> None:
    with pytest.raises(MarkupError) as wrong:
        parse_markdown_v2(markup)
    assert str(wrong.value) == error


@pytest.mark.parametrize(
    ("markup", "text", "entities"),
    [
        ("*b* _i_ `c`", "b i c", [("bold", 0, 1), ("italic", 2, 1), ("code", 4, 1)]),
        (r"snake\_case", "snake_case", []),
        ("[x](https://a.example) [y]", "x y", [("text_link", 0, 1)]),
        ("```python\nx```", "x", [("pre", 0, 1)]),
    ],
)
def test_markdown(markup: str, text: str, entities: list[Entity]) -> None:
    parsed, found = parse_markdown(markup)
    assert (parsed, short(found)) == (text, entities)


def test_markdown_error() -> None:
    with pytest.raises(MarkupError, match="Can't find end of the entity starting at byte offset 2"):
        parse_markdown("a _b")


def test_white_space_around_goes_and_entities_follow() -> None:
    text, entities = format_text("\n <b> x </b> ", "html", None)
    assert (text, short(entities)) == ("x", [("bold", 0, 1)])


def test_given_entities_are_clipped_to_the_text() -> None:
    given_ = [MessageEntity(type="bold", offset=1, length=99)]
    given_.append(MessageEntity(type="italic", offset=9, length=1))
    text, entities = format_text("abc", None, given_)
    assert (text, short(entities)) == ("abc", [("bold", 1, 2)])


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("/start@a_bot now", [("bot_command", 0, 12)]),
        ("see https://a.example/x, please", [("url", 4, 19)]),
        ("😀 @alice #tag", [("mention", 3, 6), ("hashtag", 10, 4)]),
        ("1/2 a@b.example", []),
    ],
)
def test_what_telegram_finds_by_itself(text: str, entities: list[Entity]) -> None:
    assert short(list(find_entities(text))) == entities


def test_found_entities_stay_out_of_others() -> None:
    _, entities = format_text("<code>/start</code> /help", "HTML", None)
    assert short(entities) == [("code", 0, 6), ("bot_command", 7, 5)]


def test_an_empty_caption_is_none() -> None:
    assert format_caption(" ", None, None) == (None, None)


@given(st.text(alphabet="<>/&;='\" \nabicode-hrefspn\\*_`[]()~|.😀я", max_size=60), st.sampled_from(
    ["HTML", "Markdown", "MarkdownV2", None]
))  # fmt: skip
def test_any_markup_parses_or_is_refused(markup: str, mode: str | None) -> None:
    try:
        text, entities = format_text(markup, mode, None)
    except Refusal:
        return
    length = utf16_length(text)
    for entity in entities or []:
        assert entity.offset >= 0
        assert entity.length > 0
        assert entity.offset + entity.length <= length


@given(st.text())
def test_escaped_text_comes_back(text: str) -> None:
    assert parse_html(escape(text, quote=False))[0] == text
