"""Choosing styles: the buttons of the gallery, and presets written by name or number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.callback_answer import CallbackAnswer

from impasto import StylePreset
from impasto.jobs.job import ChosenStyle
from impasto_dialog.callbacks import (
    CloseDialog,
    MixStyles,
    OfGallery,
    OpenGallery,
    PickOwnStyle,
    PickStyle,
    Retry,
    TurnPage,
)
from impasto_dialog.flows import begin, choose, close, reopen_gallery
from impasto_dialog.gallery_message import refresh_gallery, turn_page
from impasto_dialog.keyboards import waiting_for_picture
from impasto_dialog.memory import Memory, Step, recall, remember
from impasto_dialog.naming import named_preset, numbered_preset
from impasto_dialog.talk import Talk
from impasto_dialog.wording import preset_label

if TYPE_CHECKING:
    from impasto.jobs.service import JobService


def build() -> Router:
    """The buttons of the gallery."""
    router = Router(name="dialog.style")
    for handler, button in (
        (pick, PickStyle),
        (pick_own, PickOwnStyle),
        (mix, MixStyles),
        (show_page, TurnPage),
        (retry, Retry),
        (cancel, CloseDialog),
    ):
        router.callback_query.register(handler, button.filter(), is_current)
    router.callback_query.register(tapped_again, PickStyle.filter(), was_accepted)
    return router


def build_private() -> Router:
    """What names no gallery: only in private chats is it clear who is meant."""
    router = Router(name="dialog.style.private")
    router.callback_query.register(nothing_to_cancel, CloseDialog.filter())
    router.callback_query.register(show_gallery, OpenGallery.filter())
    router.message.register(written, F.text, ~F.text.startswith("/"), style_in_text)
    return router


async def is_current(query: CallbackQuery, callback_data: OfGallery, state: FSMContext) -> bool:
    """Filter: the button belongs to what is open now, and to who taps it."""
    is_open = await state.get_state() is not None
    return is_open and (await recall(state)).turn == callback_data.turn


async def was_accepted(query: CallbackQuery, callback_data: OfGallery, state: FSMContext) -> bool:
    """Filter: a tap on this button's gallery has become a job already."""
    return (await recall(state)).accepted_turn == callback_data.turn


def style_in_text(message: Message, job_service: JobService) -> Mapping[str, StylePreset] | bool:
    """Filter: gives the handler the `preset` that the text names, or whose number it is."""
    text = message.text or ""
    preset = numbered_preset(text, job_service.presets) or named_preset(text, job_service.presets)
    return {"preset": preset} if preset else False


async def pick(
    query: CallbackQuery, callback_data: PickStyle, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    preset = talk.job_service.preset(callback_data.preset)
    if preset is None:
        callback_answer.text = talk.texts.plain("failure-style_gone")
        await reopen_gallery(talk)
        return
    memory = await recall(talk.state)
    style = ChosenStyle(preset=preset.name)
    if style in memory.styles and not (memory.content and memory.is_complete):
        asks_for_photo = memory.is_complete
        label = preset_label(preset, talk.texts)
        toast = "toast-chosen" if asks_for_photo else "toast-chosen-first"
        callback_answer.text = talk.texts.plain(toast, style=label)
        return
    await choose(talk, memory, style)


async def tapped_again(query: CallbackQuery, talk: Talk, callback_answer: CallbackAnswer) -> None:
    callback_answer.text = talk.texts.plain("toast-already-painting")


async def pick_own(query: CallbackQuery, talk: Talk) -> None:
    memory = await recall(talk.state)
    texts = talk.texts
    memory.album = None  # what comes next is a choice, not the rest of an album
    await remember(talk.state, memory, Step.awaiting_style_picture)
    question = texts("send-style-picture") if memory.content else texts("own-style-first")
    await talk.say(question, waiting_for_picture(texts, memory.turn))


async def mix(query: CallbackQuery, talk: Talk) -> None:
    """Two styles instead of one, or one after all; what was chosen so far is chosen anew."""
    memory = await recall(talk.state)
    memory = memory.model_copy(update={"wanted": 3 - memory.wanted, "styles": ()})
    await remember(talk.state, memory, Step.choosing_style)
    await refresh_gallery(talk, memory)


async def show_page(query: CallbackQuery, callback_data: TurnPage, talk: Talk) -> None:
    await talk.state.update_data(page=callback_data.page)
    await turn_page(talk, await recall(talk.state))


async def retry(query: CallbackQuery, talk: Talk) -> None:
    memory = await recall(talk.state)
    if memory.content is None or not memory.styles:
        await reopen_gallery(talk)
    elif await begin(talk, memory, memory.content, memory.styles) and query.message:
        await talk.remove(query.message.message_id)


async def cancel(query: CallbackQuery, talk: Talk, callback_answer: CallbackAnswer) -> None:
    callback_answer.text = talk.texts.plain("toast-cancelled")
    await close(talk)
    if not talk.in_group:
        await talk.say(talk.texts("cancelled-dialog"))


async def nothing_to_cancel(
    query: CallbackQuery, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    callback_answer.text = talk.texts.plain("toast-not-open")


async def show_gallery(query: CallbackQuery, talk: Talk) -> None:
    await reopen_gallery(talk)


async def written(message: Message, talk: Talk, preset: StylePreset) -> None:
    is_open = await talk.state.get_state() is not None
    memory = await recall(talk.state) if is_open else Memory()
    await choose(talk, memory, ChosenStyle(preset=preset.name))
