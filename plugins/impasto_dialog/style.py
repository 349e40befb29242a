"""Choosing a style: the buttons of the gallery, and presets written by name or number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.callback_answer import CallbackAnswer

from impasto import StylePreset
from impasto.jobs.job import ChosenStyle
from impasto_dialog import keyboards
from impasto_dialog.callbacks import CloseDialog, OpenGallery, PickOwnStyle, PickStyle, Retry
from impasto_dialog.flows import begin, choose_preset, close, reopen_gallery
from impasto_dialog.memory import Memory, Step, recall, remember
from impasto_dialog.naming import named_preset, numbered_preset
from impasto_dialog.talk import Talk

if TYPE_CHECKING:
    from impasto.jobs.studio import Studio


def build() -> Router:
    router = Router(name="dialog.style")
    for handler, button in (
        (pick, PickStyle),
        (pick_own, PickOwnStyle),
        (retry, Retry),
        (cancel, CloseDialog),
    ):
        router.callback_query.register(handler, button.filter(), is_current)
    router.callback_query.register(tapped_again, PickStyle.filter(), was_accepted)
    router.callback_query.register(nothing_to_cancel, CloseDialog.filter())
    router.callback_query.register(show_gallery, OpenGallery.filter())
    router.message.register(written, F.text, ~F.text.startswith("/"), style_in_text)
    return router


Turned = PickStyle | PickOwnStyle | Retry | CloseDialog


async def is_current(query: CallbackQuery, callback_data: Turned, state: FSMContext) -> bool:
    """Filter: the button belongs to what is open now."""
    is_open = await state.get_state() is not None
    return is_open and (await recall(state)).turn == callback_data.turn


async def was_accepted(query: CallbackQuery, callback_data: Turned, state: FSMContext) -> bool:
    """Filter: a tap on this button's gallery has become a job already."""
    return (await recall(state)).accepted_turn == callback_data.turn


def style_in_text(message: Message, studio: Studio) -> Mapping[str, StylePreset] | bool:
    """Filter: gives the handler the `preset` that the text names, or whose number it is."""
    text = message.text or ""
    preset = numbered_preset(text, studio.presets) or named_preset(text, studio.presets)
    return {"preset": preset} if preset else False


async def pick(
    query: CallbackQuery, callback_data: PickStyle, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    preset = talk.studio.preset(callback_data.preset)
    if preset is None:
        callback_answer.text = talk.texts.failures["style_gone"]
        await reopen_gallery(talk)
        return
    memory = await recall(talk.state)
    if memory.content is None and memory.style == ChosenStyle(preset=preset.name):
        label = keyboards.preset_label(preset, talk.texts)
        callback_answer.text = talk.texts.toast_chosen.format(style=label)
        return
    await choose_preset(talk, memory, preset)


async def tapped_again(query: CallbackQuery, talk: Talk, callback_answer: CallbackAnswer) -> None:
    callback_answer.text = talk.texts.toast_already_painting


async def pick_own(query: CallbackQuery, talk: Talk) -> None:
    memory = await recall(talk.state)
    texts = talk.texts
    memory.album = None  # what comes next is a choice, not the rest of an album
    await remember(talk.state, memory, Step.awaiting_style_picture)
    question = texts.send_style_picture if memory.content else texts.own_style_first
    await talk.say(question, keyboards.waiting_for_picture(texts, memory.turn))


async def retry(query: CallbackQuery, talk: Talk) -> None:
    memory = await recall(talk.state)
    if memory.content is None or memory.style is None:
        await reopen_gallery(talk)
    elif await begin(talk, memory, memory.content, memory.style) and query.message:
        await talk.remove(query.message.message_id)


async def cancel(query: CallbackQuery, talk: Talk, callback_answer: CallbackAnswer) -> None:
    callback_answer.text = talk.texts.toast_cancelled
    await close(talk)
    await talk.say(talk.texts.cancelled_dialog)


async def nothing_to_cancel(
    query: CallbackQuery, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    callback_answer.text = talk.texts.toast_old_button


async def show_gallery(query: CallbackQuery, talk: Talk) -> None:
    await reopen_gallery(talk)


async def written(message: Message, talk: Talk, preset: StylePreset) -> None:
    is_open = await talk.state.get_state() is not None
    memory = await recall(talk.state) if is_open else Memory()
    await choose_preset(talk, memory, preset)
