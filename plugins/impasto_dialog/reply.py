"""/style in answer to a photo: the one thing that is done in groups, too."""

from __future__ import annotations

from collections.abc import Mapping

from aiogram import F, Router
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from impasto.jobs.job import ChosenStyle, TelegramPicture
from impasto_dialog.flows import begin, choose, open_gallery_for, reopen_gallery
from impasto_dialog.memory import Memory, recall
from impasto_dialog.naming import named_preset, numbered_preset
from impasto_dialog.pictures import picture_in
from impasto_dialog.talk import Talk


def build() -> Router:
    router = Router(name="dialog.reply")
    router.message.register(style_photo, Command("style"), replied_photo)
    router.message.register(style_alone, Command("style"), is_private, F.text)
    return router


def is_private(message: Message) -> bool:
    return message.chat.type == ChatType.PRIVATE


def replied_photo(message: Message) -> Mapping[str, object] | bool:
    """Filter: gives the handler the `picture` that the message answers and its message's id."""
    replied = message.reply_to_message
    found = picture_in(replied) if replied is not None else False
    if replied is None or not isinstance(found, Mapping):
        return False
    return {**found, "photo_message": replied.message_id}


async def style_photo(
    message: Message,
    talk: Talk,
    command: CommandObject,
    picture: TelegramPicture,
    photo_message: int,
) -> None:
    """With the style named, paints at once; else asks for it.

    All who write as a group or channel look like one and the same user: they would share limits,
    get around a ban, and could tap no button of theirs.
    """
    if message.sender_chat is not None:
        await talk.say(talk.texts("write-as-yourself"))
        return
    reply_to = photo_message if talk.in_group else None
    preset = named_preset(command.args or "", talk.job_service.presets) or numbered_preset(
        command.args or "", talk.job_service.presets
    )
    if preset is None:
        question = "choose-style-in-group" if talk.in_group else "choose-style"
        await open_gallery_for(talk, picture, question, reply_to)
        return
    before = await recall(talk.state)
    memory = Memory(gallery=before.gallery, reply_to=reply_to)
    await begin(talk, memory, picture, [ChosenStyle(preset=preset.name)])


async def style_alone(message: Message, talk: Talk, command: CommandObject) -> None:
    """In a private chat, /style NAME chooses the style and /style shows them. As the caption of a
    photo it is `impasto_dialog.photo`'s."""
    preset = named_preset(command.args or "", talk.job_service.presets)
    if preset is None:
        await reopen_gallery(talk)
        return
    is_open = await talk.state.get_state() is not None
    memory = await recall(talk.state) if is_open else Memory()
    await choose(talk, memory, ChosenStyle(preset=preset.name))
