"""The person's own photo in each style of the gallery's page, in place of the presets' pictures."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import structlog
from aiogram.exceptions import TelegramAPIError
from aiogram.types import BufferedInputFile, Message
from PIL import Image

from impasto import PaintOptions
from impasto.contact_sheet import Tile, contact_sheet
from impasto.jobs.job import TelegramPicture
from impasto.tasks import cancelled
from impasto.telegram.retry import overlooked
from impasto_dialog.contact_sheet import (
    GalleryPage,
    Sheet,
    columns_for,
    is_file_refused,
    label_of,
    page_of,
    tile_width,
)
from impasto_dialog.looks import Look, Quality, paint_options
from impasto_dialog.talk import Memory, Talk, recall

if TYPE_CHECKING:
    from impasto_dialog.contact_sheet import T

log = structlog.get_logger(__name__)

MOST_KEPT: Final = 1000
"""Sheets that are known by their `file_id`, 100 bytes each."""
SHAPES: Final = (0.75, 1.25)
"""Least and largest height of a tile by its width: what is higher would be small on a phone."""

K = TypeVar("K")
V = TypeVar("V")
Edit = Callable[[Talk, Memory, Sheet], Awaitable[Message | bool]]
"""Puts another picture into the open gallery, with the caption and the buttons that it has now."""


class _Key(NamedTuple):
    """What is on a sheet."""

    photo: str
    presets: tuple[str, ...]
    look: Look
    language: str


class _Recent(OrderedDict[K, V]):
    """What was kept last."""

    def keep(self, key: K, value: V) -> None:
        self[key] = value
        self.move_to_end(key)
        if len(self) > MOST_KEPT:
            self.popitem(last=False)


class OwnSheets:
    """Has sheets painted and shown, one at a time for each person in each chat."""

    def __init__(self) -> None:
        self._file_ids: _Recent[_Key, str] = _Recent()
        self._shown: _Recent[tuple[int, int], _Key] = _Recent()
        """By chat and message, what galleries show."""
        self._tasks: dict[tuple[int, int], asyncio.Task[None]] = {}

    async def show_known(
        self, talk: Talk, memory: Memory, send: Callable[[Sheet], Awaitable[T]]
    ) -> T | None:
        """Calls `send` with the sheet of the page, if it was shown before; returns its result."""
        key = _key(talk, memory)
        file_id = self._file_ids.get(key) if key is not None else None
        if key is None or file_id is None:
            return None
        try:
            shown = await send(file_id)
        except TelegramAPIError as error:
            if not is_file_refused(error):
                raise
            del self._file_ids[key]
            return None
        self._remember(talk, key, shown)
        return shown

    def follow(self, talk: Talk, memory: Memory, edit: Edit) -> None:
        """The gallery shows the page that `memory` says: replaces its picture by the person's own
        photo in the styles of the page, as soon as that is painted."""
        self.stop(talk)
        key = _key(talk, memory)
        if key is None or memory.content is None or memory.gallery is None:
            return
        if self._shown.get((talk.chat, memory.gallery)) == key:
            return
        task = asyncio.create_task(self._run(talk, memory, memory.content, key, edit))
        place = (talk.chat, talk.person)
        self._tasks[place] = task
        task.add_done_callback(lambda _: self._forget(place, task))

    def stop(self, talk: Talk) -> None:
        """Nobody looks at the page any more."""
        if task := self._tasks.pop((talk.chat, talk.person), None):
            task.cancel()

    async def close(self) -> None:
        await cancelled(self._tasks.values())

    async def _run(
        self, talk: Talk, memory: Memory, content: TelegramPicture, key: _Key, edit: Edit
    ) -> None:
        page = page_of(talk.job_service.presets, memory.page)
        try:
            pictures = await talk.job_service.try_styles(content, _options(talk, page))
            if pictures is None:
                return
            packed = await asyncio.to_thread(own_sheet, page, pictures, key.language)
            now = await recall(talk.state)
            is_open = await talk.state.get_state() is not None
            seen = (now.turn, now.gallery, now.page)
            if is_open and seen == (memory.turn, memory.gallery, memory.page):
                with overlooked("own_sheet_not_shown", chat=talk.chat):  # the gallery is gone, say
                    shown = await edit(talk, now, BufferedInputFile(packed, "styles.jpg"))
                    self._remember(talk, key, shown)
        except Exception:
            log.exception("own_sheet_failed", chat=talk.chat)

    def _remember(self, talk: Talk, key: _Key, shown: object) -> None:
        if isinstance(shown, Message) and shown.photo:
            self._file_ids.keep(key, shown.photo[-1].file_id)
            self._shown.keep((talk.chat, shown.message_id), key)

    def _forget(self, place: tuple[int, int], task: asyncio.Task[None]) -> None:
        if self._tasks.get(place) is task:
            del self._tasks[place]


def own_sheet(page: GalleryPage, pictures: Mapping[str, bytes], language: str) -> bytes:
    """The sheet of a page with these pictures (JPEGs by the preset's name), itself a JPEG."""
    columns = columns_for(len(page.presets))
    tiles = []
    for preset in page.presets:
        picture = Image.open(io.BytesIO(pictures[preset.name]))
        tiles.append(Tile(picture, label_of(preset, language)))
    width = tile_width(columns)
    least, most = SHAPES
    shape = min(max(picture.height / picture.width, least), most)
    packed = io.BytesIO()
    sheet = contact_sheet(tiles, (width, round(width * shape)), columns, page.first_number)
    sheet.save(packed, "JPEG", quality=90)
    return packed.getvalue()


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


def _options(talk: Talk, page: GalleryPage) -> dict[str, PaintOptions]:
    """How each style of the page would be painted."""
    look = talk.look.with_choice(Quality.STANDARD)
    return {
        preset.name: paint_options(look, [preset], talk.painting, pixel_cap=0)
        for preset in page.presets
    }
