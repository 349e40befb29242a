"""The texts and buttons of the messages about a job: hook `impasto_presenters`."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from aiogram.types import InlineKeyboardMarkup, User

from impasto import Say, StylePreset
from impasto.jobs.job import Job
from impasto.messages import Failure, Progress
from impasto_dialog import keyboards
from impasto_dialog.looks import Look, Quality, Variation
from impasto_dialog.texts import (
    LANGUAGES,
    Texts,
    duration,
    look_label,
    refusal,
    styles_label,
    texts_for,
)

BAR_LENGTH = 12
WORTH_REPEATING = frozenset({"painting_failed", "plugin_failed", "out_of_memory"})
"""Codes of failures that another try with the same pictures may not meet again."""
LARGER = 1.2
"""A photo of this many times the pixels of its painting can be painted larger: large pictures are
as large as their photos at most."""
WORTH_ANOTHER_STYLE = frozenset({"style_gone"})
FOR_OWNERS = frozenset({"disk_full", "machine_fails", "plugin_fails", "painter_keeps_dying"})
"""Codes of notices for owners, whose language is not known."""


def progress_bar(share: float) -> str:
    """A bar of text for 0 to 1."""
    filled = int(share * BAR_LENGTH)
    return "▰" * filled + "▱" * (BAR_LENGTH - filled)


class DialogPresenter:
    """Words the messages about a job in the languages of `texts`."""

    name = "dialog"
    order = 1000
    """Any other presenter goes first."""

    def __init__(self, presets: Sequence[StylePreset]) -> None:
        self._presets = presets
        self._has_inline_mode = False

    def introduce(self, bot: User) -> None:
        self._has_inline_mode = bool(bot.supports_inline_queries)

    def waiting(self, job: Job, ahead: int, seconds: float | None) -> Say:
        texts = texts_for(job.language)
        place = texts("waiting-behind", count=ahead) if ahead else texts("waiting-soon")
        time = (
            texts("waiting-time-unknown")
            if seconds is None
            else texts("waiting-time", duration=duration(seconds, texts))
        )
        return Say(
            "\n".join([*self._title(job, texts), place, time]), keyboards.waiting(texts, job.id)
        )

    def painting(self, job: Job, progress: Progress) -> Say:
        texts = texts_for(job.language)
        percent = int(progress.share * 100)
        bar = texts("painting", bar=progress_bar(progress.share), percent=percent)
        lines = [*self._title(job, texts), bar]
        if progress.seconds_left is not None:
            time_left = duration(progress.seconds_left, texts)
            lines.append(texts("painting-time", duration=time_left))
        return Say("\n".join(lines), keyboards.painting(texts, job.id))

    def painted(self, job: Job) -> Say:
        texts = texts_for(job.language)
        look = Look.of(job.wishes)
        style = styles_label(job.styles, self._presets, texts)
        lines = [texts("painted", style=style), *_look_line(look, texts)]
        if job.reduced and look.quality in (Quality.FULL, Quality.LARGE):
            lines.append(texts("painted-largest"))
        if job.reduced_for_time:
            lines.append(texts("painted-sooner"))
        in_group = job.chat != job.person
        keyboard = keyboards.painted(
            texts,
            job.id,
            look,
            in_group=in_group,
            larger=_larger(job, look),
            is_shared=self._has_inline_mode and not in_group,
        )
        return Say("\n".join(lines), keyboard)

    def ready(self, job: Job) -> Say:
        return Say(texts_for(job.language)("ready"))

    def moved(self, job: Job) -> Say:
        texts = texts_for(job.language)
        style = styles_label(job.styles, self._presets, texts)
        return Say(texts("moved", style=style))

    def failed(self, job: Job) -> Say:
        texts = texts_for(job.language)
        failure = job.failure or Failure(code="painting_failed", sentence="")
        key = f"failure-{failure.code}"
        reason = texts.plain(key) if texts.has(key) else failure.sentence
        sentence = "failed-style" if failure.facts.get("role") == "style" else "failed"
        return Say(texts(sentence, reason=reason), _way_out(job, failure.code, texts))

    def cancelled(self, job: Job) -> Say:
        texts = texts_for(job.language)
        return Say(texts("cancelled-job"), keyboards.another_style(texts, job.id))

    def notice(self, code: str, language: str, facts: Mapping[str, str | int]) -> Say | None:
        if code in FOR_OWNERS:
            said = [texts(f"notice-{code}", **facts) for texts in LANGUAGES.values()]
            return Say("\n\n".join(said))
        texts = texts_for(language)
        if texts.has(f"notice-{code}"):
            return Say(texts(f"notice-{code}", **facts))
        reason = refusal(code, facts, texts)
        return Say(html.escape(reason)) if reason else None

    def _title(self, job: Job, texts: Texts) -> list[str]:
        style = styles_label(job.styles, self._presets, texts)
        return [texts("job-title", style=style), *_look_line(Look.of(job.wishes), texts)]


def _larger(job: Job, look: Look) -> Variation | None:
    """How this picture can be painted larger; None where it cannot be."""
    if job.reduced_for_time:
        return Variation.LARGER
    if job.reduced or look.quality is Quality.LARGE:
        return None
    photo, painting = job.content.pixels, job.effort.pixels if job.effort else None
    is_as_large = photo is not None and painting is not None and photo < LARGER * painting
    return None if is_as_large and look.quality is not Quality.QUICK else Variation.LARGE


def _look_line(look: Look, texts: Texts) -> list[str]:
    label = look_label(look, texts)
    return [texts("job-look", look=label)] if label else []


def _way_out(job: Job, code: str, texts: Texts) -> InlineKeyboardMarkup | None:
    """Buttons below a failure. None where only a new photo helps: the sentence asks for it."""
    if code in WORTH_REPEATING:
        return keyboards.try_again(texts, job.id)
    has_own_style = any(style.picture for style in job.styles)
    if code in WORTH_ANOTHER_STYLE or has_own_style:
        return keyboards.another_style(texts, job.id)
    return None
