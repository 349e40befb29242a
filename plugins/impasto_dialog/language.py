"""/language: another language than that of the person's app."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from impasto_dialog import keyboards
from impasto_dialog.callbacks import ChooseLanguage
from impasto_dialog.menu import set_menu_of
from impasto_dialog.talk import Talk
from impasto_dialog.texts import LANGUAGES


def build() -> Router:
    router = Router(name="dialog.language")
    router.message.register(ask, Command("language"))
    router.callback_query.register(choose, ChooseLanguage.filter())
    return router


async def ask(message: Message, talk: Talk) -> None:
    await _ask(talk)


async def choose(query: CallbackQuery, callback_data: ChooseLanguage, talk: Talk) -> None:
    """Keeps the language and speaks it; the command menu of this chat follows."""
    texts = LANGUAGES.get(callback_data.code)
    if texts is None:
        await _ask(talk)
        return
    known = await talk.preferences.load()
    await talk.preferences.save(known.model_copy(update={"language": texts.language}))
    if query.message is not None:
        await talk.remove(query.message.message_id)
    await talk.say(texts("language-chosen"), keyboards.styles_only(texts))
    await set_menu_of(talk.chat, texts, talk.bot, is_owner=talk.is_owner)


async def _ask(talk: Talk) -> None:
    await talk.say(talk.texts("choose-language"), keyboards.languages(talk.texts))
