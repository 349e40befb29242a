"""A page of presets as one picture, a contact sheet, with the number and title of each.

A sheet is drawn and uploaded once per language, then known by its `file_id`.
"""

from __future__ import annotations

import asyncio
import io
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
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


class Sheets:
    """The contact sheets of one bot; its presets do not change while it runs."""

    def __init__(self) -> None:
        self._file_ids: dict[tuple[str, tuple[str, ...]], str] = {}
        self._first_upload = asyncio.Lock()

    async def show(
        self, page: GalleryPage, language: str, send: Callable[[Sheet], Awaitable[T]]
    ) -> T:
        """Calls `send` with the sheet of a page that is not empty; returns its result."""
        key = (language, tuple(preset.name for preset in page.presets))
        known = self._file_ids.get(key)
        if known is not None:
            try:
                return await send(known)
            except TelegramAPIError as error:
                if not is_file_refused(error):
                    raise
                del self._file_ids[key]
        async with self._first_upload:
            if key in self._file_ids:
                return await send(self._file_ids[key])
            sheet = await asyncio.to_thread(
                gallery_sheet, page.presets, language, page.first_number
            )
            shown = await send(BufferedInputFile(sheet, "styles.jpg"))
            if isinstance(shown, Message) and shown.photo:
                self._file_ids[key] = shown.photo[-1].file_id
            return shown


def is_file_refused(error: TelegramAPIError) -> bool:
    """Whether a known `file_id` is no use any more, as with "wrong file identifier"."""
    return means(error, Refused) and "file" in error.message


def gallery_sheet(presets: Sequence[StylePreset], language: str, first_number: int = 1) -> bytes:
    """The pictures of one to some dozens of presets in rows, numbered and titled, as a JPEG.

    A picture that cannot be read leaves a gray tile with its title. Takes tens of milliseconds
    per picture: call it off the event loop.
    """
    columns = columns_for(len(presets))
    side = tile_width(columns)
    tiles = [Tile(_picture(preset, side), label_of(preset, language)) for preset in presets]
    packed = io.BytesIO()
    sheet = contact_sheet(tiles, (side, side), columns, first_number)
    sheet.save(packed, "JPEG", quality=90)
    return packed.getvalue()


def label_of(preset: StylePreset, language: str) -> str:
    """The title in this language as far as the font has its letters, else the English one, else
    none."""
    return first_readable([preset.title(language), preset.title("en")])


def tile_width(columns: int) -> int:
    """Pixels of a tile of a sheet that is WIDTH wide."""
    return (WIDTH - GAP * (columns + 1)) // columns


def columns_for(count: int) -> int:
    """Two columns for a few pictures, three for more."""
    if count <= 1:
        return 1
    return 2 if count <= 4 else MOST_COLUMNS


def _picture(preset: StylePreset, side: int) -> Image.Image | None:
    try:
        return _square(preset.picture, side)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        log.warning("preset_picture_unreadable", preset=preset.name, error=str(error))
        return None


def _square(path: Path, side: int) -> Image.Image:
    with Image.open(path) as picture:
        picture.draft("RGB", (side, side))  # JPEGs are decoded at no more than twice the size
        return ImageOps.fit(picture.convert("RGB"), (side, side), Image.Resampling.LANCZOS)
