"""The moves of the conversation that more than one handler makes."""

from __future__ import annotations

from aiogram.types import Message

from impasto import StylePreset
from impasto.errors import TooManyJobs
from impasto.jobs.job import ChosenStyle, TelegramPicture
from impasto_dialog import keyboards
from impasto_dialog.callbacks import new_turn
from impasto_dialog.memory import Memory, Step, recall, remember
from impasto_dialog.talk import Talk
from impasto_dialog.texts import fill


async def open_gallery(talk: Talk, memory: Memory, caption: str) -> None:
    """Shows the styles below everything else; buttons of an earlier gallery are void from now on.

    `memory` says what is chosen so far.
    """
    await talk.remove(memory.gallery)
    memory = memory.model_copy(update={"turn": new_turn(), "gallery": None})
    await remember(talk.state, memory, Step.choosing_style)
    await _show_gallery(talk, memory, caption)


async def open_gallery_for(talk: Talk, content: TelegramPicture, caption: str) -> None:
    """Shows the styles for a photo; whatever was open before is forgotten."""
    memory = await recall(talk.state)
    await open_gallery(talk, Memory(content=content, gallery=memory.gallery), caption)


async def reopen_gallery(talk: Talk) -> None:
    """Shows the styles and keeps the photo, if one is waiting for its style."""
    memory = await recall(talk.state)
    is_open = await talk.state.get_state() is not None
    content = memory.content if is_open else None
    texts = talk.texts
    caption = texts.choose_style if content else texts.choose_style_first
    await open_gallery(talk, Memory(content=content, gallery=memory.gallery), caption)


async def open_gallery_for_album(talk: Talk, turn: str, caption: str) -> None:
    """Shows the styles for the first picture of an album, unless it became a job meanwhile.

    Runs by a timer, while another update of the same person may be handled.
    """
    memory = await recall(talk.state)
    if memory.turn == turn:
        await _show_gallery(talk, memory, caption)


async def choose_preset(talk: Talk, memory: Memory, preset: StylePreset) -> None:
    """Starts painting if the photo is here, else asks for it."""
    style = ChosenStyle(preset=preset.name)
    if memory.content is not None:
        await begin(talk, memory, memory.content, style)
        return
    label = keyboards.preset_label(preset, talk.texts)
    await ask_for_photo(talk, memory, style, fill(talk.texts.send_photo_for_preset, style=label))


async def ask_for_photo(talk: Talk, memory: Memory, style: ChosenStyle, question: str) -> None:
    """The style is chosen; the next photo will be painted in it."""
    memory = memory.model_copy(update={"style": style, "turn": memory.turn or new_turn()})
    await remember(talk.state, memory, Step.awaiting_photo)
    await talk.say(question, keyboards.waiting_for_picture(talk.texts, memory.turn))


async def begin(
    talk: Talk,
    memory: Memory,
    content: TelegramPicture,
    style: ChosenStyle,
    *,
    album: str | None = None,
    same_style_for_album: bool = False,
) -> bool:
    """Asks the studio to paint. On success the conversation is over and the job's own messages
    take over; when the person has too many jobs, photo and style are kept for another try."""
    talk.albums.stop(talk.chat)
    if not await accept(talk, content, (style,)):
        turn = memory.turn or new_turn()
        kept = Memory(turn=turn, content=content, style=style, gallery=memory.gallery, album=album)
        await remember(talk.state, kept, Step.choosing_style)
        await talk.say(talk.texts.failures["too_many_jobs"], keyboards.too_many(talk.texts, turn))
        return False
    rest = Memory(
        accepted_turn=memory.turn,
        album=album,
        album_style=style if same_style_for_album else None,
    )
    await remember(talk.state, rest, None)
    await talk.remove(memory.gallery)
    return True


async def accept(talk: Talk, content: TelegramPicture, styles: tuple[ChosenStyle, ...]) -> bool:
    """Whether the studio took the job; False when the person has too many."""
    try:
        await talk.studio.accept(
            person=talk.person,
            chat=talk.chat,
            language=talk.texts.language,
            content=content,
            styles=styles,
        )
    except TooManyJobs:
        return False
    return True


async def close(talk: Talk) -> bool:
    """Forgets what was chosen; whether anything was."""
    talk.albums.stop(talk.chat)
    was_open = await talk.state.get_state() is not None
    memory = await recall(talk.state)
    await talk.state.clear()
    await talk.remove(memory.gallery)
    return was_open


async def _show_gallery(talk: Talk, memory: Memory, caption: str) -> None:
    shown = await _send_gallery(talk, memory.turn, caption)
    now = await recall(talk.state)
    if now.turn != memory.turn:  # the second picture of an album came in between
        await talk.remove(shown.message_id)
        return
    await talk.state.update_data(gallery=shown.message_id)


async def _send_gallery(talk: Talk, turn: str, caption: str) -> Message:
    presets = talk.studio.presets[: keyboards.MAX_PRESETS]
    keyboard = keyboards.gallery(presets, talk.texts, turn)
    if not presets:
        return await talk.say(talk.texts.no_presets, keyboard)
    return await talk.gallery.send(talk.bot, talk.chat, presets, caption, keyboard)
