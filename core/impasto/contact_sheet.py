"""Pictures side by side as one, a contact sheet, each with its number and title.

The gallery of the chat is one, and what `impasto sheet` writes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

GAP: Final = 18
LABEL: Final = 58
"""Height of the line below a tile that has its number and title."""
LETTERS: Final = 34
"""Size of the letters in pixels, 11 points on a phone; smaller where a title is too long."""
LEAST_LETTERS: Final = 20
CORNER: Final = 30
SMOOTH: Final = 4
"""Masks are drawn this many times larger, because ImageDraw does not smooth edges."""
WALL: Final = (24, 23, 29)
MISSING: Final = (64, 62, 72)
TITLE: Final = (240, 236, 226)
NUMBER: Final = (255, 196, 92)

FONT: Final = Path(__file__).with_name("fonts") / "labels.ttf"
"""Machines differ in their fonts, and Pillow's own has no Cyrillic letters."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a sheet; None leaves a gray tile."""

    picture: Image.Image | None
    title: str


def contact_sheet(
    tiles: Sequence[Tile], size: tuple[int, int], columns: int, first_number: int = 1
) -> Image.Image:
    """The pictures in rows, numbered and titled; a last row that is not full is centered.

    Args:
        tiles: one or more. What of a picture does not fit into a tile is cut off.
        size: width and height of a tile in pixels.
    """
    width, height = size
    rows = math.ceil(len(tiles) / columns)
    sheet_size = (GAP + columns * (width + GAP), GAP + rows * (height + LABEL + GAP))
    sheet = Image.new("RGB", sheet_size, WALL)
    corners = _round_corners(size, CORNER)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        in_row = min(columns, len(tiles) - row * columns)
        margin = (sheet.width - in_row * (width + GAP) + GAP) // 2
        left, top = margin + column * (width + GAP), GAP + row * (height + LABEL + GAP)
        sheet.paste(_fitted(tile.picture, size), (left, top), corners)
        box = (left, top + height, left + width, top + height + LABEL)
        _write_label(sheet, first_number + index, tile.title, box)
    return sheet


def first_readable(titles: Sequence[str]) -> str:
    """The first title whose letters the font has, else none."""
    return next((title for title in titles if all(map(_has_glyph, title))), "")


def _fitted(picture: Image.Image | None, size: tuple[int, int]) -> Image.Image:
    if picture is None:
        return Image.new("RGB", size, MISSING)
    if picture.size == size:
        return picture
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


def _write_label(
    sheet: Image.Image, number: int, title: str, box: tuple[int, int, int, int]
) -> None:
    """Number and title side by side, centered in the box."""
    left, top, right, bottom = box
    before = f"{number}  "
    font, title = _shortened(before, title, right - left)
    x = (left + right - font.getlength(before + title)) / 2
    middle = (top + bottom) / 2
    draw = ImageDraw.Draw(sheet)
    draw.text((x, middle), before, NUMBER, font, anchor="lm")
    draw.text((x + font.getlength(before), middle), title, TITLE, font, anchor="lm")


def _shortened(before: str, title: str, width: int) -> tuple[ImageFont.FreeTypeFont, str]:
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
