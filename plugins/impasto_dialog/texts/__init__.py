"""What the bot says: one Fluent file per language (https://projectfluent.org), and the labels of
styles, looks and times that several messages show.

A further language is one more file beside `en.ftl`, named by its code; it is found by itself. What
it lacks is said in English.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from fluent.runtime import FluentBundle, FluentResource

from impasto import StylePreset
from impasto.jobs.job import ChosenStyle
from impasto_dialog.looks import Choice, Look

FALLBACK = "en"

Gap = str | int

_PASSING = frozenset({"too_many_this_hour", "too_many_waiting"})
"""Refusals that end by themselves, without a person's doing."""


class Texts:
    """All texts of one language.

    Called, it gives HTML for messages and captions; what fills gaps is escaped. `plain` is for
    buttons, toasts and the command menu, which show text as it is.
    """

    def __init__(self, language: str, *sources: str) -> None:
        """`sources` in Fluent's syntax; an earlier one wins."""
        self.language = language
        self._bundles = [_bundle(language, source) for source in sources]

    def __call__(self, key: str, **gaps: Gap) -> str:
        """Raises LookupError when no source has this text, or a gap has no value."""
        escaped = {n: escape(v) if isinstance(v, str) else v for n, v in gaps.items()}
        return self._filled(key, escaped)

    def plain(self, key: str, **gaps: Gap) -> str:
        """As calling it, without HTML."""
        return self._filled(key, gaps)

    def has(self, key: str) -> bool:
        return any(bundle.has_message(key) for bundle in self._bundles)

    def _filled(self, key: str, gaps: Mapping[str, Gap]) -> str:
        bundle = next((one for one in self._bundles if one.has_message(key)), None)
        pattern = bundle.get_message(key).value if bundle is not None else None
        if bundle is None or pattern is None:
            raise LookupError(f"no language has the text {key!r}")
        text, errors = bundle.format_pattern(pattern, dict(gaps))
        if errors:
            raise LookupError(f"{self.language}: the text {key!r} cannot be filled: {errors[0]}")
        return str(text)


def _bundle(language: str, source: str) -> FluentBundle:
    # Marks of writing direction around every filled gap would show as boxes in some apps.
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(source))
    return bundle


def _load() -> dict[str, Texts]:
    files = sorted(Path(__file__).parent.glob("*.ftl"))
    sources = {file.stem: file.read_text(encoding="utf-8") for file in files}
    return {
        language: Texts(language, source, sources[FALLBACK]) for language, source in sources.items()
    }


LANGUAGES: dict[str, Texts] = _load()
"""Texts by language code."""


def texts_for(language_code: str | None) -> Texts:
    """Texts for a user's `language_code` (IETF, such as `pt-br`), else the English ones."""
    primary = (language_code or FALLBACK).replace("_", "-").split("-")[0].lower()
    return LANGUAGES.get(primary) or LANGUAGES[FALLBACK]


def preset_label(preset: StylePreset, texts: Texts) -> str:
    """Emoji and title, as on buttons and in messages (plain text)."""
    return f"{preset.emoji} {preset.title(texts.language)}"


def styles_label(
    styles: Sequence[ChosenStyle], presets: Sequence[StylePreset], texts: Texts
) -> str:
    """What these styles are called, in plain text; a preset that is gone by its bare name."""
    by_name = {preset.name: preset for preset in presets}
    labels = []
    for style in styles:
        if style.preset is None:
            labels.append(texts.plain("own-style"))
        elif preset := by_name.get(style.preset):
            labels.append(preset_label(preset, texts))
        else:
            labels.append(style.preset.replace("_", " ").capitalize())
    return " + ".join(labels)


def button_label(choice: Choice, texts: Texts) -> str:
    """A choice as its button names it (plain text)."""
    return texts.plain(f"option-{choice.name.lower()}")


def look_label(look: Look, texts: Texts) -> str:
    """The choices of a look that differ from the defaults, in plain text; may be empty."""
    keys = (f"{look.kind_of(choice)}-{choice.name.lower()}" for choice in look.unusual)
    return " · ".join(map(texts.plain, keys))


def refusal(code: str, facts: Mapping[str, str | int], texts: Texts) -> str | None:
    """What a ChatError of this code and facts means and, if it passes, when to come back, in plain
    text; None where there is no text for it."""
    key, seconds = f"failure-{code}", facts.get("seconds")
    if not texts.has(key):
        return None
    sentence = texts.plain(key)
    if code not in _PASSING:
        return sentence
    if not isinstance(seconds, int):
        return f"{sentence} {texts.plain('come-back-later')}"
    when = duration(seconds, texts)
    return f"{sentence} {texts.plain('come-back-in', duration=when)}"


def duration(seconds: float, texts: Texts) -> str:
    """A time in round figures, as estimates are no better, in plain text."""
    if seconds < 10:
        return texts.plain("duration-moment")
    if seconds < 90:
        return texts.plain("duration-seconds", count=math.ceil(seconds / 10) * 10)
    if seconds < 5400:
        return texts.plain("duration-minutes", count=math.ceil(seconds / 60))
    return texts.plain("duration-hours", count=math.ceil(seconds / 3600))
