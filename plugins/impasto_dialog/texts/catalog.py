"""What a language has to say: `Texts`, and how its gaps are filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

Plural = Mapping[str, str]
"""A sentence by the plural category of its `{count}`; see `Texts.plural`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """All texts of one language.

    Messages and captions are HTML, fill them with `fill`; toasts, buttons and commands are plain
    text. A caption may have 1024 characters, a toast 200, the description of a command 256.
    """

    language: str
    plural: Callable[[int], str]
    """The CLDR plural category of a whole number: one, few, many, other."""

    # The command menu.
    command_start: str
    command_styles: str
    command_status: str
    command_cancel: str
    command_help: str

    # Buttons.
    button_styles: str
    button_own_style: str
    button_cancel: str
    button_stop: str
    button_another_style: str
    button_try_again: str
    button_open_bot: str

    # The way of a photo.
    start: str
    help: str
    start_in_group: str
    choose_style: str
    choose_style_for_new_photo: str
    choose_another_style: str
    choose_style_first: str
    send_style_picture: str
    send_photo_for_preset: str
    send_photo_for_own_style: str
    own_style_first: str
    album_taken: str
    no_presets: str

    # Toasts: the answer to a tap on a button.
    toast_chosen: str
    toast_already_painting: str
    toast_old_button: str
    toast_stopped: str
    toast_not_running: str
    toast_cancelled: str

    # Cancelling and looking around.
    cancelled_dialog: str
    cancelled_jobs: Plural
    nothing_to_cancel: str
    status_none: str
    status_title: str
    status_painting: str
    status_waiting: str

    # What cannot be used, and what to do instead.
    hint: str
    hint_choose: str
    hint_style_picture: str
    hint_photo: str
    refused_animation: str
    refused_video: str
    refused_voice: str
    refused_sticker: str
    refused_heic: str
    refused_document: str
    refused_large: str

    # Messages about a job.
    own_style: str
    waiting: str
    waiting_behind: Plural
    painting: str
    painted: str
    ready: str
    failed: str
    failed_style: str
    """As `failed`, where the style picture is at fault and not the photo."""
    cancelled_job: str
    failures: Mapping[str, str]
    """By the codes of impasto.errors.ChatError."""

    def count(self, forms: Plural, count: int) -> str:
        """The form of a plural sentence for this number, filled with it."""
        return fill(forms[self.plural(count)], count=count)


def fill(template: str, **gaps: str | int) -> str:
    """The template with its gaps filled; what fills them is escaped for HTML.

    Raises:
        KeyError: a gap has no value.
    """
    return template.format_map({name: escape(str(value)) for name, value in gaps.items()})
