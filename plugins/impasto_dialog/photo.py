"""Pictures that people send: the photo to be painted, a style picture, both in one album; and GIFs,
of which the first frame, which Telegram sends along, is offered."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
from collections.abc import Awaitable, Callable, Mapping
from pathlib import PurePath

import structlog
from aiogram.enums import ContentType
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Document, Message, ReplyParameters

from impasto import StylePreset
from impasto.contracts import MAX_DOWNLOAD
from impasto.jobs.job import ChosenStyle, TelegramPicture
from impasto_dialog import keyboards
from impasto_dialog.gallery import open_gallery, open_gallery_for, show_gallery
from impasto_dialog.style import begin, choose
from impasto_dialog.talk import Memory, Step, Talk, new_turn, recall

log = structlog.get_logger(__name__)

HEIC_TYPES = frozenset({"image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"})
HEIC_SUFFIXES = frozenset({".heic", ".heif", ".heics", ".heifs", ".hif"})
JXL_TYPE, JXL_SUFFIX = "image/jxl", ".jxl"
VECTOR_TYPES = frozenset({"image/svg+xml", "image/vnd.dxf", "image/vnd.djvu"})
PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
)


def picture_in(message: Message) -> Mapping[str, TelegramPicture] | bool:
    """Filter: gives the handler the `picture` of a message that has a usable one."""
    if message.photo:
        size = message.photo[-1]
        picture = TelegramPicture(
            file_id=size.file_id,
            pixels=size.width * size.height,
            long_side=max(size.width, size.height),
        )
        return {"picture": picture}
    # Telegram sends an animation with a document beside it.
    if message.document and not message.animation and _refusal_of(message.document) is None:
        picture = TelegramPicture(file_id=message.document.file_id, as_photo=False)
        return {"picture": picture}
    return False


@functools.cache
def is_installed(package: str) -> bool:
    """Whether this machine has a package of the extra `formats`; what paints has it, too, then."""
    return importlib.util.find_spec(package) is not None


def refusal(message: Message) -> str | None:
    """The text that says why this message's contents cannot be painted and what to do instead;
    None for texts and for what needs no answer, such as a note that something was pinned."""
    if message.document and not message.animation:
        return _refusal_of(message.document)
    others = message.contact or message.location or message.venue or message.poll or message.dice
    newer = message.game or message.invoice or message.paid_media or message.checklist
    # Forwarded by a person, of a kind that this version of aiogram does not know.
    unknown = message.forward_origin and message.content_type == ContentType.UNKNOWN
    kinds = (
        (message.animation, "refused-animation"),
        (message.video or message.video_note, "refused-video"),
        (message.voice or message.audio, "refused-voice"),
        (message.sticker, "refused-sticker"),
        (others or newer or message.story or unknown, "hint"),
    )
    return next((text for found, text in kinds if found), None)


def _refusal_of(document: Document) -> str | None:
    """None for a picture that the bot can fetch; whether it can be painted is found out later, by
    the painting process, from its contents."""
    kind = (document.mime_type or "").lower()
    suffix = PurePath(document.file_name or "").suffix.lower()
    if kind.startswith("video/"):
        return "refused-video"
    is_heic = kind in HEIC_TYPES or suffix in HEIC_SUFFIXES
    is_jxl = kind == JXL_TYPE or suffix == JXL_SUFFIX
    if is_heic and not is_installed("pillow_heif"):
        return "refused-heic"
    if is_jxl and not is_installed("pillow_jxl"):
        return "refused-document"
    is_known = suffix in PICTURE_SUFFIXES or is_heic or is_jxl
    is_picture = kind.startswith("image/") if kind else is_known
    # Some clients call every file `application/octet-stream`.
    is_picture = is_picture or (kind == "application/octet-stream" and is_known)
    if not is_picture or kind in VECTOR_TYPES:
        return "refused-document"
    is_local = document.bot is not None and document.bot.session.api.is_local
    if (document.file_size or 0) > MAX_DOWNLOAD and not is_local:
        return "refused-large"
    return None


async def is_rest_of_album(message: Message, state: FSMContext) -> bool:
    """Filter: an earlier picture of the same album came before this one."""
    album = message.media_group_id
    return album is not None and (await recall(state)).album == album


async def photo(message: Message, talk: Talk, picture: TelegramPicture) -> None:
    """A first photo, or one that replaces the one before: asks for the style."""
    before = await recall(talk.state)
    is_new = before.content is None or await talk.state.get_state() is None
    question = "choose-style" if is_new else "choose-style-for-new-photo"
    if before.content_message == message.message_id:  # handled again, after an outage, say
        question = before.question
    memory = Memory(
        turn=new_turn(),
        content=picture,
        content_message=message.message_id,
        question=question,
        album=message.media_group_id,
        gallery=before.gallery,
    )
    if message.media_group_id is None:
        talk.albums.stop(talk.chat)
        await open_gallery(talk, memory)
        return
    await talk.remove(before.gallery)
    memory.gallery = None
    await talk.remember(memory, Step.choosing_style)
    talk.albums.ask_later(talk.chat, lambda: _ask_for_album(talk, memory.turn))


async def _ask_for_album(talk: Talk, turn: str) -> None:
    """Shows the styles for the first picture of an album, unless it became a job meanwhile.

    Runs by a timer, while another update of the same person may be handled.
    """
    memory = await recall(talk.state)
    if memory.turn == turn:
        await show_gallery(talk, memory)


async def rest_of_album(message: Message, talk: Talk, picture: TelegramPicture) -> None:
    """The second picture is the style of the first, unless the style is known: then every picture
    is painted in it. Further pictures are ignored, as the text `album-taken` said."""
    memory = await recall(talk.state)
    if memory.album_styles:
        memory.styles = memory.album_styles
        await begin(talk, memory, picture, whole_album=True)
    elif memory.content is not None and not memory.styles:
        content, style = memory.content, picture
        if message.message_id < memory.content_message:  # they came in the wrong order
            content, style = style, content
        await talk.say("album-taken")
        memory.styles = (ChosenStyle(picture=style),)
        await begin(talk, memory, content)


async def photo_with_style_named(
    message: Message, talk: Talk, picture: TelegramPicture, preset: StylePreset
) -> None:
    await _begin_with_known_styles(message, talk, picture, (ChosenStyle(preset=preset.name),))


async def photo_for_chosen_style(message: Message, talk: Talk, picture: TelegramPicture) -> None:
    memory = await recall(talk.state)
    if not memory.styles:
        await photo(message, talk, picture)
    else:
        await _begin_with_known_styles(message, talk, picture, memory.styles)


async def style_picture(message: Message, talk: Talk, picture: TelegramPicture) -> None:
    """A picture of the person's own is the style."""
    memory = await recall(talk.state)
    if memory.content is not None:
        memory.album = message.media_group_id  # the rest of it was not asked for
    await choose(talk, memory, ChosenStyle(picture=picture))


