"""What a message of the bot says about a job, told by its buttons: they carry the job's id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiogram.filters.callback_data import CallbackData
from aiogram.types import Message

from impasto_dialog import keyboards
from impasto_dialog.texts import LANGUAGES

READY = frozenset(texts("ready") for texts in LANGUAGES.values())
FAILED = LANGUAGES["en"]("failed", reason="").strip()
"""How a failure begins, in every language."""


def prefix(button: type[CallbackData]) -> str:
    """What the data of such buttons begin with."""
    return button.__prefix__ + button.__separator__


STYLE = prefix(keyboards.PickStyle)
OWN_STYLE = prefix(keyboards.PickOwnStyle)
OPTIONS = prefix(keyboards.ShowOptions)
CHOICE = prefix(keyboards.OpenChoice)
LOOK = prefix(keyboards.SetLook)
STOP = prefix(keyboards.StopJob)
FINISH = prefix(keyboards.FinishJob)
FILE = prefix(keyboards.SendFile)
_OF_JOBS = tuple(
    prefix(button)
    for button in (
        keyboards.StopJob,
        keyboards.FinishJob,
        keyboards.AnotherStyle,
        keyboards.RepeatJob,
        keyboards.UseAsStyle,
        keyboards.SendFile,
    )
)


class About(StrEnum):
    """What a message shows of its job."""

    WAITING = "waiting"
    PAINTING = "painting"
    RESULT = "result"
    END = "end"
    """Cancelled or failed."""


@dataclass(frozen=True, slots=True)
class JobNews:
    """A job's message."""

    job: str
    about: About


def news_in(keyboard: Iterable[str]) -> JobNews | None:
    """What buttons with these data say; None where they belong to no job, or to several."""
    data = [item for item in keyboard if item.startswith(_OF_JOBS)]
    jobs = {item.split(":")[1] for item in data}
    if len(jobs) != 1:
        return None
    return JobNews(jobs.pop(), _about(data))


def _about(data: list[str]) -> About:
    for marks, about in ((FILE, About.RESULT), (FINISH, About.PAINTING), (STOP, About.WAITING)):
        if any(item.startswith(marks) for item in data):
            return about
    return About.END


def buttons_of(message: Message) -> list[str]:
    """The data of a message's inline buttons."""
    if message.reply_markup is None:
        return []
    rows = message.reply_markup.inline_keyboard
    return [button.callback_data or "" for row in rows for button in row]


def buttons_in(fields: dict[str, Any]) -> list[str]:
    """The same of a call's fields."""
    rows = (fields.get("reply_markup") or {}).get("inline_keyboard") or []
    return [button.get("callback_data") or "" for row in rows for button in row]


def news_of(message: Message) -> JobNews | None:
    """What a message shows of a job."""
    return news_in(buttons_of(message))


def is_ready(result: Message, messages: Iterable[Message]) -> bool:
    """Whether the person was notified of the picture in the message `result` of these: by a text
    after it or, where the job's message was out of view, by this message itself, which replies to
    that one. The text replies to the picture, unless all that was known of the job could not be
    read any more."""
    before = result.reply_to_message
    if before is not None and before.from_user is not None and before.from_user.is_bot:
        return True
    return any(
        message.text in READY
        and message.message_id > result.message_id
        and (message.reply_to_message is None or _replied_to(message) == result.message_id)
        for message in messages
    )


def _replied_to(message: Message) -> int | None:
    """Id of the message that this one replies to."""
    return message.reply_to_message.message_id if message.reply_to_message else None
