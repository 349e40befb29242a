"""What a person prefers for all their pictures: how they are painted, and the bot's language."""

from __future__ import annotations

from aiogram.types import CallbackQuery, Message

from impasto_dialog import keyboards
from impasto_dialog.commands import set_menu_of
from impasto_dialog.keyboards import ChooseLanguage, OpenChoice, SetLook
from impasto_dialog.options import edit_options, options
from impasto_dialog.talk import Talk, kept_preferences
from impasto_dialog.texts import LANGUAGES


async def settings(message: Message, talk: Talk) -> None:
    await talk.send(*await options(talk, talk.look))


async def open_choice(query: CallbackQuery, callback_data: OpenChoice, talk: Talk) -> None:
    await edit_options(query, talk, talk.look, callback_data.kind, callback_data.turn)


async def set_look(query: CallbackQuery, callback_data: SetLook, talk: Talk) -> None:
    """Keeps the choice and shows all of them again."""
    known = await kept_preferences(talk.preferences)
    look = known.look.with_choice(callback_data.choice)
    await talk.prefer(look=look)
    talk.toast("toast-kept")
    await edit_options(query, talk, look, turn=callback_data.turn)


async def ask_language(message: Message, talk: Talk) -> None:
    await talk.say("choose-language", keyboards.languages(talk.texts))


async def set_language(query: CallbackQuery, callback_data: ChooseLanguage, talk: Talk) -> None:
    """Keeps the language and answers in it; the command menu of this chat follows."""
    texts = LANGUAGES.get(callback_data.code)
    if texts is None:
        await talk.say("choose-language", keyboards.languages(talk.texts))
        return
    await talk.prefer(language=texts.language)
    await talk.job_service.speak(talk.person, texts.language)
    if query.message is not None:
        await talk.remove(query.message.message_id)
    await talk.send(texts("language-chosen"), keyboards.styles_only(texts))
    await set_menu_of(talk, texts)
