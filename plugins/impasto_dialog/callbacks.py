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


class PickStyle(CallbackData, prefix="style"):
    """Paint in this preset style."""

    preset: str
    turn: str


class PickOwnStyle(CallbackData, prefix="own"):
    """The style will be a picture of the person's own."""

    turn: str


class Retry(CallbackData, prefix="retry"):
    """Try once more to start what was refused because of too many jobs."""

    turn: str


class CloseDialog(CallbackData, prefix="close"):
    """Forget the photo and style chosen so far."""

    turn: str


class OpenGallery(CallbackData, prefix="gallery"):
    """Show the styles."""


class StopJob(CallbackData, prefix="stop"):
    """Stop painting this job."""

    job: str


class AnotherStyle(CallbackData, prefix="another"):
    """Choose another style for the photo of this job."""

    job: str


class RepeatJob(CallbackData, prefix="repeat"):
    """Paint this failed job once more."""

    job: str
