"""SafePresenter that more than one message needs: what styles, looks and times are called."""

from __future__ import annotations

import math
from collections.abc import Sequence

from impasto import StylePreset
from impasto.errors import TooManyJobs
from impasto.jobs.job import ChosenStyle
from impasto_dialog.looks import Brush, Choice, Colors, Look, Quality, Strength
from impasto_dialog.texts import Texts

_PASSING = frozenset({"too_many_this_hour", "too_many_waiting"})
"""Refusals that end by themselves, without a person's doing."""

_NAMES: dict[type[Choice], str] = {
    Strength: "strength",
    Brush: "brush",
    Colors: "colors",
    Quality: "quality",
}


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


def choice_label(choice: Choice, texts: Texts) -> str:
    """One choice in a word or two."""
    return texts.plain(f"{_NAMES[type(choice)]}-{choice.value}")


def look_label(look: Look, texts: Texts) -> str:
    """What is unusual about a look; nothing for the default one."""
    return " · ".join(choice_label(choice, texts) for choice in look.unusual)


def refusal(error: TooManyJobs, texts: Texts) -> str:
    """Why the job_service takes no job now and when it may, in plain text."""
    key, seconds = f"failure-{error.code}", error.facts.get("seconds")
    if not texts.has(key):
        return str(error)
    sentence = texts.plain(key)
    if error.code not in _PASSING:
        return sentence
    if not isinstance(seconds, int):
        return f"{sentence} {texts.plain('come-back-later')}"
    when = duration(seconds, texts)
    return f"{sentence} {texts.plain('come-back-in', duration=when)}"


def duration(seconds: float, texts: Texts) -> str:
    """A time in round figures, plain text: nobody can promise more."""
    if seconds < 10:
        return texts.plain("duration-moment")
    if seconds < 90:
        return texts.plain("duration-seconds", count=math.ceil(seconds / 10) * 10)
    if seconds < 5400:
        return texts.plain("duration-minutes", count=math.ceil(seconds / 60))
    return texts.plain("duration-hours", count=math.ceil(seconds / 3600))
