"""Choosing styles by the buttons of the gallery, until the job is accepted."""

from __future__ import annotations

import html
from collections.abc import Sequence

from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from impasto.errors import TooManyJobs
from impasto.jobs.job import ChosenStyle, TelegramPicture
from impasto_dialog import keyboards
from impasto_dialog.gallery import (
    close,
    edit_options,
    open_gallery,
    refresh_gallery,
    reopen_gallery,
    turn_page,
)
from impasto_dialog.keyboards import OfGallery, PickStyle, ShowOptions, TurnPage
from impasto_dialog.looks import Look, paint_options
from impasto_dialog.talk import Memory, Step, Talk, new_turn, possible, recall
from impasto_dialog.texts import preset_label, refusal, styles_label


async def is_current(query: CallbackQuery, callback_data: OfGallery, state: FSMContext) -> bool:
    """Filter: the button belongs to what is open now, and to the person who taps it."""
    is_open = await state.get_state() is not None
    return is_open and (await recall(state)).turn == callback_data.turn


async def was_accepted(query: CallbackQuery, callback_data: OfGallery, state: FSMContext) -> bool:
    """Filter: a tap on this button's gallery has become a job already."""
    return (await recall(state)).accepted_turn == callback_data.turn


async def pick(query: CallbackQuery, callback_data: PickStyle, talk: Talk) -> None:
    preset = talk.job_service.preset(callback_data.preset)
    if preset is None:
        talk.toast("failure-style_gone")
        await reopen_gallery(talk)
        return
    memory = await recall(talk.state)
    style = ChosenStyle(preset=preset.name)
    if style in memory.styles and not (memory.content and memory.is_complete):
        asks_for_photo = memory.is_complete
        toast = "toast-chosen" if asks_for_photo else "toast-chosen-first"
        talk.toast(toast, style=preset_label(preset, talk.texts))
        return
    await choose(talk, memory, style)


async def tapped_again(query: CallbackQuery, talk: Talk) -> None:
    talk.toast("toast-already-painting")


async def pick_own(query: CallbackQuery, talk: Talk) -> None:
    memory = await recall(talk.state)
    memory.album = None  # what comes next is a choice, not the rest of an album
    await talk.remember(memory, Step.awaiting_style_picture)
    question = "send-style-picture" if memory.content else "own-style-first"
    await talk.say(question, keyboards.waiting_for_picture(talk.texts, memory.turn))


async def mix(query: CallbackQuery, talk: Talk) -> None:
    """Two styles instead of one, or one instead of two; what was chosen so far is forgotten."""
    memory = await recall(talk.state)
    wanted = 1 if memory.wanted == 2 else 2
    memory = memory.model_copy(update={"wanted": wanted, "styles": ()})
    await talk.remember(memory, Step.choosing_style)
    await refresh_gallery(talk, memory)


async def show_page(query: CallbackQuery, callback_data: TurnPage, talk: Talk) -> None:
    await talk.state.update_data(page=callback_data.page)
    await turn_page(talk, await recall(talk.state))


async def show_options(query: CallbackQuery, callback_data: ShowOptions, talk: Talk) -> None:
    """The options in the place of the gallery's buttons, or those again."""
    if callback_data.shown:
        talk.own_sheets.stop(talk)  # with it the buttons of the styles would come back
        await edit_options(query, talk, talk.look, turn=callback_data.turn)
    else:
        await refresh_gallery(talk, await recall(talk.state))


async def retry(query: CallbackQuery, talk: Talk) -> None:
    memory = await recall(talk.state)
    if memory.content is None or not memory.styles:
        await reopen_gallery(talk)
    elif await begin(talk, memory, memory.content) and query.message:
        await talk.remove(query.message.message_id)


async def cancel(query: CallbackQuery, talk: Talk) -> None:
    talk.toast("toast-cancelled")
    await close(talk)
    if not talk.in_group:
        await talk.say("cancelled-dialog")


async def nothing_to_cancel(query: CallbackQuery, talk: Talk) -> None:
    talk.toast("toast-not-open")


async def show_styles(event: Message | CallbackQuery, talk: Talk) -> None:
    """/styles, and its button."""
    await reopen_gallery(talk)


async def choose(talk: Talk, memory: Memory, style: ChosenStyle) -> None:
    """One more style is chosen: asks for the second of a mix, starts painting if the photo is here,
    or asks for it."""
    earlier = () if memory.is_complete else memory.styles
    memory = memory.model_copy(update={"styles": (*earlier, style)})
    if not memory.is_complete:
        await _ask_for_second(talk, memory)
    elif memory.content is not None:
        await begin(talk, memory, memory.content)
    else:
        await _ask_for_photo(talk, memory)


async def _ask_for_second(talk: Talk, memory: Memory) -> None:
    if memory.styles[0].preset is None:  # the picture came below the gallery
        await open_gallery(talk, memory)
    else:
        await talk.remember(memory, Step.choosing_style)
        await refresh_gallery(talk, memory)


async def _ask_for_photo(talk: Talk, memory: Memory) -> None:
    """The styles are chosen; the next photo will be painted in them."""
    memory = memory.model_copy(update={"turn": memory.turn or new_turn()})
    await talk.remember(memory, Step.awaiting_photo)
    keyboard = keyboards.waiting_for_picture(talk.texts, memory.turn)
    if any(style.preset for style in memory.styles):
        label = styles_label(memory.styles, talk.job_service.presets, talk.texts)
        await talk.say("send-photo-for-style", keyboard, style=label)
    else:
        await talk.say("send-photo-for-own-style", keyboard)


async def begin(
    talk: Talk, memory: Memory, content: TelegramPicture, *, whole_album: bool = False
) -> bool:
    """Has the photo painted in the styles of `memory`, with `whole_album` also what follows of its
    album. On success the conversation is over and the job's own messages take over; when no more
    jobs are accepted now, photo and styles are kept for another try."""
    talk.albums.stop(talk.chat)
    talk.own_sheets.stop(talk)
    refused = await accept(talk, content, memory.styles, talk.look, memory.reply_to)
    if refused is not None:
        turn = memory.turn or new_turn()
        kept = Memory(
            turn=turn,
            content=content,
            styles=memory.styles,
            wanted=len(memory.styles),
            gallery=memory.gallery,
            reply_to=memory.reply_to,
            album=memory.album,
        )
        await talk.remember(kept, Step.choosing_style)
        await talk.send(html.escape(refused), keyboards.too_many(talk.texts, turn))
        return False
    rest = Memory(
        accepted_turn=memory.turn,
        album=memory.album,
        album_styles=memory.styles if whole_album else (),
    )
    await talk.remember(rest, None, photo=content)
    await talk.remove(memory.gallery)
    return True


async def accept(
    talk: Talk,
    content: TelegramPicture,
    styles: Sequence[ChosenStyle],
    look: Look,
    reply_to: int | None = None,
) -> str | None:
    """Hands the job to the job service; returns why it is not accepted, in plain text, if so."""
    presets = [
        preset for style in styles if (preset := talk.job_service.preset(style.preset or ""))
    ]
    look = await possible(look, talk.job_service)
    pixel_cap = await talk.job_service.estimates.pixel_cap()
    try:
        await talk.job_service.accept(
            person=talk.person,
            chat=talk.chat,
            language=talk.texts.language,
            content=content,
            styles=styles,
            options=paint_options(look, presets, talk.painting, pixel_cap, content.pixels),
            wishes=look.model_dump(mode="json"),
            reply_to=reply_to,
            thread=talk.thread,
        )
    except TooManyJobs as error:
        return refusal(error.code, error.facts, talk.texts) or str(error)
    return None
