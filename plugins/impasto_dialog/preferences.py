"""What a person prefers for all their pictures: how they are painted, and the bot's language."""

from __future__ import annotations

from aiogram.types import CallbackQuery, Message

from impasto.telegram.retry import REFUSALS, Done, overlooked
from impasto_dialog import keyboards
from impasto_dialog.commands import set_menu_of
from impasto_dialog.gallery import options_keyboard
from impasto_dialog.keyboards import ChooseLanguage, SetLook
from impasto_dialog.talk import Talk, kept_preferences
from impasto_dialog.texts import LANGUAGES


async def settings(message: Message, talk: Talk) -> None:
    await talk.say("choose-options", await options_keyboard(talk, talk.look, turn=""))


async def set_look(query: CallbackQuery, callback_data: SetLook, talk: Talk) -> None:
    """Keeps the choice and marks it on the keyboard it was made on."""
    known = await kept_preferences(talk.preferences)
    look = known.look.with_choice(callback_data.choice)
    await talk.prefer(look=look)
    talk.toast("toast-kept")
    if not isinstance(query.message, Message):
        return
    keyboard = await options_keyboard(talk, look, callback_data.turn)
    # The same choice again changes nothing.
    with overlooked("options_not_marked", Done, *REFUSALS):
        await query.message.edit_reply_markup(reply_markup=keyboard)


async def ask_language(message: Message, talk: Talk) -> None:
    await talk.say("choose-language", keyboards.languages(talk.texts))


async def set_language(query: CallbackQuery, callback_data: ChooseLanguage, talk: Talk) -> None:
    """Keeps the language and answers in it; the command menu of this chat follows."""
    texts = LANGUAGES.get(callback_data.code)
    if texts is None:
        await talk.say("choose-language", keyboards.languages(talk.texts))
        return
    await talk.prefer(language=texts.language)
    if query.message is not None:
        await talk.remove(query.message.message_id)
    await talk.send(texts("language-chosen"), keyboards.styles_only(texts))
    await set_menu_of(talk, texts)
