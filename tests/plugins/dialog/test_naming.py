"""Finding the preset that a text names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto import StylePreset
from impasto_dialog.naming import named_preset, numbered_preset, similar_preset

PRESETS = [
    StylePreset(
        name=name,
        titles={"en": english, "ru": russian},
        picture=Path(name),
        credit="",
        licence="",
    )
    for name, english, russian in (
        ("night", "Starry night", "Звёздная ночь"),
        ("deep_night", "Deep starry night", "Глубокая ночь"),
        ("glass", "Glass", "Витраж"),
        ("symbols", "!!!", "???"),
    )
]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("night", "night"),
        ("  STARRY   night! 🌌", "night"),
        ("звездная ночь", "night"),
        ("paint it as a starry night, please", "night"),
        ("a deep starry night", "deep_night"),
        ("deep night", "deep_night"),
        ("Витраж", "glass"),
        ("glass", "glass"),
        ("a glass of wine", None),
        ("nightly", None),
        ("", None),
        ("!!!", None),
    ],
)
def test_a_title_is_found_as_people_write_it(text: str, name: str | None) -> None:
    found = named_preset(text, PRESETS)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [("1", "night"), (" 3. ", "glass"), ("0", None), ("5", None), ("-1", None), ("²", None)],
)
def test_a_number_is_a_place_on_the_sheet(text: str, name: str | None) -> None:
    found = numbered_preset(text, PRESETS)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nihgt", "night"),
        ("Stary nigth!", "night"),
        ("звёздная нось", "night"),
        ("Витрж", "glass"),
        ("glas", "glass"),
        ("hello", None),
        ("a night in Paris", None),
        ("night shift", None),
        ("", None),
    ],
)
def test_a_near_miss_is_known(text: str, name: str | None) -> None:
    found = similar_preset(text, PRESETS)
    assert (found.name if found else None) == name


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert named_preset(text, PRESETS) in (None, *PRESETS)
    assert numbered_preset(text, PRESETS) in (None, *PRESETS)
    assert similar_preset(text, PRESETS) in (None, *PRESETS)
