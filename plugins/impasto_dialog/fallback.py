"""The last word: whatever nobody else took gets a hint, never silence."""

from __future__ import annotations

from collections.abc import Mapping

from aiogram import F, Router
from aiogram.types import CallbackQuery, Message
from aiogram.utils.callback_answer import CallbackAnswer

from impasto_dialog.flows import reopen_gallery
from impasto_dialog.memory import Step
from impasto_dialog.pictures import refusal
from impasto_dialog.talk import Talk


def build() -> Router:
    router = Router(name="dialog.fallback")
    router.message.register(hint_choose, F.text, Step.choosing_style)
    router.message.register(hint_style_picture, F.text, Step.awaiting_style_picture)
    router.message.register(hint_photo, F.text, Step.awaiting_photo)
    router.message.register(hint, F.text)
    router.message.register(refuse, is_refused)
    router.callback_query.register(old_button)
    return router


def is_refused(message: Message) -> Mapping[str, str] | bool:
    """Filter: gives the handler the `reason` why the message's contents cannot be used."""
    reason = refusal(message)
    return {"reason": reason} if reason else False


async def hint(message: Message, talk: Talk) -> None:
    await talk.say(talk.texts("hint"))


async def hint_choose(message: Message, talk: Talk) -> None:
    await talk.say(talk.texts("hint-choose"))


async def hint_style_picture(message: Message, talk: Talk) -> None:
    await talk.say(talk.texts("hint-style-picture"))


async def hint_photo(message: Message, talk: Talk) -> None:
    await talk.say(talk.texts("hint-photo"))


async def refuse(message: Message, talk: Talk, reason: str) -> None:
    await talk.say(talk.texts(reason))


async def old_button(query: CallbackQuery, talk: Talk, callback_answer: CallbackAnswer) -> None:
    """A button of a gallery that is no longer open, or of an older version of the bot; in a group
    also one of somebody else's."""
    if talk.in_group:
        callback_answer.text = talk.texts.plain("toast-not-yours")
        return
    callback_answer.text = talk.texts.plain("toast-old-button")
    await reopen_gallery(talk)
