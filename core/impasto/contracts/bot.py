"""What plugins of the bot return and are handed: styles, checks, words about jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from aiogram.types import InlineKeyboardMarkup

    from impasto.jobs.job import Job
    from impasto.messages import Progress

MAX_DOWNLOAD: Final = 20 * 1024 * 1024
"""Bytes of the largest file that a bot can fetch: https://core.telegram.org/bots/api#getfile"""
_PRESET_NAME: Final = re.compile("[a-z][a-z0-9_]{0,19}")
_COMMAND_NAME: Final = re.compile("[a-z0-9_]{1,32}")
"""https://core.telegram.org/bots/api#botcommand"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StylePreset:
    """A style picture that people can pick without uploading one.

    Attributes:
        name: stable key, `[a-z][a-z0-9_]{0,19}`: it travels in callback data.
        titles: language code to title; English (`en`) is required.
        picture: file of the style image.
        credit, licence: who made the picture and under which terms it may be used.
        emoji: shown before the title on buttons.
        order: lower comes earlier in the gallery; equal orders go by name.
        strength: multiplies the style weight: what this picture needs to look its best.
        brush_size: as in PaintOptions, for this picture.
    """

    name: str
    titles: dict[str, str]
    picture: Path
    credit: str
    licence: str
    emoji: str = "🎨"
    order: int = 100
    strength: float = 1.0
    brush_size: float = 1.0

    def __post_init__(self) -> None:
        """Raises ValueError for a name that cannot travel in callback data, or no English title."""
        if not _PRESET_NAME.fullmatch(self.name):
            raise ValueError(f"a style's name must match {_PRESET_NAME.pattern}, not {self.name!r}")
        if not self.titles.get("en"):
            raise ValueError(f"the style {self.name!r} has no English title (`en`)")

    def title(self, language: str) -> str:
        """The title in this language, else in English."""
        return self.titles.get(language) or self.titles["en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCommand:
    """A command that people find in the chat's menu and below /help.

    Attributes:
        name: without the slash, `[a-z0-9_]{1,32}`.
        descriptions: language code to what it does, at most 256 characters; English (`en`) is
            required.
        people: who sees it: `everyone` in the chat with the bot alone, `groups` in groups, `owners`
            those whom `telegram.admins` names. Who may use it is the handler's decision.
        order: lower comes earlier in the menu.
    """

    name: str
    descriptions: dict[str, str]
    people: Literal["everyone", "groups", "owners"] = "everyone"
    order: int = 100

    def __post_init__(self) -> None:
        """Raises ValueError for what Telegram does not take in a menu."""
        if not _COMMAND_NAME.fullmatch(self.name):
            pattern = _COMMAND_NAME.pattern
            raise ValueError(f"a command's name must match {pattern}, not {self.name!r}")
        if not self.descriptions.get("en"):
            raise ValueError(f"the command {self.name!r} has no English description (`en`)")
        for language, text in self.descriptions.items():
            if not 1 <= len(text) <= 256:
                raise ValueError(
                    f"/{self.name} is described by {len(text)} characters ({language})"
                )

    def description(self, language: str) -> str:
        """In this language, else in English."""
        return self.descriptions.get(language) or self.descriptions["en"]


Verdict = Literal["ok", "warning", "problem"]
"""Of a check: as it should be; works, but somebody should know; keeps the bot from starting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `impasto doctor`.

    Attributes:
        name: what was looked at, in a word or two; unique among all findings.
        verdict: `ok`, `warning`, or `problem`: the bot would not start, or not be of use.
        says: what was found, in a sentence.
        advice: what to do about it; empty where there is nothing to do.
    """

    name: str
    verdict: Verdict
    says: str
    advice: str = ""

    @classmethod
    def ok(cls, name: str, says: str) -> Finding:
        """As it should be."""
        return cls(name=name, verdict="ok", says=says)

    @classmethod
    def warning(cls, name: str, says: str, advice: str) -> Finding:
        """It works, but somebody should know."""
        return cls(name=name, verdict="warning", says=says, advice=advice)

    @classmethod
    def problem(cls, name: str, says: str, advice: str) -> Finding:
        """It keeps the bot from starting, or from being of use."""
        return cls(name=name, verdict="problem", says=says, advice=advice)


@dataclass(frozen=True, slots=True)
class Say:
    """What a message about a job says: HTML text (a caption where there is a picture, so at most
    1024 characters after parsing) and its buttons."""

    text: str
    """HTML."""
    keyboard: InlineKeyboardMarkup | None = field(default=None)
    """Inline buttons; None for no buttons."""


@runtime_checkable
class Presenter(Protocol):
    """The words and buttons of the messages about a job, in the job's language.

    Delivery decides when to say something, the presenter what it says.

    It may have more methods:

    - `introduce(bot: User) -> None`: who the bot is, before anything is said, and so whether inline
      mode is on (`supports_inline_queries`);
    - `moved(job: Job) -> Say`: what the message about a job says when other messages came after it
      and the picture was therefore sent below them;
    - `notice(code: str, language: str, facts: Mapping[str, str | int]) -> Say | None`: what is said
      about something other than a job, in the language of a person's app (`en`, `pt-br`). Where it
      returns None, or is not there, a plain English sentence is sent.

    Codes of notices:

    - `not_allowed`: the bot does not work for this person;
    - `handler_failed`: what this person sent met a bug;
    - `no_room`: the disk or Redis is full, or the machine fails otherwise;
    - those of `impasto.errors.ChatError`, with its facts;
    - for owners, whose language is not known, `disk_full` and `machine_fails` (fact `why`),
      `plugin_fails` (`plugin`, `why`) and `painter_keeps_dying` (`count`, `minutes`, `why`).
    """

    name: str
    """What messages about it name."""
    order: int
    """The presenter of the lowest is used."""

    def waiting(self, job: Job, ahead: int, seconds: float | None) -> Say:
        """The job is accepted; `ahead` jobs are to be painted before it, and it may be finished in
        `seconds`, which is None as long as nothing is known about this machine's speed."""
        ...

    def painting(self, job: Job, progress: Progress) -> Say:
        """Painting goes on: below the preview, or where there is none yet."""
        ...

    def painted(self, job: Job) -> Say:
        """Caption and buttons of the finished picture."""
        ...

    def ready(self, job: Job) -> Say:
        """A short message that notifies: edits of a message do not."""
        ...

    def failed(self, job: Job) -> Say:
        """Why there is no picture (`job.failure`) and what to do next."""
        ...

    def cancelled(self, job: Job) -> Say:
        """The person has stopped it."""
        ...


@runtime_checkable
class NoticePresenter(Protocol):
    """A presenter with the method `notice`, which `Presenter` describes."""

    def notice(self, code: str, language: str, facts: Mapping[str, str | int]) -> Say | None: ...
