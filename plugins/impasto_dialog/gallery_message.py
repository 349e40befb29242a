"""The message that shows the gallery: sent, and changed in place."""

from __future__ import annotations

import functools

import structlog
from aiogram.enums import ParseMode
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import InlineKeyboardMarkup, InputMediaPhoto, Message, ReplyParameters

from impasto_dialog import keyboards
from impasto_dialog.gallery import Sheet, page_of
from impasto_dialog.memory import Memory
from impasto_dialog.talk import Talk
from impasto_dialog.wording import styles_label

log = structlog.get_logger(__name__)


async def send_gallery(talk: Talk, memory: Memory) -> Message:
    """A new gallery; where there are no presets, a text that asks for a style picture."""
    page = page_of(talk.job_service.presets, memory.page)
    keyboard = _keyboard(talk, memory)
    if not page.presets:
        return await talk.say(talk.texts("no-presets"), keyboard)
    send = functools.partial(
        talk.bot.send_photo,
        talk.chat,
        caption=_caption(talk, memory),
        reply_markup=keyboard,
        parse_mode=ParseMode.HTML,
        reply_parameters=_reply_to(memory),
    )
    return await talk.shared.sheets.show(page, talk.texts.language, send)


async def refresh_gallery(talk: Talk, memory: Memory, *, options_shown: bool = False) -> None:
    """The open gallery's words and buttons as they are to be now."""
    if memory.gallery is None or not talk.job_service.presets:
        return
    if options_shown:
        offers_fine = await talk.job_service.estimates.offers_fine()
        keyboard = keyboards.options(talk.texts, talk.look, memory.turn, offers_fine=offers_fine)
        text = talk.texts("choose-options")
    else:
        keyboard, text = _keyboard(talk, memory), _caption(talk, memory)
    try:
        await talk.bot.edit_message_caption(
            chat_id=talk.chat,
            message_id=memory.gallery,
            caption=text,
            reply_markup=keyboard,
            parse_mode=ParseMode.HTML,
        )
    except TelegramBadRequest as error:  # deleted by the person, or tapped twice
        log.debug("gallery_not_changed", chat=talk.chat, error=error.message)


async def turn_page(talk: Talk, memory: Memory) -> None:
    """Shows the page that `memory` says in the open gallery."""
    page = page_of(talk.job_service.presets, memory.page)
    keyboard = _keyboard(talk, memory)

    async def edit(sheet: Sheet) -> Message | bool:
        media = InputMediaPhoto(
            media=sheet, caption=_caption(talk, memory), parse_mode=ParseMode.HTML
        )
        return await talk.bot.edit_message_media(
            media, chat_id=talk.chat, message_id=memory.gallery, reply_markup=keyboard
        )

    try:
        await talk.shared.sheets.show(page, talk.texts.language, edit)
    except TelegramBadRequest as error:
        log.debug("gallery_not_changed", chat=talk.chat, error=error.message)


def _keyboard(talk: Talk, memory: Memory) -> InlineKeyboardMarkup:
    return keyboards.gallery(
        page_of(talk.job_service.presets, memory.page),
        talk.texts,
        memory.turn,
        look=talk.look,
        is_mix=memory.wanted > 1,
        in_group=talk.in_group,
    )


def _caption(talk: Talk, memory: Memory) -> str:
    if memory.wanted == 1:
        return talk.texts(memory.question, name=talk.name)
    if not memory.styles:
        return talk.texts("choose-first-of-two")
    label = styles_label(memory.styles, talk.job_service.presets, talk.texts)
    return talk.texts("choose-second-of-two", style=label)


def _reply_to(memory: Memory) -> ReplyParameters | None:
    if memory.reply_to is None:
        return None
    return ReplyParameters(message_id=memory.reply_to, allow_sending_without_reply=True)
