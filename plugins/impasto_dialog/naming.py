"""Choosing a style by its name or number: in a text, in a caption, and with /style, the one command
for groups."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aiogram.filters import CommandObject
from aiogram.types import Message

from impasto import StylePreset
from impasto.jobs.job import ChosenStyle, TelegramPicture
from impasto.jobs.service import JobService
from impasto_dialog.gallery import open_gallery_for, reopen_gallery
from impasto_dialog.photo import picture_in
from impasto_dialog.style import begin, choose
from impasto_dialog.talk import Memory, Talk, recall

_WORDS = re.compile(r"[^\W_]+")


def named_preset(text: str, presets: Sequence[StylePreset]) -> StylePreset | None:
    """The preset whose name, or title in any language, is the text; upper case, punctuation and
    emoji do not count. A title of several words may also stand within a longer text; one word
    may not: "a night in Paris" asks for no style called "Night". The longest title wins."""
    wanted = _words(text)
    best: tuple[int, StylePreset] | None = None
    for preset in presets:
        for title in (preset.name, *preset.titles.values()):
            words = _words(title)
            if not words or not (words == wanted or (len(words) > 1 and _within(words, wanted))):
                continue
            if best is None or len(words) > best[0]:
                best = (len(words), preset)
    return best[1] if best else None


def numbered_preset(text: str, presets: Sequence[StylePreset]) -> StylePreset | None:
    """The preset with this number on the contact sheet."""
    number = text.strip().rstrip(".")
    if not (number.isascii() and number.isdigit() and len(number) <= 3):
        return None
    index = int(number) - 1
    return presets[index] if 0 <= index < len(presets) else None


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.casefold().replace("ё", "е"))


def _within(words: list[str], text: list[str]) -> bool:
    length = len(words)
    return any(text[i : i + length] == words for i in range(len(text) - length + 1))


def style_in_text(message: Message, job_service: JobService) -> Mapping[str, StylePreset] | bool:
    """Filter: gives the handler the `preset` that the text names, or whose number it is."""
    text = message.text or ""
    preset = numbered_preset(text, job_service.presets) or named_preset(text, job_service.presets)
    return {"preset": preset} if preset else False


def style_in_caption(message: Message, job_service: JobService) -> Mapping[str, StylePreset] | bool:
    """Filter: gives the handler the `preset` that the caption names, with /style before it or
    without."""
    caption = (message.caption or "").removeprefix("/style")
    preset = named_preset(caption, job_service.presets)
    return {"preset": preset} if preset else False


def replied_photo(message: Message) -> Mapping[str, object] | bool:
    """Filter: gives the handler the `picture` that the message answers, and its `photo_message`."""
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
    """/style in reply to a photo paints at once if it names the style, else asks for it.

    All who write as a group or channel look like one and the same user: they would share limits,
    get around a ban, and could tap no button of theirs.
    """
    if message.sender_chat is not None:
        await talk.say("write-as-yourself")
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
    styles = (ChosenStyle(preset=preset.name),)
    memory = Memory(styles=styles, gallery=before.gallery, reply_to=reply_to)
    await begin(talk, memory, picture)


async def style_alone(message: Message, talk: Talk, command: CommandObject) -> None:
    """In a private chat, /style NAME chooses the style and /style shows them. As the caption of a
    photo it is handled by `impasto_dialog.photo`."""
    preset = named_preset(command.args or "", talk.job_service.presets)
    if preset is None:
        await reopen_gallery(talk)
    else:
        await written(message, talk, preset)


async def written(message: Message, talk: Talk, preset: StylePreset) -> None:
    """A text that names a style, or has its number."""
    is_open = await talk.state.get_state() is not None
    memory = await recall(talk.state) if is_open else Memory()
    await choose(talk, memory, ChosenStyle(preset=preset.name))
