"""The inline keyboards of the conversation and of the messages about a job."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from impasto import StylePreset
from impasto_dialog.callbacks import (
    AnotherStyle,
    ChooseLanguage,
    CloseDialog,
    FinishJob,
    ForgetMe,
    MixStyles,
    OpenGallery,
    PickOwnStyle,
    PickStyle,
    RepeatJob,
    Retry,
    SendFile,
    SetLook,
    ShowOptions,
    StopJob,
    TurnPage,
    UseAsStyle,
)
from impasto_dialog.looks import Brush, Choice, Colors, Look, Quality, Strength
from impasto_dialog.texts import LANGUAGES, Texts
from impasto_dialog.wording import look_label, preset_label

COLUMNS = 2
"""Of the gallery's styles: a number, an emoji and two words fit a phone's half width."""
MOST_IN_A_ROW = 3
"""Of the choices of one kind; more are spread over two rows."""

OFFERED: tuple[tuple[Choice, ...], ...] = (
    (Strength.SUBTLE, Strength.BALANCED, Strength.STRONG),
    tuple(Brush),
    tuple(Colors),
    tuple(Quality),
)
"""The options, one kind after the other."""

Row = list[InlineKeyboardButton]


class Variation(StrEnum):
    """How a job can be painted again."""

    SAME = "same"
    STRONGER = "stronger"
    WEAKER = "weaker"
    OWN_COLORS = "own"
    STYLE_COLORS = "style"


def varied(look: Look, how: Variation) -> Look | None:
    """The look of a job painted again so; None when there is nothing stronger or weaker."""
    match how:
        case Variation.STRONGER:
            return look.shifted(1)
        case Variation.WEAKER:
            return look.shifted(-1)
        case Variation.OWN_COLORS:
            return look.with_choice(Colors.OWN)
        case Variation.STYLE_COLORS:
            return look.with_choice(Colors.STYLE)
    return look


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryPage:
    """The presets of one page and where it is among the others."""

    presets: Sequence[StylePreset]
    first_number: int
    page: int
    pages: int


def gallery(
    shown: GalleryPage, texts: Texts, turn: str, *, look: Look, is_mix: bool, in_group: bool
) -> InlineKeyboardMarkup:
    """A numbered button per preset, as on the contact sheet; pages; and, in a private chat, the
    options, a mix and a style picture of one's own."""
    styles = [
        _button(
            f"{number}. {preset_label(preset, texts)}",
            PickStyle(preset=preset.name, turn=turn),
        )
        for number, preset in enumerate(shown.presets, start=shown.first_number)
    ]
    rows = [styles[i : i + COLUMNS] for i in range(0, len(styles), COLUMNS)]
    if shown.pages > 1:
        rows.append(_pages(shown, turn))
    if not in_group:
        own = _button(texts.plain("button-own-style"), PickOwnStyle(turn=turn))
        mix = texts.plain("button-mix-off") if is_mix else texts.plain("button-mix")
        if shown.presets:
            rows.append([_button(_options_text(look, texts), ShowOptions(turn=turn, shown=True))])
            rows.append([_button(mix, MixStyles(turn=turn)), own])
        else:
            rows.append([own])
    rows.append([_button(texts.plain("button-cancel"), CloseDialog(turn=turn))])
    return InlineKeyboardMarkup(inline_keyboard=rows)


def _options_text(look: Look, texts: Texts) -> str:
    """What is unusual about the look, else what can be chosen."""
    label = look_label(look, texts)
    return texts.plain("button-options", look=label or texts.plain("options"))


def _pages(shown: GalleryPage, turn: str) -> Row:
    before, after = (shown.page - 1) % shown.pages, (shown.page + 1) % shown.pages
    return [
        _button("◀️", TurnPage(turn=turn, page=before)),
        _button(f"{shown.page + 1} / {shown.pages}", TurnPage(turn=turn, page=after)),
        _button("▶️", TurnPage(turn=turn, page=after)),
    ]