async def _begin_with_known_styles(
    message: Message, talk: Talk, content: TelegramPicture, styles: tuple[ChosenStyle, ...]
) -> None:
    memory = await recall(talk.state)
    memory.styles, memory.album = styles, message.media_group_id
    await begin(talk, memory, content, whole_album=memory.album is not None)


def has_still(message: Message) -> Mapping[str, TelegramPicture] | bool:
    """Filter: gives the handler the first frame of an animation as a `picture`.

    That is its thumbnail, of 320 pixels at most: the animation itself is a video to Telegram.
    """
    thumbnail = message.animation.thumbnail if message.animation is not None else None
    if thumbnail is None:
        return False
    # Telegram sends no thumbnail again as a photo.
    return {"picture": TelegramPicture(file_id=thumbnail.file_id, as_photo=False)}


def still_in_reply(query: CallbackQuery) -> Mapping[str, TelegramPicture] | bool:
    """Filter: the same of the message that the offer answers."""
    offer = query.message
    replied = offer.reply_to_message if isinstance(offer, Message) else None
    return has_still(replied) if replied is not None else False


async def offer_still(message: Message, talk: Talk) -> None:
    await talk.bot.send_message(
        talk.chat,
        talk.texts("offer-still"),
        reply_markup=keyboards.paint_still(talk.texts),
        reply_parameters=ReplyParameters(
            message_id=message.message_id, allow_sending_without_reply=True
        ),
    )


async def paint_still(query: CallbackQuery, talk: Talk, picture: TelegramPicture) -> None:
    if query.message is not None:
        await talk.remove(query.message.message_id)
    await open_gallery_for(talk, picture, "choose-style")


class Albums:
    """Waits a moment for the rest of an album, one question per chat.

    The pictures of an album come as separate messages with one `media_group_id` and no end mark.
    The first one is remembered in the dialogue state like any photo; only the question that would
    follow it waits. So a restart in between loses a question, never a picture.
    """

    def __init__(self, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds
        self._waiting: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def ask_later(self, chat: int, ask: Callable[[], Awaitable[object]]) -> None:
        """Runs `ask` in `wait_seconds` unless `stop` or another `ask_later` comes before."""
        self.stop(chat)
        task = self._waiting[chat] = asyncio.create_task(self._run(chat, ask))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self, chat: int) -> None:
        """Drops the chat's question, if one waits."""
        if task := self._waiting.pop(chat, None):
            task.cancel()

    async def close(self) -> None:
        """Drops the questions that wait and lets those finish that are being asked."""
        for chat in list(self._waiting):
            self.stop(chat)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, chat: int, ask: Callable[[], Awaitable[object]]) -> None:
        await asyncio.sleep(self.wait_seconds)
        del self._waiting[chat]
        try:
            await ask()
        except Exception:
            log.exception("album_question_failed", chat=chat)
