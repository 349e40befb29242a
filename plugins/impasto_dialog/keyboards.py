"""The inline keyboards of the conversation and of the messages about a job."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.keyboard import InlineKeyboardBuilder

from impasto import StylePreset
from impasto_dialog.callbacks import (
    AnotherStyle,
    CloseDialog,
    OpenGallery,
    PickOwnStyle,
    PickStyle,
    RepeatJob,
    Retry,
    StopJob,
)
from impasto_dialog.texts import Texts

MAX_PRESETS = 96
"""Most presets in one gallery: a keyboard has up to 100 buttons. Others are found by title."""
COLUMNS = 2
"""Columns of the gallery's keyboard: a number, an emoji and two words fit a phone's half width."""


def preset_label(preset: StylePreset, texts: Texts) -> str:
    """Emoji and title, as on buttons and in messages (plain text)."""
    return f"{preset.emoji} {preset.title(texts.language)}"


def gallery(presets: Sequence[StylePreset], texts: Texts, turn: str) -> InlineKeyboardMarkup:
    """A numbered button per preset, as on the contact sheet, then "my own" and "cancel"."""
    styles = InlineKeyboardBuilder()
    for number, preset in enumerate(presets, start=1):
        styles.button(
            text=f"{number}. {preset_label(preset, texts)}",
            callback_data=PickStyle(preset=preset.name, turn=turn),
        )
    styles.adjust(COLUMNS)
    others = InlineKeyboardBuilder()
    others.button(text=texts.button_own_style, callback_data=PickOwnStyle(turn=turn))
    others.button(text=texts.button_cancel, callback_data=CloseDialog(turn=turn))
    others.adjust(1)
    return InlineKeyboardMarkup(inline_keyboard=styles.attach(others).export())


def waiting_for_picture(texts: Texts, turn: str) -> InlineKeyboardMarkup:
    return _column(
        (texts.button_styles, OpenGallery()), (texts.button_cancel, CloseDialog(turn=turn))
    )


def styles_only(texts: Texts) -> InlineKeyboardMarkup:
    return _column((texts.button_styles, OpenGallery()))


def too_many(texts: Texts, turn: str) -> InlineKeyboardMarkup:
    return _column(
        (texts.button_try_again, Retry(turn=turn)), (texts.button_cancel, CloseDialog(turn=turn))
    )


def open_bot(texts: Texts, username: str) -> InlineKeyboardMarkup:
    """A link from a group to the private chat."""
    button = InlineKeyboardButton(
        text=texts.button_open_bot, url=f"https://t.me/{username}?start=group"
    )
    return InlineKeyboardMarkup(inline_keyboard=[[button]])


def stop(texts: Texts, job_id: str) -> InlineKeyboardMarkup:
    return _column((texts.button_stop, StopJob(job=job_id)))


def stop_any(texts: Texts, job_ids: Sequence[str]) -> InlineKeyboardMarkup:
    """A "stop" per job, numbered as in the list above it."""
    numbered = enumerate(job_ids, start=1)
    return _column(*((f"{texts.button_stop} {n}", StopJob(job=job_id)) for n, job_id in numbered))


def another_style(texts: Texts, job_id: str) -> InlineKeyboardMarkup:
    return _column((texts.button_another_style, AnotherStyle(job=job_id)))


def try_again(texts: Texts, job_id: str) -> InlineKeyboardMarkup:
    return _column(
        (texts.button_try_again, RepeatJob(job=job_id)),
        (texts.button_another_style, AnotherStyle(job=job_id)),
    )


Target = CloseDialog | OpenGallery | Retry | StopJob | AnotherStyle | RepeatJob


def _column(*buttons: tuple[str, Target]) -> InlineKeyboardMarkup:
    builder = InlineKeyboardBuilder()
    for text, target in buttons:
        builder.button(text=text, callback_data=target)
    return InlineKeyboardMarkup(inline_keyboard=builder.adjust(1).export())
