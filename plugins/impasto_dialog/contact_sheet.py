"""A page of presets as one picture, a contact sheet, with the number and title of each.

A sheet is drawn and uploaded once per language, then known by its `file_id`.
"""

from __future__ import annotations

import asyncio
import io
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from aiogram.exceptions import TelegramAPIError
from aiogram.types import BufferedInputFile, Message
from PIL import Image, ImageOps

from impasto import StylePreset
from impasto.contact_sheet import GAP, Tile, contact_sheet, first_readable
from impasto.telegram.retry import Refused, means

log = structlog.get_logger(__name__)

WIDTH = 1080
"""Pixels across a phone's screen; Telegram shows photos at up to 1280."""
MOST_COLUMNS = 3
MOST_ON_A_PAGE = 9
"""Tiles that a phone's screen shows together with their buttons, at a size that tells them apart.
"""

MOST_KEPT = 1000
"""Sheets that are known by their `file_id`, 100 bytes each."""

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T", bound=Message | bool)
Sheet = str | BufferedInputFile


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryPage:
    """The presets of one page and where it is among the others."""

    presets: Sequence[StylePreset]
    first_number: int
    page: int
    pages: int


def page_of(presets: Sequence[StylePreset], page: int) -> GalleryPage:
    """A page of the presets, which are spread over as few pages as there can be. The last row of
    each is full: the last page begins with as many of the one before as it takes."""
    pages = max(1, math.ceil(len(presets) / MOST_ON_A_PAGE))
    page = min(max(page, 0), pages - 1)
    first, end = page * MOST_ON_A_PAGE, min((page + 1) * MOST_ON_A_PAGE, len(presets))
    if pages > 1:
        first -= -(end - first) % MOST_COLUMNS
    return GalleryPage(
        presets=presets[first:end],
        first_number=first + 1,
        page=page,
        pages=pages,
    )


class Recent(OrderedDict[K, V]):
    """The MOST_KEPT values that were kept last."""

    def keep(self, key: K, value: V) -> None:
        self[key] = value
        self.move_to_end(key)
        if len(self) > MOST_KEPT:
            self.popitem(last=False)


class UploadedSheets:
    """The sheets that Telegram has already, by what is on them."""

    def __init__(self) -> None:
        self._file_ids: Recent[Hashable, str] = Recent()

    async def send(self, key: Hashable, send: Callable[[Sheet], Awaitable[T]]) -> T | None:
        """Calls `send` with the sheet, if it was uploaded before; returns its result."""
        file_id = self._file_ids.get(key)
        if file_id is None:
            return None
        try:
            return await send(file_id)
        except TelegramAPIError as error:
            if not (means(error, Refused) and "file" in error.message):
                raise
            self._file_ids.pop(key, None)  # of no use any more: "wrong file identifier"
            return None

    def keep(self, key: Hashable, shown: Message | bool) -> None:
        """`shown` is the message that the sheet was uploaded with."""
        if isinstance(shown, Message) and shown.photo:
            self._file_ids.keep(key, shown.photo[-1].file_id)


class Sheets:
    """The contact sheets of one bot; its presets do not change while it runs."""

    def __init__(self) -> None:
        self._uploaded = UploadedSheets()
        self._first_upload = asyncio.Lock()

    async def show(
        self, page: GalleryPage, language: str, send: Callable[[Sheet], Awaitable[T]]
    ) -> T:
        """Calls `send` with the sheet of a page that is not empty; returns its result."""
        key = (language, tuple(preset.name for preset in page.presets))
        known = await self._uploaded.send(key, send)
        if known is not None:
            return known
        async with self._first_upload:
            known = await self._uploaded.send(key, send)
            if known is not None:
                return known
            sheet = await asyncio.to_thread(
                gallery_sheet, page.presets, language, page.first_number
            )
            shown = await send(BufferedInputFile(sheet, "styles.jpg"))
            self._uploaded.keep(key, shown)
            return shown


def gallery_sheet(presets: Sequence[StylePreset], language: str, first_number: int = 1) -> bytes:
    """The pictures of one to some dozens of presets in rows, numbered and titled, as a JPEG.

    A picture that cannot be read leaves a gray tile with its title. Takes tens of milliseconds
    per picture: call it off the event loop.
    """
    _, side = _layout(len(presets))
    pictures = [_square_picture(preset, side) for preset in presets]
    return draw_sheet(presets, pictures, language, first_number)


def draw_sheet(
    presets: Sequence[StylePreset],
    pictures: Sequence[Image.Image | None],
    language: str,
    first_number: int,
    shape: float = 1.0,
) -> bytes:
    """The presets with these pictures as a JPEG; `shape` is the height of a tile by its width."""
    columns, width = _layout(len(presets))
    titles = [label_of(preset, language) for preset in presets]
    tiles = list(map(Tile, pictures, titles))
    packed = io.BytesIO()
    sheet = contact_sheet(tiles, (width, round(width * shape)), columns, first_number)
    sheet.save(packed, "JPEG", quality=90)
    return packed.getvalue()


def label_of(preset: StylePreset, language: str) -> str:
    """The title in this language as far as the font has its letters, else the English one, else
    none."""
    return first_readable([preset.title(language), preset.title("en")])


def _layout(count: int) -> tuple[int, int]:
    """Columns of a sheet that is WIDTH wide, and pixels across a tile: two columns for a few
    pictures, three for more."""
    columns = min(count, 2) if count <= 4 else MOST_COLUMNS
    return columns, (WIDTH - GAP * (columns + 1)) // columns


def _square_picture(preset: StylePreset, side: int) -> Image.Image | None:
    try:
        with Image.open(preset.picture) as picture:
            picture.draft("RGB", (side, side))  # JPEGs are decoded at no more than twice the size
            return ImageOps.fit(picture.convert("RGB"), (side, side), Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        log.warning("preset_picture_unreadable", preset=preset.name, error=str(error))
        return None
