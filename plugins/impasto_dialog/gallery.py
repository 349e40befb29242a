"""The gallery: the message that shows the styles, opened, changed in place and closed; and the
options, below it or in a message of their own."""

from __future__ import annotations

import functools

from aiogram.enums import ParseMode
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
    ReplyParameters,
)

from impasto.jobs.job import TelegramPicture
from impasto.telegram.retry import REFUSALS, Done, overlooked
from impasto_dialog import keyboards
from impasto_dialog.contact_sheet import Sheet, page_of
from impasto_dialog.looks import Look
from impasto_dialog.talk import Memory, Step, Talk, new_turn, recall
from impasto_dialog.texts import look_label, styles_label


async def open_gallery(talk: Talk, memory: Memory) -> None:
    """Shows the styles below everything else; buttons of an earlier gallery are void from now on.

    `memory` says what is chosen so far.
    """
    await talk.remove(memory.gallery)
    memory = memory.model_copy(update={"turn": new_turn(), "gallery": None})
    await talk.remember(memory, Step.choosing_style)
    await show_gallery(talk, memory)


async def open_gallery_for(
    talk: Talk, content: TelegramPicture, question: str, reply_to: int | None = None
) -> None:
    """Shows the styles for a photo; whatever was open before is forgotten."""
    gallery = (await recall(talk.state)).gallery
    memory = Memory(content=content, question=question, gallery=gallery, reply_to=reply_to)
    await open_gallery(talk, memory)


async def reopen_gallery(talk: Talk) -> None:
    """Shows the styles and keeps the photo, if one is waiting for its style."""
    memory = await recall(talk.state)
    is_open = await talk.state.get_state() is not None
    content = memory.content if is_open else None
    question = "choose-style" if content else "choose-style-first"
    await open_gallery(talk, Memory(content=content, question=question, gallery=memory.gallery))


async def show_gallery(talk: Talk, memory: Memory) -> None:
    """Sends the gallery that `memory` is about, and remembers its message."""
    shown = await _send_gallery(talk, memory)
    now = await recall(talk.state)
    if now.turn != memory.turn:  # the second picture of an album came in between
        await talk.remove(shown.message_id)
        return
    await talk.state.update_data(gallery=shown.message_id)
    talk.own_sheets.follow(talk, now.model_copy(update={"gallery": shown.message_id}))


async def close(talk: Talk) -> bool:
    """Forgets what was chosen; returns whether anything was."""
    talk.albums.stop(talk.chat)
    talk.own_sheets.stop(talk)
    was_open = await talk.state.get_state() is not None
    memory = await recall(talk.state)
    await talk.remember(Memory(), None)
    await talk.remove(memory.gallery)
    return was_open


async def refresh_gallery(talk: Talk, memory: Memory) -> None:
    """Brings the caption and the buttons of the open gallery up to date."""
    if memory.gallery is None or not talk.job_service.presets:
        return
    # It may be deleted by the person, or a button tapped twice.
    with overlooked("gallery_not_changed", Done, *REFUSALS, chat=talk.chat):
        await talk.bot.edit_message_caption(
            chat_id=talk.chat,
            message_id=memory.gallery,
            caption=_caption(talk, memory),
            reply_markup=_keyboard(talk, memory),
            parse_mode=ParseMode.HTML,
        )
    talk.own_sheets.follow(talk, memory)


async def turn_page(talk: Talk, memory: Memory) -> None:
    """Shows the page that `memory` says in the open gallery."""
    page = page_of(talk.job_service.presets, memory.page)
    edit = functools.partial(edit_gallery, talk, memory)
    talk.own_sheets.stop(talk)
    with overlooked("gallery_not_changed", Done, *REFUSALS, chat=talk.chat):
        if await talk.own_sheets.show_known(talk, memory, edit) is None:
            await talk.sheets.show(page, talk.texts.language, edit)
    talk.own_sheets.follow(talk, memory)


async def edit_gallery(talk: Talk, memory: Memory, sheet: Sheet) -> Message | bool:
    """Puts another picture into the open gallery, with the caption and the buttons it has now."""
    media = InputMediaPhoto(media=sheet, caption=_caption(talk, memory), parse_mode=ParseMode.HTML)
    return await talk.bot.edit_message_media(
        media,
        chat_id=talk.chat,
        message_id=memory.gallery,
        reply_markup=_keyboard(talk, memory),
    )


async def _send_gallery(talk: Talk, memory: Memory) -> Message:
    """Where there are no presets, a text that asks for a style picture."""
    page = page_of(talk.job_service.presets, memory.page)
    keyboard = _keyboard(talk, memory)
    if not page.presets:
        return await talk.say("no-presets", keyboard)
    send = functools.partial(
        talk.bot.send_photo,
        talk.chat,
        message_thread_id=talk.thread,
        caption=_caption(talk, memory),
        reply_markup=keyboard,
        parse_mode=ParseMode.HTML,
        reply_parameters=_reply_to(memory),
    )
    known = await talk.own_sheets.show_known(talk, memory, send)
    return known or await talk.sheets.show(page, talk.texts.language, send)


def _keyboard(talk: Talk, memory: Memory) -> InlineKeyboardMarkup:
    return keyboards.gallery(
        page_of(talk.job_service.presets, memory.page),
        talk.texts,
        memory.turn,
        is_mix=memory.wanted > 1,
        in_group=talk.in_group,
    )


def _caption(talk: Talk, memory: Memory) -> str:
    """The question, and the options as far as they are unusual."""
    look = look_label(talk.look, talk.texts)
    lines = [talk.texts("gallery-look", look=look)] if look and not talk.in_group else []
    return "\n".join([_question(talk, memory), *lines])


def _question(talk: Talk, memory: Memory) -> str:
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
