"""/forget: everything that is kept of a person goes, once they have said that they mean it."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from aiogram.utils.callback_answer import CallbackAnswer

from impasto_dialog import keyboards
from impasto_dialog.callbacks import ForgetMe
from impasto_dialog.flows import close
from impasto_dialog.talk import Talk


def build() -> Router:
    """For private chats, where a button is tapped by nobody but whom it was shown to."""
    router = Router(name="dialog.forget")
    router.message.register(ask, Command("forget"))
    router.callback_query.register(decided, ForgetMe.filter())
    return router


async def ask(message: Message, talk: Talk) -> None:
    await talk.say(talk.texts("forget-question"), keyboards.forget(talk.texts))


async def decided(
    query: CallbackQuery, callback_data: ForgetMe, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    if query.message is not None:
        await talk.remove(query.message.message_id)
    if not callback_data.sure:
        callback_answer.text = talk.texts.plain("toast-not-forgotten")
        return
    await close(talk)
    await talk.job_service.forget(talk.person)
    await talk.say(talk.texts("forgotten"))
