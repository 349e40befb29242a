"""All languages say the same things, and everything that can be said is said somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl
from fluent.syntax.visitor import Visitor
from hypothesis import given
from hypothesis import strategies as st

import impasto_dialog
from impasto import errors
from impasto.testing.conformance.bot import NOTICES
from impasto_dialog import commands
from impasto_dialog.keyboards import OFFERED
from impasto_dialog.looks import Brush, Colors, Quality, Strength
from impasto_dialog.texts import LANGUAGES, Texts, texts_for

PACKAGE = Path(impasto_dialog.__file__).parent
FILES = {file.stem: file for file in sorted((PACKAGE / "texts").glob("*.ftl"))}
PLAIN_LIMITS = {"toast": 200, "button": 60, "option": 20, "command": 256}
"""Characters of what is shown as it is, by how its key begins."""
HTML_LIMIT = 900
"""Of messages and captions: below Telegram's 1024 with what fills the gaps."""
FEW = {1: "1 картину", 2: "2 картины", 5: "5 картин", 11: "11 картин", 21: "21 картину"}
FEW |= {104: "104 картины", 112: "112 картин"}


def messages(language: str) -> dict[str, ftl.Message]:
    """The messages of a language's file, which must be free of errors."""
    resource = FluentParser().parse(FILES[language].read_text(encoding="utf-8"))
    junk = [entry.content for entry in resource.body if isinstance(entry, ftl.Junk)]
    assert junk == []
    entries = [entry for entry in resource.body if isinstance(entry, ftl.Message)]
    assert len({entry.id.name for entry in entries}) == len(entries), "none is said twice"
    return {entry.id.name: entry for entry in entries}


class Gaps(Visitor):
    """The variables of a message."""

    def __init__(self, message: ftl.Message) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.visit(message)

    def visit_VariableReference(self, node: ftl.VariableReference) -> None:
        self.names.add(node.id.name)


ALL = {language: messages(language) for language in FILES}
OWN = {
    language: Texts(language, file.read_text(encoding="utf-8")) for language, file in FILES.items()
}
"""Without English behind them."""


def filled(language: str, key: str) -> str:
    """A text with its gaps filled, from its own language only."""
    gaps = Gaps(ALL[language][key]).names
    return OWN[language](key, **{name: 2 if name == "count" else "x" for name in gaps})


def test_english_and_russian_are_there() -> None:
    assert set(LANGUAGES) >= {"en", "ru"}


@pytest.mark.parametrize("language", sorted(FILES))
def test_no_language_lacks_a_text_or_a_gap(language: str) -> None:
    english, other = ALL["en"], ALL[language]
    assert set(english) - set(other) == set(), "not translated"
    assert set(other) - set(english) == set(), "in no English text"
    for key, message in english.items():
        assert Gaps(other[key]).names == Gaps(message).names, key


@pytest.mark.parametrize("language", sorted(FILES))
def test_texts_fit_where_they_are_said(language: str) -> None:
    for key in ALL[language]:
        text = filled(language, key)
        assert text.strip() == text != "", key
        limit = PLAIN_LIMITS.get(key.split("-")[0])
        assert len(text) <= (limit or HTML_LIMIT), key
        if limit is None:
            check_html(text)
        else:
            assert "<" not in text, key


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


def test_plural_forms() -> None:
    for count, words in FEW.items():
        assert words in LANGUAGES["ru"]("cancelled-jobs", count=count)
    assert "1 picture." in LANGUAGES["en"]("cancelled-jobs", count=1)
    assert "21 pictures." in LANGUAGES["en"]("cancelled-jobs", count=21)


@pytest.mark.parametrize("language", sorted(FILES))
def test_a_plural_has_every_form_of_its_language(language: str) -> None:
    plurals = [
        (key, node) for key, message in ALL[language].items() for node in selections(message)
    ]
    assert plurals
    bundle = FluentBundle([language])
    bundle.add_resource(FluentResource("any = any"))
    # fluent.runtime tells the forms of a language in no other way.
    forms = {bundle._plural_form(count) for count in range(200)}
    for key, node in plurals:
        variants = {str(getattr(v.key, "name", "")) for v in node.variants}
        assert forms <= variants, key


