"""What the buttons carry: 64 bytes at most, never a person's id.

A `turn` is a short random mark of one open gallery: a button of an earlier one has another, so it
is known for what it is. Names of presets have at most 20 characters, ids of jobs 11.
"""

from __future__ import annotations

import secrets

from aiogram.filters.callback_data import CallbackData


def new_turn() -> str:
    """A mark for the buttons of one gallery."""
    return secrets.token_hex(4)


class OfGallery(CallbackData, prefix="gallery-button"):
    """A button that is valid as long as its gallery is open."""

    turn: str


class PickStyle(OfGallery, prefix="style"):
    """Paint in this preset style."""

    preset: str


class PickOwnStyle(OfGallery, prefix="own"):
    """The style will be a picture of the person's own."""


class MixStyles(OfGallery, prefix="mix"):
    """Two styles are to be chosen, or one after all."""


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

    choice: str
    turn: str
    """Of the gallery that the options are shown under; empty where they stand alone."""


class OpenGallery(CallbackData, prefix="gallery"):
    """Show the styles."""


class ChooseLanguage(CallbackData, prefix="language"):
    """Speak this language; empty shows which there are."""

    code: str


class ForgetMe(CallbackData, prefix="forget"):
    """Forget the person who taps this, or not after all."""

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

    how: str = "same"
    """A value of `Variation`."""


class UseAsStyle(OfJob, prefix="as-style"):
    """Paint the next photo in the style of this job's picture."""


class SendFile(OfJob, prefix="file"):
    """Send this job's picture as a file of full quality."""
