"""The moves of the conversation that more than one handler makes."""

from __future__ import annotations

import html
from collections.abc import Sequence

from impasto.errors import TooManyJobs
from impasto.jobs.job import ChosenStyle, TelegramPicture
from impasto_dialog import keyboards
from impasto_dialog.callbacks import new_turn
from impasto_dialog.gallery_message import refresh_gallery, send_gallery
from impasto_dialog.looks import Look, paint_options
from impasto_dialog.memory import Memory, Step, recall, remember
from impasto_dialog.talk import Talk, possible
from impasto_dialog.wording import refusal, styles_label


async def open_gallery(talk: Talk, memory: Memory) -> None:
    """Shows the styles below everything else; buttons of an earlier gallery are void from now on.

    `memory` says what is chosen so far.
    """
    await talk.remove(memory.gallery)
    memory = memory.model_copy(update={"turn": new_turn(), "gallery": None})
    await remember(talk.state, memory, Step.choosing_style)
    await _show_gallery(talk, memory)


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


async def open_gallery_for_album(talk: Talk, turn: str) -> None:
    """Shows the styles for the first picture of an album, unless it became a job meanwhile.

    Runs by a timer, while another update of the same person may be handled.
    """
    memory = await recall(talk.state)
    if memory.turn == turn:
        await _show_gallery(talk, memory)


async def choose(talk: Talk, memory: Memory, style: ChosenStyle) -> None:
    """One more style is chosen: asks for the second of a mix, starts painting if the photo is here,
    or asks for it."""
    earlier = () if memory.is_complete else memory.styles
    memory = memory.model_copy(update={"styles": (*earlier, style)})
    if not memory.is_complete:
        await _ask_for_second(talk, memory)
    elif memory.content is not None:
        await begin(talk, memory, memory.content, memory.styles, album=memory.album)
    else:
        await _ask_for_photo(talk, memory)


async def _ask_for_second(talk: Talk, memory: Memory) -> None:
    if memory.styles[0].preset is None:  # the picture came below the gallery
        await open_gallery(talk, memory)
    else:
        await remember(talk.state, memory, Step.choosing_style)
        await refresh_gallery(talk, memory)


async def _ask_for_photo(talk: Talk, memory: Memory) -> None:
    """The styles are chosen; the next photo will be painted in them."""
    memory = memory.model_copy(update={"turn": memory.turn or new_turn()})
    await remember(talk.state, memory, Step.awaiting_photo)
    if any(style.preset for style in memory.styles):
        label = styles_label(memory.styles, talk.job_service.presets, talk.texts)
        question = talk.texts("send-photo-for-style", style=label)
    else:
        question = talk.texts("send-photo-for-own-style")
    await talk.say(question, keyboards.waiting_for_picture(talk.texts, memory.turn))


async def begin(
    talk: Talk,
    memory: Memory,
    content: TelegramPicture,
    styles: Sequence[ChosenStyle],
    *,
    album: str | None = None,
    same_styles_for_album: bool = False,
) -> bool:
    """Asks the job_service to paint. On success the conversation is over and the job's own messages
    take over; when it takes no more jobs now, photo and styles are kept for another try."""
    talk.shared.albums.stop(talk.chat)
    styles = tuple(styles)
    refused = await accept(talk, content, styles, talk.look, memory.reply_to)
    if refused is not None:
        turn = memory.turn or new_turn()
        kept = Memory(
            turn=turn,
            content=content,
            styles=styles,
            wanted=len(styles),
            gallery=memory.gallery,
            reply_to=memory.reply_to,
            album=album,
        )
        await remember(talk.state, kept, Step.choosing_style)
        await talk.say(html.escape(refused), keyboards.too_many(talk.texts, turn))
        return False
    rest = Memory(
        accepted_turn=memory.turn,
        album=album,
        album_styles=styles if same_styles_for_album else (),
    )
    await remember(talk.state, rest, None)
    await talk.remove(memory.gallery)
    return True


async def accept(
    talk: Talk,
    content: TelegramPicture,
    styles: Sequence[ChosenStyle],
    look: Look,
    reply_to: int | None = None,
) -> str | None:
    """Has the job_service take the job; returns why it does not, in plain text, if it does not."""
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
            options=paint_options(look, presets, talk.painting, pixel_cap),
            wishes=look.model_dump(mode="json"),
            reply_to=reply_to,
        )
    except TooManyJobs as error:
        return refusal(error, talk.texts)
    return None


async def close(talk: Talk) -> bool:
    """Forgets what was chosen; whether anything was."""
    talk.shared.albums.stop(talk.chat)
    was_open = await talk.state.get_state() is not None
    memory = await recall(talk.state)
    await talk.state.clear()
    await talk.remove(memory.gallery)
    return was_open


async def _show_gallery(talk: Talk, memory: Memory) -> None:
    shown = await send_gallery(talk, memory)
    now = await recall(talk.state)
    if now.turn != memory.turn:  # the second picture of an album came in between
        await talk.remove(shown.message_id)
        return
    await talk.state.update_data(gallery=shown.message_id)
