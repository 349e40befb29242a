"""Choosing a style by its name or number: in a text, in a caption, and with /style, the one command
for groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from operator import itemgetter
from typing import Final

from aiogram.filters import CommandObject
from aiogram.types import Message

from impasto import StylePreset
from impasto.jobs.job import ChosenStyle, TelegramPicture
from impasto.jobs.service import JobService
from impasto_dialog import keyboards
from impasto_dialog.gallery import open_gallery_for, reopen_gallery
from impasto_dialog.photo import picture_in
from impasto_dialog.style import begin, choose
from impasto_dialog.talk import Memory, Step, Talk, new_turn, recall
from impasto_dialog.texts import preset_label

LEAST_LIKENESS: Final = 0.8
"""Of 1: a letter more, less or other than in a word of five, two in one of ten."""
MOST_ASKED_ABOUT: Final = 40
"""Letters of a text that may be a misspelt title."""

_WORDS = re.compile(r"[^\W_]+")


def named_preset(text: str, presets: Sequence[StylePreset]) -> StylePreset | None:
    """The preset whose name, or title in any language, is the text; upper case, punctuation and
    emoji do not count. A title of several words may also stand within a longer text; one word
    may not: "a night in Paris" asks for no style called "Night". The longest title wins."""
    wanted = _normal(text)
    named = [
        (title.count(" "), preset)
        for title, preset in _titles(presets)
        if title == wanted or (" " in title and f" {title} " in f" {wanted} ")
    ]
    return max(named, key=itemgetter(0))[1] if named else None


def similar_preset(text: str, presets: Sequence[StylePreset]) -> StylePreset | None:
    """The preset whose name or title, in any language, a text that names none comes nearest to,
    within a letter or two: "pointilism". It must be the whole text: other words are no misspelling.
    """
    titles = dict(_titles(presets))
    close = get_close_matches(_normal(text), titles, n=1, cutoff=LEAST_LIKENESS)
    return titles[close[0]] if close else None


def numbered_preset(text: str, presets: Sequence[StylePreset]) -> StylePreset | None:
    """The preset with this number on the contact sheet."""
    number = text.strip().rstrip(".")
    if not (number.isascii() and number.isdigit() and len(number) <= 3):
        return None
    index = int(number) - 1
    return presets[index] if 0 <= index < len(presets) else None


def preset_for(text: str, presets: Sequence[StylePreset]) -> StylePreset | None:
    """The preset that a text names, or whose number it is."""
    return numbered_preset(text, presets) or named_preset(text, presets)


def _titles(presets: Sequence[StylePreset]) -> Iterator[tuple[str, StylePreset]]:
    """All names and titles, each with its preset."""
    for preset in presets:
        for title in (preset.name, *preset.titles.values()):
            if normal := _normal(title):
                yield normal, preset


def _normal(text: str) -> str:
    """Its words in lower case, with a space between two."""
    return " ".join(_WORDS.findall(text.casefold().replace("ё", "е")))


def style_in_text(message: Message, job_service: JobService) -> Mapping[str, StylePreset] | bool:
    """Filter: gives the handler the `preset` that the text names, or whose number it is."""
    preset = preset_for(message.text or "", job_service.presets)
    return {"preset": preset} if preset else False


def style_in_caption(message: Message, job_service: JobService) -> Mapping[str, StylePreset] | bool:
    """Filter: gives the handler the `preset` that the caption names, with /style before it or
    without."""
    caption = (message.caption or "").removeprefix("/style")
    preset = named_preset(caption, job_service.presets)
    return {"preset": preset} if preset else False


def misspelt(message: Message, job_service: JobService) -> Mapping[str, StylePreset] | bool:
    """Filter: gives the handler the `preset` that a text, or a photo's caption, may mean."""
    words = (message.text or message.caption or "").removeprefix("/style")
    if message.media_group_id is not None or len(words) > MOST_ASKED_ABOUT:
        return False
    preset = similar_preset(words, job_service.presets)
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
    preset = preset_for(command.args or "", talk.job_service.presets)
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
    name, presets = command.args or "", talk.job_service.presets
    if preset := preset_for(name, presets):
        await written(message, talk, preset)
    elif preset := similar_preset(name, presets):
        await ask_about_text(message, talk, preset)
    else:
        await reopen_gallery(talk)


async def ask_about_text(message: Message, talk: Talk, preset: StylePreset) -> None:
    """Whether a text that names no style means this one."""
    is_open = await talk.state.get_state() is not None
    memory = await recall(talk.state)
    kept = memory if is_open else Memory(gallery=memory.gallery)
    await _ask_about(talk, kept, preset)


async def ask_about_caption(
    message: Message, talk: Talk, picture: TelegramPicture, preset: StylePreset
) -> None:
    """Whether the caption of this photo means the style."""
    talk.albums.stop(talk.chat)
    gallery = (await recall(talk.state)).gallery
    memory = Memory(content=picture, content_message=message.message_id, gallery=gallery)
    await _ask_about(talk, memory, preset)


async def _ask_about(talk: Talk, memory: Memory, preset: StylePreset) -> None:
    """The question takes the place of the gallery; what was chosen before is chosen anew."""
    talk.own_sheets.stop(talk)
    await talk.remove(memory.gallery)
    question = "choose-style" if memory.content else "choose-style-first"
    changes = {"turn": new_turn(), "styles": (), "wanted": 1, "gallery": None, "question": question}
    memory = memory.model_copy(update=changes)
    await talk.remember(memory, Step.choosing_style)
    title = preset_label(preset, talk.texts)
    keyboard = keyboards.meant(talk.texts, preset, memory.turn)
    asked = await talk.say("did-you-mean", keyboard, style=title)
    await talk.state.update_data(gallery=asked.message_id)


async def written(message: Message, talk: Talk, preset: StylePreset) -> None:
    """A text that names a style, or has its number."""
    is_open = await talk.state.get_state() is not None
    memory = await recall(talk.state) if is_open else Memory()
    await choose(talk, memory, ChosenStyle(preset=preset.name))
