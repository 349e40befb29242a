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

from impasto import StylePreset
from impasto_dialog.contact_sheet import GalleryPage
from impasto_dialog.looks import Brush, Choice, Colors, Look, Quality, Strength, Variation
from impasto_dialog.texts import LANGUAGES, Texts, button_label

NUMBERS_IN_A_ROW = 5
MOST_IN_A_ROW = 3
"""Buttons with words: a third of a phone's width fits an emoji and two short ones."""

OFFERED: dict[str, tuple[Choice, ...]] = {
    "strength": (Strength.SUBTLE, Strength.BALANCED, Strength.STRONG),
    "brush": tuple(Brush),
    "colors": tuple(Colors),
    "quality": (Quality.QUICK, Quality.STANDARD, Quality.FINE, Quality.LARGE),
}
"""The options by their kind, which is a field of `Look`."""

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


class OpenChoice(CallbackData, prefix="choice"):
    """Show what can be chosen of one kind."""

    kind: str
    """A key of OFFERED; empty for all kinds again."""
    turn: str
    """As in `SetLook`."""


class OpenGallery(CallbackData, prefix="gallery"):
    """Show the styles."""


class ChooseLanguage(CallbackData, prefix="language"):
    """Speak this language; an empty code shows all languages."""

    code: str


class ForgetMe(CallbackData, prefix="forget"):
    """Forget the person who taps this, or change nothing."""

    sure: bool


class PaintStill(CallbackData, prefix="still"):
    """Paint the first frame of the animation that the message answers."""


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
    shown: GalleryPage, texts: Texts, turn: str, *, is_mix: bool, in_group: bool
) -> InlineKeyboardMarkup:
    """The number of each preset on the contact sheet, which also has its name; the next page; and,
    in a private chat, a mix, a style picture of one's own and the options."""
    numbers = [
        _button(str(number), PickStyle(preset=preset.name, turn=turn))
        for number, preset in enumerate(shown.presets, start=shown.first_number)
    ]
    if shown.pages > 1:
        place = f"{shown.page + 1}/{shown.pages} ▶️"
        numbers.append(_button(place, TurnPage(turn=turn, page=(shown.page + 1) % shown.pages)))
    rows = _rows(numbers, NUMBERS_IN_A_ROW)
    last = [_button(texts.plain("button-cancel"), CloseDialog(turn=turn))]
    if not in_group:
        own = _button(texts.plain("button-own-style"), PickOwnStyle(turn=turn))
        if shown.presets:
            mix = texts.plain("button-mix-off") if is_mix else texts.plain("button-mix")
            rows.append([_button(mix, MixStyles(turn=turn)), own])
            show = ShowOptions(turn=turn, shown=True)
            last.insert(0, _button(texts.plain("button-options"), show))
        else:
            rows.append([own])
    return InlineKeyboardMarkup(inline_keyboard=[*rows, last])


def options(texts: Texts, look: Look, turn: str) -> InlineKeyboardMarkup:
    """A row per kind of choice, which says what is chosen; with a `turn`, a way back to the
    gallery."""
    rows = [
        [
            _button(
                texts.plain(f"row-{kind}", choice=button_label(getattr(look, kind), texts)),
                OpenChoice(kind=kind, turn=turn),
            )
        ]
        for kind in OFFERED
    ]
    if turn:
        rows.append([_button(texts.plain("button-back"), ShowOptions(turn=turn, shown=False))])
    else:
        rows.append([_button(texts.plain("button-language"), ChooseLanguage(code=""))])
        rows.append([_button(texts.plain("button-styles"), OpenGallery())])
    return InlineKeyboardMarkup(inline_keyboard=rows)


def choices(
    texts: Texts, look: Look, kind: str, turn: str, *, offers_fine: bool
) -> InlineKeyboardMarkup:
    """What can be chosen of one kind, the current choice marked; and a way back to all kinds."""
    buttons = [
        _button(
            ("✅ " if choice is getattr(look, kind) else "") + button_label(choice, texts),
            SetLook(choice=choice, turn=turn),
        )
        for choice in OFFERED[kind]
        if offers_fine or choice is not Quality.FINE
    ]
    back = _button(texts.plain("button-all-options"), OpenChoice(kind="", turn=turn))
    return InlineKeyboardMarkup(inline_keyboard=[*_rows(buttons, MOST_IN_A_ROW), [back]])


