"""The inline keyboards of the conversation and of the messages about a job, and what their buttons
carry: 64 bytes at most, never a person's id.

A `turn` is a short random mark of one open gallery: a button of an earlier one has another, so it
is known for what it is. Names of presets have at most 20 characters, ids of jobs 11. Telegram keeps
the buttons of old messages, so prefixes and fields stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from impasto_dialog.contact_sheet import GalleryPage
from impasto_dialog.looks import Brush, Choice, Colors, Look, Quality, Strength, Variation
from impasto_dialog.texts import LANGUAGES, Texts, button_label, look_label, preset_label

COLUMNS = 2
"""Columns of styles in the gallery: half a phone's width fits a number, an emoji and two words."""
MOST_IN_A_ROW = 3
"""Choices of one kind; more are spread over two rows."""

OFFERED: tuple[tuple[Choice, ...], ...] = (
    (Strength.SUBTLE, Strength.BALANCED, Strength.STRONG),
    tuple(Brush),
    tuple(Colors),
    (Quality.QUICK, Quality.STANDARD, Quality.FINE, Quality.LARGE),
)
"""The options, one kind after the other."""

Row = list[InlineKeyboardButton]


class OfGallery(CallbackData, prefix="gallery-button"):
    """A button that is valid as long as its gallery is open."""

    turn: str


class PickStyle(OfGallery, prefix="style"):
    """Paint in this preset style."""

    preset: str


class PickOwnStyle(OfGallery, prefix="own"):
    """The style will be a picture of the person's own."""


class MixStyles(OfGallery, prefix="mix"):
    """Two styles are to be chosen, or only one again."""


class TurnPage(OfGallery, prefix="page"):
    """Show another page of the gallery."""

    page: int


class ShowOptions(OfGallery, prefix="options"):
    """Show the options under the gallery instead of its styles, or the styles again."""

    shown: bool


class Retry(OfGallery, prefix="retry"):
    """Try once more to start what was refused because of too many jobs."""


class CloseDialog(OfGallery, prefix="close"):
    """Forget the photo and style chosen so far."""


class SetLook(CallbackData, prefix="look"):
    """Keep this choice of strength, brush, colors or quality for the person."""

    choice: Choice
    turn: str
    """Of the gallery that the options are shown under; empty where they stand alone."""


class OpenGallery(CallbackData, prefix="gallery"):
    """Show the styles."""


class ChooseLanguage(CallbackData, prefix="language"):
    """Speak this language; an empty code shows all languages."""

    code: str


class ForgetMe(CallbackData, prefix="forget"):
    """Forget the person who taps this, or change nothing."""

    sure: bool


class OfJob(CallbackData, prefix="job-button"):
    """A button under a message about a job."""

    job: str


class StopJob(OfJob, prefix="stop"):
    """Stop painting this job."""


class FinishJob(OfJob, prefix="finish"):
    """Stop painting this job and keep the picture as it is."""


class AnotherStyle(OfJob, prefix="another"):
    """Choose another style for the photo of this job."""


class RepeatJob(OfJob, prefix="repeat"):
    """Paint this job once more, as it was or a little different."""

    how: Variation = Variation.SAME


class UseAsStyle(OfJob, prefix="as-style"):
    """Paint the next photo in the style of this job's picture."""


class SendFile(OfJob, prefix="file"):
    """Send this job's picture as a file of full quality."""


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
    """The choices that differ from the defaults, else the names of what can be chosen."""
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
    """A row or two per kind of choice, the current ones marked; with a `turn`, a way back to the
    gallery."""
    look = look.within(offers_fine=offers_fine)
    chosen = {look.strength, look.brush, look.colors, look.quality}
    rows: list[Row] = []
    for choices in OFFERED:
        buttons = [
            _button(
                ("✓ " if choice in chosen else "") + button_label(choice, texts),
                SetLook(choice=choice, turn=turn),
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


def painted(
    texts: Texts, job_id: str, look: Look, *, in_group: bool, offers_larger: bool
) -> InlineKeyboardMarkup:
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
            _button(text, RepeatJob(job=job_id, how=how))
            for text, how in strengths
            if look.varied(how) is not None
        ],
        [_button(colors[0], RepeatJob(job=job_id, how=colors[1]))],
    ]
    if offers_larger:
        larger = RepeatJob(job=job_id, how=Variation.LARGER)
        rows.insert(0, [_button(texts.plain("button-larger"), larger)])
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
