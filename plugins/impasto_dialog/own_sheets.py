"""The person's own photo in each style of the gallery's page, in place of the presets' pictures."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog
from aiogram.types import BufferedInputFile, Message
from PIL import Image

from impasto.jobs.job import TelegramPicture
from impasto.tasks import cancelled
from impasto.telegram.retry import overlooked
from impasto_dialog.contact_sheet import (
    GalleryPage,
    Recent,
    Sheet,
    UploadedSheets,
    draw_sheet,
    page_of,
)
from impasto_dialog.gallery import edit_gallery
from impasto_dialog.looks import Look, Quality, paint_options
from impasto_dialog.talk import Memory, Talk, recall

if TYPE_CHECKING:
    from impasto_dialog.contact_sheet import T

log = structlog.get_logger(__name__)

SHAPES: Final = (0.75, 1.25)
"""Least and largest height of a tile by its width: what is higher would be small on a phone."""


class _Key(NamedTuple):
    """What is on a sheet."""

    photo: str
    presets: tuple[str, ...]
    look: Look
    language: str


class OwnSheets:
    """Has sheets painted and shown, one at a time for each person in each chat."""

    def __init__(self) -> None:
        self._uploaded = UploadedSheets()
        self._shown: Recent[tuple[int, int], _Key] = Recent()
        """By chat and message, what galleries show."""
        self._tasks: dict[tuple[int, int], asyncio.Task[None]] = {}

    async def show_known(
        self, talk: Talk, memory: Memory, send: Callable[[Sheet], Awaitable[T]]
    ) -> T | None:
        """Calls `send` with the sheet of the page, if it was shown before; returns its result."""
        key = _key(talk, memory)
        shown = await self._uploaded.send(key, send) if key is not None else None
        if key is not None and shown is not None:
            self._remember(talk, key, shown)
        return shown

    def follow(self, talk: Talk, memory: Memory) -> None:
        """The gallery shows the page that `memory` says: replaces its picture by the person's own
        photo in the styles of the page, as soon as that is painted."""
        self.stop(talk)
        key = _key(talk, memory)
        if key is None or memory.content is None or memory.gallery is None:
            return
        if self._shown.get((talk.chat, memory.gallery)) == key:
            return
        task = asyncio.create_task(self._run(talk, memory, memory.content, key))
        place = (talk.chat, talk.person)
        self._tasks[place] = task
        task.add_done_callback(lambda _: self._forget(place, task))

    def stop(self, talk: Talk) -> None:
        """Nobody looks at the page any more."""
        if task := self._tasks.pop((talk.chat, talk.person), None):
            task.cancel()

    async def close(self) -> None:
        await cancelled(self._tasks.values())

    async def _run(self, talk: Talk, memory: Memory, content: TelegramPicture, key: _Key) -> None:
        page = page_of(talk.job_service.presets, memory.page)
        try:
            options = {
                preset.name: paint_options(key.look, [preset], talk.painting, pixel_cap=0)
                for preset in page.presets
            }
            pictures = await talk.job_service.try_styles(content, options)
            if pictures is None:
                return
            packed = await asyncio.to_thread(own_sheet, page, pictures, key.language)
            now = await recall(talk.state)
            is_open = await talk.state.get_state() is not None
            seen = (now.turn, now.gallery, now.page)
            if is_open and seen == (memory.turn, memory.gallery, memory.page):
                with overlooked("own_sheet_not_shown", chat=talk.chat):  # the gallery is gone, say
                    shown = await edit_gallery(talk, now, BufferedInputFile(packed, "styles.jpg"))
                    self._remember(talk, key, shown)
        except Exception:
            log.exception("own_sheet_failed", chat=talk.chat)

    def _remember(self, talk: Talk, key: _Key, shown: Message | bool) -> None:
        self._uploaded.keep(key, shown)
        if isinstance(shown, Message):
            self._shown.keep((talk.chat, shown.message_id), key)

    def _forget(self, place: tuple[int, int], task: asyncio.Task[None]) -> None:
        if self._tasks.get(place) is task:
            del self._tasks[place]


def own_sheet(page: GalleryPage, pictures: Mapping[str, bytes], language: str) -> bytes:
    """The sheet of a page with these pictures (JPEGs by the preset's name), itself a JPEG."""
    own = [Image.open(io.BytesIO(pictures[preset.name])) for preset in page.presets]
    least, most = SHAPES
    shape = min(max(own[-1].height / own[-1].width, least), most)
    return draw_sheet(page.presets, own, language, page.first_number, shape)


def _key(talk: Talk, memory: Memory) -> _Key | None:
    """What the sheet of the page would show; None where there is to be none."""
    where = talk.painting.try_styles
    page = page_of(talk.job_service.presets, memory.page)
    if memory.content is None or not page.presets:
        return None
    if where == "never" or (where == "private" and talk.in_group):
        return None
    names = tuple(preset.name for preset in page.presets)
    look = talk.look.with_choice(Quality.STANDARD)  # thumbnails have a size of their own
    return _Key(memory.content.file_id, names, look, talk.texts.language)