def options(texts: Texts, look: Look, turn: str, *, offers_fine: bool) -> InlineKeyboardMarkup:
    """A row or two per choice, what holds marked; with a `turn`, a way back to the gallery."""
    look = look.within(offers_fine=offers_fine)
    chosen = {look.strength, look.brush, look.colors, look.quality}
    rows: list[Row] = []
    for choices in OFFERED:
        buttons = [
            _button(
                ("✓ " if choice in chosen else "") + texts.plain(f"option-{choice.value}"),
                SetLook(choice=choice.value, turn=turn),
            )
            for choice in choices
            if offers_fine or choice is not Quality.FINE
        ]
        length = len(buttons) if len(buttons) <= MOST_IN_A_ROW else math.ceil(len(buttons) / 2)
        rows += [buttons[i : i + length] for i in range(0, len(buttons), length)]
    if turn:
        rows.append([_button(texts.plain("button-back"), ShowOptions(turn=turn, shown=False))])
    else:
        rows.append([_button(texts.plain("button-language"), ChooseLanguage(code=""))])
        rows.append([_button(texts.plain("button-styles"), OpenGallery())])
    return InlineKeyboardMarkup(inline_keyboard=rows)


def languages(texts: Texts) -> InlineKeyboardMarkup:
    """Every language by its own name."""
    return _column(
        *(
            (
                f"✓ {other.plain('language-name')}"
                if other is texts
                else other.plain("language-name"),
                ChooseLanguage(code=code),
            )
            for code, other in LANGUAGES.items()
        )
    )


def waiting_for_picture(texts: Texts, turn: str) -> InlineKeyboardMarkup:
    return _column(
        (texts.plain("button-styles"), OpenGallery()),
        (texts.plain("button-cancel"), CloseDialog(turn=turn)),
    )


def styles_only(texts: Texts) -> InlineKeyboardMarkup:
    return _column((texts.plain("button-styles"), OpenGallery()))


def too_many(texts: Texts, turn: str) -> InlineKeyboardMarkup:
    return _column(
        (texts.plain("button-try-again"), Retry(turn=turn)),
        (texts.plain("button-cancel"), CloseDialog(turn=turn)),
    )


def forget(texts: Texts) -> InlineKeyboardMarkup:
    return _column(
        (texts.plain("button-forget"), ForgetMe(sure=True)),
        (texts.plain("button-keep"), ForgetMe(sure=False)),
    )


def waiting(texts: Texts, job_id: str) -> InlineKeyboardMarkup:
    return _column((texts.plain("button-stop"), StopJob(job=job_id)))


def painting(texts: Texts, job_id: str) -> InlineKeyboardMarkup:
    return _column(
        (texts.plain("button-finish"), FinishJob(job=job_id)),
        (texts.plain("button-stop"), StopJob(job=job_id)),
    )


def painted(texts: Texts, job_id: str, look: Look, *, in_group: bool) -> InlineKeyboardMarkup:
    """What can be done next with a finished picture, none of it with an upload."""
    own = look.colors is Colors.OWN
    colors = (
        (texts.plain("button-style-colors"), Variation.STYLE_COLORS)
        if own
        else (texts.plain("button-own-colors"), Variation.OWN_COLORS)
    )
    strengths = [
        (texts.plain("button-weaker"), Variation.WEAKER),
        (texts.plain("button-stronger"), Variation.STRONGER),
    ]
    rows = [
        [_button(texts.plain("button-another-style"), AnotherStyle(job=job_id))],
        [
            _button(text, RepeatJob(job=job_id, how=how.value))
            for text, how in strengths
            if varied(look, how) is not None
        ],
        [_button(colors[0], RepeatJob(job=job_id, how=colors[1].value))],
    ]
    if not in_group:  # there the bot does not see the photo that would come next
        rows.append([_button(texts.plain("button-as-style"), UseAsStyle(job=job_id))])
    rows.append([_button(texts.plain("button-file"), SendFile(job=job_id))])
    return InlineKeyboardMarkup(inline_keyboard=rows)


def stop_any(texts: Texts, job_ids: Sequence[str]) -> InlineKeyboardMarkup:
    """A "stop" per job, numbered as in the list above it."""
    return _column(
        *(
            (texts.plain("button-stop-numbered", number=number), StopJob(job=job_id))
            for number, job_id in enumerate(job_ids, start=1)
        )
    )


def another_style(texts: Texts, job_id: str) -> InlineKeyboardMarkup:
    return _column((texts.plain("button-another-style"), AnotherStyle(job=job_id)))


def try_again(texts: Texts, job_id: str) -> InlineKeyboardMarkup:
    return _column(
        (texts.plain("button-try-again"), RepeatJob(job=job_id)),
        (texts.plain("button-another-style"), AnotherStyle(job=job_id)),
    )


def _column(*buttons: tuple[str, CallbackData]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[[_button(text, target)] for text, target in buttons]
    )


def _button(text: str, target: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=target.pack())
