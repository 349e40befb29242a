"""The options below the gallery, or in a message of their own: what is chosen, and what can be."""

from __future__ import annotations

from aiogram.enums import ParseMode
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message

from impasto.telegram.retry import REFUSALS, Done, overlooked
from impasto_dialog import keyboards
from impasto_dialog.looks import Look
from impasto_dialog.talk import Talk


async def options(
    talk: Talk, look: Look, kind: str = "", turn: str = ""
) -> tuple[str, InlineKeyboardMarkup]:
    """Words (HTML) and buttons: of all kinds of choices, or of one `kind` of `keyboards.OFFERED`;
    with the `turn` of the gallery that they are shown under."""
    offers_fine = await talk.job_service.estimates.offers_fine()
    look = look.within(offers_fine=offers_fine)
    if kind not in keyboards.OFFERED:
        return talk.texts("choose-options"), keyboards.options(talk.texts, look, turn)
    keyboard = keyboards.choices(talk.texts, look, kind, turn, offers_fine=offers_fine)
    return talk.texts(f"choose-{kind}"), keyboard


async def edit_options(
    query: CallbackQuery, talk: Talk, look: Look, kind: str = "", turn: str = ""
) -> None:
    """Shows them in the message whose button was tapped."""
    message = query.message
    if not isinstance(message, Message):
        return
    words, keyboard = await options(talk, look, kind, turn)
    # The same choice again changes nothing.
    with overlooked("options_not_shown", Done, *REFUSALS):
        if message.photo:
            await message.edit_caption(
                caption=words, reply_markup=keyboard, parse_mode=ParseMode.HTML
            )
        else:
            await message.edit_text(text=words, reply_markup=keyboard, parse_mode=ParseMode.HTML)
