"""/language: another language than that of the person's app."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import BotCommandScopeChat, CallbackQuery, Message

from impasto_dialog import keyboards
from impasto_dialog.callbacks import ChooseLanguage
from impasto_dialog.menu import private_commands, set_menu
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
    await set_menu(talk.bot, private_commands(texts), BotCommandScopeChat(chat_id=talk.chat))


async def _ask(talk: Talk) -> None:
    await talk.say(talk.texts("choose-language"), keyboards.languages(talk.texts))
