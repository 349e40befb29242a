"""A page of presets as one picture, a contact sheet, with the number and title of each.

A sheet is drawn and uploaded once per language, then known by its `file_id`.
"""

from __future__ import annotations

import asyncio
import functools
import io
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog
from aiogram.exceptions import TelegramAPIError
from aiogram.types import BufferedInputFile, Message
from PIL import Image, ImageDraw, ImageFont, ImageOps

from impasto import StylePreset
from impasto.telegram.retry import Refused, means

log = structlog.get_logger(__name__)

WIDTH = 1080
"""Pixels across a phone's screen; Telegram shows photos at up to 1280."""
MOST_COLUMNS = 3
GAP = 18
LABEL = 58
"""Height of the line below a tile that has its number and title."""
LETTERS = 34
"""Size of the letters in pixels, 11 points on a phone; smaller where a title is too long."""
LEAST_LETTERS = 20
CORNER = 30
SMOOTH = 4
"""Masks are drawn this many times larger, because ImageDraw does not smooth edges."""
WALL = (24, 23, 29)
MISSING = (64, 62, 72)
TITLE = (240, 236, 226)
NUMBER = (255, 196, 92)

FONT = Path(__file__).with_name("fonts") / "labels.ttf"
"""Machines differ in their fonts, and Pillow's own has no Cyrillic letters."""

MOST_ON_A_PAGE = 12
"""Tiles that a phone's screen shows at a size that tells them apart."""

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
    """A page of the presets, which are spread over as few pages as there can be, as evenly as full
    rows of the contact sheet allow."""
    pages = max(1, math.ceil(len(presets) / MOST_ON_A_PAGE))
    size = math.ceil(len(presets) / pages / MOST_COLUMNS) * MOST_COLUMNS
    page = min(max(page, 0), pages - 1)
    return GalleryPage(
        presets=presets[page * size : (page + 1) * size],
        first_number=page * size + 1,
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
                is_of_file = means(error, Refused) and "file" in error.message
                if not is_of_file:  # such as "wrong file identifier"
                    raise
                del self._file_ids[key]
        async with self._first_upload:
            if key in self._file_ids:
                return await send(self._file_ids[key])
            sheet = await asyncio.to_thread(
                contact_sheet, page.presets, language, page.first_number
            )
            shown = await send(BufferedInputFile(sheet, "styles.jpg"))
            if isinstance(shown, Message) and shown.photo:
                self._file_ids[key] = shown.photo[-1].file_id
            return shown


def contact_sheet(presets: Sequence[StylePreset], language: str, first_number: int = 1) -> bytes:
    """The pictures of one to some dozens of presets in rows, numbered and titled, as a JPEG.

    A picture that cannot be read leaves a gray tile with its title. Takes tens of milliseconds
    per picture: call it off the event loop.
    """
    columns = _columns(len(presets))
    tile = (WIDTH - GAP * (columns + 1)) // columns
    rows = math.ceil(len(presets) / columns)
    sheet = Image.new("RGB", (WIDTH, GAP + rows * (tile + LABEL + GAP)), WALL)
    corners = _round_corners((tile, tile), CORNER)
    for index, preset in enumerate(presets):
        row, column = divmod(index, columns)
        in_row = min(columns, len(presets) - row * columns)
        margin = (WIDTH - in_row * (tile + GAP) + GAP) // 2
        corner = (margin + column * (tile + GAP), GAP + row * (tile + LABEL + GAP))
        sheet.paste(_picture(preset, tile), corner, corners)
        box = (corner[0], corner[1] + tile, corner[0] + tile, corner[1] + tile + LABEL)
        _write_label(sheet, first_number + index, label_of(preset, language), box)
    packed = io.BytesIO()
    sheet.save(packed, "JPEG", quality=90)
    return packed.getvalue()


def label_of(preset: StylePreset, language: str) -> str:
    """The title in this language as far as the font has its letters, else the English one, else
    none."""
    titles = (preset.title(language), preset.title("en"))
    return next((title for title in titles if all(map(_has_glyph, title))), "")


def _columns(count: int) -> int:
    """Two columns for a few pictures, three for more."""
    if count <= 1:
        return 1
    return 2 if count <= 4 else MOST_COLUMNS


def _picture(preset: StylePreset, side: int) -> Image.Image:
    try:
        return _square(preset.picture, side)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        log.warning("preset_picture_unreadable", preset=preset.name, error=str(error))
        return Image.new("RGB", (side, side), MISSING)


def _square(path: Path, side: int) -> Image.Image:
    with Image.open(path) as picture:
        picture.draft("RGB", (side, side))  # JPEGs are decoded at no more than twice the size
        return ImageOps.fit(picture.convert("RGB"), (side, side), Image.Resampling.LANCZOS)


def _write_label(
    sheet: Image.Image, number: int, title: str, box: tuple[int, int, int, int]
) -> None:
    """Number and title side by side, centered in the box."""
    left, top, right, bottom = box
    before = f"{number}  "
    font, title = _fitted(before, title, right - left)
    x = (left + right - font.getlength(before + title)) / 2
    middle = (top + bottom) / 2
    draw = ImageDraw.Draw(sheet)
    draw.text((x, middle), before, NUMBER, font, anchor="lm")
    draw.text((x + font.getlength(before), middle), title, TITLE, font, anchor="lm")


def _fitted(before: str, title: str, width: int) -> tuple[ImageFont.FreeTypeFont, str]:
    """Smaller letters for a long title; one that is too long even so loses its end."""
    for size in range(LETTERS, LEAST_LETTERS, -1):
        if _font(size).getlength(before + title) <= width:
            return _font(size), title
    smallest, cut = _font(LEAST_LETTERS), title
    while cut and smallest.getlength(before + title) > width:
        cut = cut[:-1].rstrip()
        title = f"{cut}…"
    return smallest, title


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


@functools.cache
def _has_glyph(letter: str) -> bool:
    font = _font(LEAST_LETTERS)
    return letter.isspace() or font.getmask(letter).getbbox() != font.getmask("\uffff").getbbox()


def _round_corners(size: tuple[int, int], radius: int) -> Image.Image:
    """A mask with round corners and smooth edges."""
    large = (size[0] * SMOOTH, size[1] * SMOOTH)
    mask = Image.new("L", large)
    box = (0, 0, large[0] - 1, large[1] - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * SMOOTH, fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)