def meant(texts: Texts, preset: StylePreset, turn: str) -> InlineKeyboardMarkup:
    """Yes, paint in this style; or a look at all of them."""
    return _column(
        (texts.plain("button-yes"), PickStyle(preset=preset.name, turn=turn)),
        (texts.plain("button-styles"), OpenGallery()),
    )


def languages(texts: Texts) -> InlineKeyboardMarkup:
    """Every language by its own name."""
    return _column(
        *(
            (
                ("✓ " if other is texts else "") + other.plain("language-name"),
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
    texts: Texts,
    job_id: str,
    look: Look,
    *,
    in_group: bool,
    larger: Variation | None,
    is_shared: bool,
) -> InlineKeyboardMarkup:
    """What can be done next with a finished picture, none of it with an upload.

    Args:
        larger: how to paint it larger; None where it cannot be.
        is_shared: whether it can be put into another chat by inline mode.
    """
    repeats = [
        (texts.plain("button-weaker"), Variation.WEAKER),
        (texts.plain("button-stronger"), Variation.STRONGER),
    ]
    if larger is not None:
        repeats.append((texts.plain("button-larger"), larger))
    if look.colors is Colors.OWN:
        repeats.append((texts.plain("button-style-colors"), Variation.STYLE_COLORS))
    else:
        repeats.append((texts.plain("button-own-colors"), Variation.OWN_COLORS))
    first = [_button(texts.plain("button-another-style"), AnotherStyle(job=job_id))]
    if not in_group:  # there the bot does not see the photo that would come next
        first.append(_button(texts.plain("button-as-style"), UseAsStyle(job=job_id)))
    again = [
        _button(text, RepeatJob(job=job_id, how=how))
        for text, how in repeats
        if look.varied(how) is not None
    ]
    again.append(_button(texts.plain("button-file"), SendFile(job=job_id)))
    if is_shared:
        share = texts.plain("button-share")
        again.append(InlineKeyboardButton(text=share, switch_inline_query=job_id))
    return InlineKeyboardMarkup(inline_keyboard=[first, *_rows(again, MOST_IN_A_ROW)])


def stop_any(texts: Texts, job_ids: Sequence[str]) -> InlineKeyboardMarkup:
    """A "stop" per job, numbered as in the list above it."""
    buttons = [
        _button(texts.plain("button-stop-numbered", number=number), StopJob(job=job_id))
        for number, job_id in enumerate(job_ids, start=1)
    ]
    return InlineKeyboardMarkup(inline_keyboard=_rows(buttons, MOST_IN_A_ROW))


def paint_still(texts: Texts) -> InlineKeyboardMarkup:
    """Yes, the first frame; or not."""
    return _column((texts.plain("button-still"), PaintStill()))


def another_style(texts: Texts, job_id: str) -> InlineKeyboardMarkup:
    return _column((texts.plain("button-another-style"), AnotherStyle(job=job_id)))


def try_again(texts: Texts, job_id: str) -> InlineKeyboardMarkup:
    return _column(
        (texts.plain("button-try-again"), RepeatJob(job=job_id)),
        (texts.plain("button-another-style"), AnotherStyle(job=job_id)),
    )


def _rows(buttons: Row, most: int) -> list[Row]:
    """In as few rows as there can be, as even as they can be: Telegram makes the buttons of a short
    last row very wide."""
    length = math.ceil(len(buttons) / max(1, math.ceil(len(buttons) / most)))
    return [buttons[i : i + length] for i in range(0, len(buttons), max(1, length))]


def _column(*buttons: tuple[str, CallbackData]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[[_button(text, target)] for text, target in buttons]
    )


def _button(text: str, target: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=target.pack())
