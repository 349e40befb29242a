"""Pictures: the photo to be painted, a style of the person's own, both in one album."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message

from impasto import StylePreset
from impasto.jobs.job import ChosenStyle, TelegramPicture
from impasto_dialog.callbacks import new_turn
from impasto_dialog.flows import begin, choose, open_gallery, open_gallery_for_album
from impasto_dialog.memory import Memory, Step, recall, remember
from impasto_dialog.naming import named_preset
from impasto_dialog.pictures import picture_in
from impasto_dialog.talk import Talk

if TYPE_CHECKING:
    from impasto.jobs.service import JobService


def build() -> Router:
    router = Router(name="dialog.photo")
    router.message.register(rest_of_album, picture_in, is_rest_of_album)
    router.message.register(photo_with_style_named, picture_in, style_in_caption)
    router.message.register(photo_for_chosen_style, picture_in, Step.awaiting_photo)
    router.message.register(style_picture, picture_in, Step.awaiting_style_picture)
    router.message.register(photo, picture_in)
    return router


async def is_rest_of_album(message: Message, state: FSMContext) -> bool:
    """Filter: an earlier picture of the same album came before this one."""
    album = message.media_group_id
    return album is not None and (await recall(state)).album == album


def style_in_caption(message: Message, job_service: JobService) -> Mapping[str, StylePreset] | bool:
    """Filter: gives the handler the `preset` that the caption names, with /style before it or
    without."""
    caption = (message.caption or "").removeprefix("/style")
    preset = named_preset(caption, job_service.presets)
    return {"preset": preset} if preset else False


async def photo(message: Message, talk: Talk, picture: TelegramPicture) -> None:
    """A photo out of the blue, or instead of the one before: which style?"""
    before = await recall(talk.state)
    is_new = before.content is None or await talk.state.get_state() is None
    memory = Memory(
        turn=new_turn(),
        content=picture,
        content_message=message.message_id,
        question="choose-style" if is_new else "choose-style-for-new-photo",
        album=message.media_group_id,
        gallery=before.gallery,
    )
    if message.media_group_id is None:
        talk.shared.albums.stop(talk.chat)
        await open_gallery(talk, memory)
        return
    await talk.remove(before.gallery)
    memory.gallery = None
    await remember(talk.state, memory, Step.choosing_style)
    talk.shared.albums.ask_later(talk.chat, lambda: open_gallery_for_album(talk, memory.turn))


async def rest_of_album(message: Message, talk: Talk, picture: TelegramPicture) -> None:
    """The second picture is the style of the first, unless the style is known: then every picture
    is painted in it. What comes after that is left alone, as `album_taken` said."""
    memory = await recall(talk.state)
    if memory.album_styles:
        await begin(
            talk,
            memory,
            picture,
            memory.album_styles,
            album=memory.album,
            same_styles_for_album=True,
        )
    elif memory.content is not None and not memory.styles:
        content, style = memory.content, picture
        if message.message_id < memory.content_message:  # they came in the wrong order
            content, style = style, content
        await talk.say(talk.texts("album-taken"))
        await begin(talk, memory, content, [ChosenStyle(picture=style)], album=memory.album)


async def photo_with_style_named(
    message: Message, talk: Talk, picture: TelegramPicture, preset: StylePreset
) -> None:
    await _begin_with_known_styles(message, talk, picture, [ChosenStyle(preset=preset.name)])


async def photo_for_chosen_style(message: Message, talk: Talk, picture: TelegramPicture) -> None:
    memory = await recall(talk.state)
    if not memory.styles:
        await photo(message, talk, picture)
    else:
        await _begin_with_known_styles(message, talk, picture, memory.styles)


async def style_picture(message: Message, talk: Talk, picture: TelegramPicture) -> None:
    """A style of the person's own."""
    memory = await recall(talk.state)
    if memory.content is not None:
        memory.album = message.media_group_id  # the rest of it is nothing that was asked for
    await choose(talk, memory, ChosenStyle(picture=picture))


async def _begin_with_known_styles(
    message: Message, talk: Talk, content: TelegramPicture, styles: Sequence[ChosenStyle]
) -> None:
    await begin(
        talk,
        await recall(talk.state),
        content,
        styles,
        album=message.media_group_id,
        same_styles_for_album=message.media_group_id is not None,
    )
