"""All languages say the same things, and everything that can be said is said somewhere."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import impasto_dialog
from impasto import errors
from impasto_dialog.texts import LANGUAGES, Texts, fill, texts_for

PLURALS = {"en": {1: "one", 0: "other", 2: "other", 21: "other"}}
PLURALS["ru"] = {1: "one", 2: "few", 5: "many", 11: "many", 14: "many", 21: "one", 22: "few"}
PLURALS["ru"] |= {0: "many", 111: "many", 112: "many", 101: "one", 104: "few"}
PLAIN_LIMITS = {"toast": 200, "button": 60, "command": 256}


def sentences(texts: Texts) -> Iterator[tuple[str, str]]:
    """Every sentence with the path that leads to it."""
    for field in dataclasses.fields(texts):
        value = getattr(texts, field.name)
        if isinstance(value, str):
            yield field.name, value
        elif not callable(value):
            for key, sentence in value.items():
                yield f"{field.name}.{key}", sentence


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


ALL = [(code, path, text) for code, texts in LANGUAGES.items() for path, text in sentences(texts)]


def test_english_and_russian_are_there() -> None:
    assert set(LANGUAGES) >= {"en", "ru"}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_has_the_same_gaps_and_failures(language: str) -> None:
    english, other = LANGUAGES["en"], LANGUAGES[language]
    for field in dataclasses.fields(Texts):
        expected, value = getattr(english, field.name), getattr(other, field.name)
        if field.name == "failures":
            assert set(value) == set(expected)
        elif isinstance(expected, str) and field.name != "language":
            assert gaps(value) == gaps(expected), field.name
        elif isinstance(expected, dict):  # a plural
            forms = {other.plural(count) for count in range(200)}
            assert set(value) == forms, field.name
            assert all(gaps(sentence) == {"count"} for sentence in value.values())


@pytest.mark.parametrize(("language", "path", "text"), ALL)
def test_every_sentence_fits_where_it_is_said(language: str, path: str, text: str) -> None:
    assert text.strip() == text
    if path == "language":
        return
    assert text, path
    limit = next((n for kind, n in PLAIN_LIMITS.items() if path.startswith(kind)), 900)
    assert len(text) <= limit
    if limit != 900:
        assert "<" not in text, "shown as it is, without HTML"
    else:
        check_html(text)


def check_html(text: str) -> None:
    """Only tags that Telegram knows, closed in order."""
    tags: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            assert tag in {"b", "i", "code"}
            tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert tags.pop() == tag

    Checker(convert_charrefs=True).feed(text)
    assert not tags


@pytest.mark.parametrize("language", sorted(PLURALS))
def test_plural_forms(language: str) -> None:
    texts = LANGUAGES[language]
    assert {count: texts.plural(count) for count in PLURALS[language]} == PLURALS[language]
    assert "21" in texts.count(texts.waiting_behind, 21)


def is_texts(node: ast.expr) -> bool:
    """`texts`, `talk.texts` or `texts_for(...)`."""
    name = node.func if isinstance(node, ast.Call) else node
    return getattr(name, "attr", getattr(name, "id", "")) in {"texts", "texts_for"}


def test_every_text_is_used() -> None:
    used = {"plural"}  # by `Texts.count`
    for module in Path(impasto_dialog.__file__).parent.glob("*.py"):
        nodes = ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        used |= {n.attr for n in nodes if isinstance(n, ast.Attribute) and is_texts(n.value)}
    assert {field.name for field in dataclasses.fields(Texts)} - used == set()


def test_every_code_of_the_errors_that_a_person_sees_has_a_sentence() -> None:
    documented = {
        code
        for error in (errors.PictureError, errors.TooManyJobs, errors.PaintingFailed)
        for code in re.findall(r"`([a-z_]+)`", error.__doc__ or "")
    }
    assert documented == set(LANGUAGES["en"].failures)


@pytest.mark.parametrize(
    ("code", "language"),
    [("ru", "ru"), ("ru-RU", "ru"), ("RU", "ru"), ("en", "en"), ("de", "en"), ("", "en")],
)
def test_the_language_is_chosen_by_its_code(code: str, language: str) -> None:
    assert texts_for(code).language == language
    assert texts_for(None).language == "en"


@given(st.text())
def test_what_fills_a_gap_never_becomes_html(name: str) -> None:
    filled = fill("<b>{name}</b>", name=name)
    assert filled.count("<") == 2


@given(st.text())
def test_any_language_code_has_texts(code: str) -> None:
    assert texts_for(code) in LANGUAGES.values()