def selections(message: ftl.Message) -> Iterator[ftl.SelectExpression]:
    for element in message.value.elements if message.value else []:
        inner = getattr(element, "expression", None)
        if isinstance(inner, ftl.SelectExpression):
            yield inner


def said_in_code() -> tuple[set[str], set[str]]:
    """Keys, and beginnings of keys, that stand as strings in the package's modules."""
    whole: set[str] = set()
    beginnings: set[str] = set()
    for module in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                beginnings.add(str(node.values[0].value))
    return whole, beginnings


def made_up() -> set[str]:
    """The keys that code makes of a beginning and a value."""
    looks = {"strength": Strength, "brush": Brush, "colors": Colors, "quality": Quality}
    return {
        *(f"{kind}-{choice.name.lower()}" for kind, choices in looks.items() for choice in choices),
        *(f"option-{choice.name.lower()}" for row in OFFERED.values() for choice in row),
        *(f"{beginning}-{kind}" for kind in OFFERED for beginning in ("row", "choose")),
        *(f"command-{name}" for names in commands.COMMANDS.values() for name in names),
        *(f"failure-{code}" for code in documented_codes()),
        *(f"notice-{code}" for code in NOTICES),
    }


def documented_codes() -> set[str]:
    return {
        code
        for error in (errors.PictureError, errors.TooManyJobs, errors.PaintingFailed)
        for code in re.findall(r"`([a-z_]+)`", error.__doc__ or "")
    }


def test_every_text_is_used() -> None:
    whole, _ = said_in_code()
    assert set(ALL["en"]) - whole - made_up() == set()


def test_every_text_that_is_used_is_there() -> None:
    asked = made_up()
    for module in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and is_texts(node.func) and node.args:
                asked |= set(keys_in(node.args[0]))
    assert len(asked) > 80
    assert asked - set(ALL["en"]) == set()


def is_texts(function: ast.expr) -> bool:
    """`texts(...)`, `talk.texts(...)`, `texts.plain(...)`, `talk.say(...)`, `talk.toast(...)`."""
    if isinstance(function, ast.Attribute) and function.attr in {"plain", "say", "toast"}:
        return True
    return getattr(function, "attr", getattr(function, "id", "")) == "texts"


def keys_in(argument: ast.expr) -> Iterator[str]:
    """The strings that an argument can be."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from keys_in(argument.body)
        yield from keys_in(argument.orelse)


@pytest.mark.parametrize(
    ("code", "language"),
    [("ru", "ru"), ("ru-RU", "ru"), ("RU", "ru"), ("en", "en"), ("de", "en"), ("", "en")],
)
def test_the_language_is_chosen_by_its_code(code: str, language: str) -> None:
    assert texts_for(code).language == language
    assert texts_for(None).language == "en"


def test_what_a_language_lacks_is_said_in_english() -> None:
    half = Texts("de", "hint = Schick mir ein Foto.", FILES["en"].read_text(encoding="utf-8"))
    assert half("hint") == "Schick mir ein Foto."
    assert half("status-none") == LANGUAGES["en"]("status-none")


def test_a_text_that_is_nowhere_and_a_gap_without_a_value_are_errors() -> None:
    with pytest.raises(LookupError, match="nothing-of-the-kind"):
        LANGUAGES["en"]("nothing-of-the-kind")
    with pytest.raises(LookupError, match="start"):
        LANGUAGES["en"]("start")


@given(st.text())
def test_what_fills_a_gap_never_becomes_html(name: str) -> None:
    assert LANGUAGES["en"]("job-title", style=name).count("<") == 2


@given(st.text())
def test_any_language_code_has_texts(code: str) -> None:
    assert texts_for(code) in LANGUAGES.values()
