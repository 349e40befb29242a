"""The words and buttons of the messages about a job: hook `impasto_presenters`."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from impasto import Say, StylePreset
from impasto.jobs.job import Failure, Job
from impasto.messages import Progress
from impasto_dialog import keyboards
from impasto_dialog.texts import Texts, fill, texts_for

BAR_LENGTH = 12
WORTH_REPEATING = frozenset({"painting_failed", "plugin_failed"})
"""Failures that the same pictures need not meet again."""
WORTH_ANOTHER_STYLE = frozenset({"style_gone"})


def progress_bar(share: float) -> str:
    """A bar of text for 0 to 1."""
    filled = int(share * BAR_LENGTH)
    return "▰" * filled + "▱" * (BAR_LENGTH - filled)


def style_label(job: Job, presets: Sequence[StylePreset], texts: Texts) -> str:
    """What the job's styles are called, in plain text; a preset that is gone by its bare name."""
    by_name = {preset.name: preset for preset in presets}
    labels = []
    for style in job.styles:
        if style.preset is None:
            labels.append(texts.own_style)
        elif preset := by_name.get(style.preset):
            labels.append(keyboards.preset_label(preset, texts))
        else:
            labels.append(style.preset.replace("_", " ").capitalize())
    return " + ".join(labels)


class DialogPresenter:
    """Says how a job is getting on in the languages of `texts`."""

    name = "dialog"
    order = 1000
    """Any other presenter goes first."""

    def __init__(self, presets: Sequence[StylePreset]) -> None:
        self._presets = presets

    def waiting(self, job: Job, ahead: int) -> Say:
        texts, style = self._words(job)
        text = fill(texts.waiting, style=style)
        if ahead > 0:
            text += "\n" + texts.count(texts.waiting_behind, ahead)
        return Say(text, keyboards.stop(texts, job.id))

    def painting(self, job: Job, progress: Progress) -> Say:
        texts, style = self._words(job)
        text = fill(
            texts.painting,
            style=style,
            bar=progress_bar(progress.share),
            percent=int(progress.share * 100),
            level=progress.level,
            levels=progress.levels,
        )
        return Say(text, keyboards.stop(texts, job.id))

    def painted(self, job: Job) -> Say:
        texts, style = self._words(job)
        return Say(fill(texts.painted, style=style), keyboards.another_style(texts, job.id))

    def ready(self, job: Job) -> Say:
        return Say(texts_for(job.language).ready)

    def failed(self, job: Job) -> Say:
        texts = texts_for(job.language)
        failure = job.failure or Failure(code="painting_failed", sentence="")
        reason = texts.failures.get(failure.code) or failure.sentence
        sentence = texts.failed_style if failure.facts.get("role") == "style" else texts.failed
        return Say(fill(sentence, reason=reason), _way_out(job, failure.code, texts))

    def cancelled(self, job: Job) -> Say:
        texts = texts_for(job.language)
        return Say(texts.cancelled_job, keyboards.another_style(texts, job.id))

    def _words(self, job: Job) -> tuple[Texts, str]:
        texts = texts_for(job.language)
        return texts, style_label(job, self._presets, texts)


def _way_out(job: Job, code: str, texts: Texts) -> InlineKeyboardMarkup | None:
    """Buttons under a failure. None where only a new photo helps: the sentence asks for it."""
    if code in WORTH_REPEATING:
        return keyboards.try_again(texts, job.id)
    has_own_style = any(style.picture for style in job.styles)
    if code in WORTH_ANOTHER_STYLE or has_own_style:
        return keyboards.another_style(texts, job.id)
    return None
