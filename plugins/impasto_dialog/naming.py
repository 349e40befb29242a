"""Finding the preset that a caption or a text names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from impasto import StylePreset

_WORDS = re.compile(r"[^\W_]+")


def named_preset(text: str, presets: Sequence[StylePreset]) -> StylePreset | None:
    """The preset whose name, or title in any language, is the text; upper case, punctuation and
    emoji do not count. A title of several words may also stand within a longer text; one word
    may not: "a night in Paris" asks for no style called "Night". The longest title wins."""
    wanted = _words(text)
    best: tuple[int, StylePreset] | None = None
    for preset in presets:
        for title in (preset.name, *preset.titles.values()):
            words = _words(title)
            if not words or not (words == wanted or (len(words) > 1 and _within(words, wanted))):
                continue
            if best is None or len(words) > best[0]:
                best = (len(words), preset)
    return best[1] if best else None


def numbered_preset(text: str, presets: Sequence[StylePreset]) -> StylePreset | None:
    """The preset with this number on the contact sheet."""
    number = text.strip().rstrip(".")
    if not (number.isascii() and number.isdigit() and len(number) <= 3):
        return None
    index = int(number) - 1
    return presets[index] if 0 <= index < len(presets) else None


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.casefold().replace("ё", "е"))


def _within(words: list[str], text: list[str]) -> bool:
    length = len(words)
    return any(text[i : i + length] == words for i in range(len(text) - length + 1))
