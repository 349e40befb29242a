"""One tree of errors; each class says who sees it.

ImpastoError
|-- ChatError              the person in the chat, translated by its code
|   |-- PictureError       this picture cannot be painted or used as a style
|   |-- TooManyJobs        this person has enough pictures waiting
|   `-- PaintingFailed     the painting process gave up on this job
|-- OwnerError             whoever runs the bot, in the log or on the terminal
|   |-- SettingsError      a setting is missing, wrong or unknown
|   |-- WeightsError       a feature network is missing, damaged or of an unknown shape
|   |-- NotAvailable       a device, optimizer, ... was asked for by name and is not there
|   `-- PluginsFailed      `--strict` and at least one plugin did not load
|-- PluginError            the author of a plugin: names plugin, hook, what came, what was expected
`-- InvalidTransition      a bug of ours: a job was moved against the rules of its states
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

_OF_FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})
_OF_MACHINE = _OF_FULL_DISK | {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS, errno.EIO}


def is_of_full_disk(error: BaseException) -> bool:
    """Whether it is an OSError because the disk, or this user's quota of it, is full."""
    return isinstance(error, OSError) and error.errno in _OF_FULL_DISK


def is_of_machine(error: BaseException) -> bool:
    """Whether it is an OSError that says what the machine cannot do now, whatever is asked of it:
    the disk is full, fails or is read-only, or there are no descriptors or no memory left."""
    return isinstance(error, OSError) and error.errno in _OF_MACHINE


def described(error: BaseException) -> str:
    """An exception in words, even if it has none."""
    kind = type(error).__name__
    try:
        words = str(error)
    except Exception:  # a plugin may have a class of its own
        words = ""
    return f"{kind}: {words}" if words else kind


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is meant by one that nothing has; None where none is near."""
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return close[0] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question at the end of a sentence about a name that nothing has, or nothing."""
    meant = nearest(name, known)
    return f"; did you mean {meant}?" if meant else ""


class ImpastoError(Exception):
    """Base of all errors that this program raises on purpose."""


class ChatError(ImpastoError):
    """Something a person in the chat has to know.

    `code` names the sentence in the dialog's catalogue and `facts` fill its gaps; `str()` is the
    English sentence, used on the terminal and where a catalogue has no translation.
    """

    code: str
    """Names the sentence; a class lists its codes."""

    def __init__(self, code: str, sentence: str, **facts: str | int) -> None:
        super().__init__(sentence)
        self.code = code
        self.facts = facts
        """Words and numbers for the gaps of the sentence."""


class PictureError(ChatError):
    """A picture that cannot be used.

    Codes: `not_a_picture`, `unsupported_format`, `broken_picture`, `picture_too_small`,
    `picture_too_large`, `picture_too_narrow`, `file_too_large`, `file_gone`. The fact "role"
    is "style" where it is the style picture and not the photo.
    """


class TooManyJobs(ChatError):
    """The settings allow no further job now. Codes: `too_many_jobs` (unfinished ones of this
    person), `too_many_this_hour` (of this person), `too_many_waiting` (of all people). The fact
    "seconds" says in how many seconds to come back, where that is known."""


class PaintingFailed(ChatError):
    """The painting process could not finish a job. Codes: `painting_failed`, `plugin_failed`,
    `out_of_memory`, `style_gone`, `photos_forbidden` (to the bot, in this group),
    `job_vanished` (from the journal)."""


class OwnerError(ImpastoError):
    """Something whoever runs the bot has to change; ends the start with exit code 1."""


class SettingsError(OwnerError):
    """Settings that cannot be used; the message has one line per wrong setting."""


class WeightsError(OwnerError):
    """A network file that is missing, damaged or not a network that this program can build."""


class NotAvailable(OwnerError):
    """Something was asked for by name that no plugin offers or that does not work here."""

    def __init__(
        self, kind: str, name: str, known: list[str], why: str = "", left_out: str = ""
    ) -> None:
        """`left_out` says which plugins do not work: it may be one of them that is missed."""
        choices = ", ".join(known) or "none"
        hint = did_you_mean(name, known) or f"; there is {choices}"
        reason = why or f"no plugin offers it{hint}"
        reasons = "; ".join(filter(None, [reason, left_out]))
        super().__init__(f"{kind} {name!r} is not available: {reasons}")


class PluginsFailed(OwnerError):
    """At least one plugin failed and the start was asked to be strict."""


class PluginError(ImpastoError):
    """A plugin broke its contract; names the plugin so that its author can be told."""

    def __init__(self, plugin: str, problem: str) -> None:
        super().__init__(f"plugin {plugin!r}: {problem}")
        self.plugin = plugin
        """Name of the plugin."""
        self.problem = problem
        """What it broke, in words."""


class InvalidTransition(ImpastoError):
    """A job was asked to go from one state to another that may not follow it."""
