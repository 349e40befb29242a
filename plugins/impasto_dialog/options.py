"""Strength, brush, colors and size: under the gallery and by /settings, kept for the person."""

from __future__ import annotations

import dataclasses

import structlog
from aiogram import Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from aiogram.utils.callback_answer import CallbackAnswer

from impasto_dialog import keyboards
from impasto_dialog.callbacks import SetLook, ShowOptions
from impasto_dialog.gallery_message import refresh_gallery
from impasto_dialog.looks import Choice
from impasto_dialog.memory import recall
from impasto_dialog.style import is_current
from impasto_dialog.talk import Talk

log = structlog.get_logger(__name__)

CHOICES: dict[str, Choice] = {choice.value: choice for row in keyboards.OFFERED for choice in row}


def build() -> Router:
    router = Router(name="dialog.options")
    router.message.register(settings, Command("settings"))
    router.callback_query.register(show, ShowOptions.filter(), is_current)
    router.callback_query.register(choose, SetLook.filter())
    return router


async def settings(message: Message, talk: Talk) -> None:
    offers_fine = await talk.job_service.estimates.offers_fine()
    keyboard = keyboards.options(talk.texts, talk.look, turn="", offers_fine=offers_fine)
    await talk.say(talk.texts("choose-options"), keyboard)


async def show(query: CallbackQuery, callback_data: ShowOptions, talk: Talk) -> None:
    memory = await recall(talk.state)
    await refresh_gallery(talk, memory, options_shown=callback_data.shown)


async def choose(
    query: CallbackQuery, callback_data: SetLook, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    """Keeps the choice and marks it on the keyboard it was made on."""
    choice = CHOICES.get(callback_data.choice)
    if choice is None:
        callback_answer.text = talk.texts.plain("toast-not-open")
        return
    known = await talk.preferences.load()
    look = known.look.with_choice(choice)
    await talk.preferences.save(known.model_copy(update={"look": look}))
    callback_answer.text = talk.texts.plain("toast-kept")
    await _mark(query, dataclasses.replace(talk, look=look), callback_data.turn)


async def _mark(query: CallbackQuery, talk: Talk, turn: str) -> None:
    if not isinstance(query.message, Message):
        return
    offers_fine = await talk.job_service.estimates.offers_fine()
    keyboard = keyboards.options(talk.texts, talk.look, turn, offers_fine=offers_fine)
    try:
        await query.message.edit_reply_markup(reply_markup=keyboard)
    except TelegramBadRequest as error:  # the same choice again: nothing changes
        log.debug("options_not_marked", error=error.message)
