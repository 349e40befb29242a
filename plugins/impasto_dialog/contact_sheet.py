"""All presets as one numbered picture; the titles are on the buttons, in every language.

Pillow's own font has no Cyrillic, and which fonts a machine has cannot be known: digits it is.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import structlog
from PIL import Image, ImageDraw, ImageFont, ImageOps

from impasto import StylePreset

log = structlog.get_logger(__name__)

WIDTH = 1080
"""Pixels across a phone's screen; Telegram shows photos at up to 1280."""
GAP = 18
CORNER = 30
BADGE = 82
"""Diameter of the disc under a number, 27 points on a phone; less on tiles below three times it."""
SMOOTH = 4
"""Masks are drawn this many times larger, because ImageDraw does not smooth edges."""
WALL = (24, 23, 29)
MISSING = (64, 62, 72)


def contact_sheet(presets: Sequence[StylePreset]) -> bytes:
    """The pictures of one to some dozens of presets in rows, numbered from 1, as a JPEG.

    A picture that cannot be read leaves a gray tile with its number. Takes tens of milliseconds
    per picture: call it off the event loop.
    """
    columns = _columns(len(presets))
    tile = (WIDTH - GAP * (columns + 1)) // columns
    rows = math.ceil(len(presets) / columns)
    sheet = Image.new("RGB", (WIDTH, GAP + rows * (tile + GAP)), WALL)
    corners = _round_corners((tile, tile), CORNER)
    for index, preset in enumerate(presets):
        row, column = divmod(index, columns)
        in_row = min(columns, len(presets) - row * columns)
        margin = (WIDTH - in_row * (tile + GAP) + GAP) // 2
        corner = (margin + column * (tile + GAP), GAP + row * (tile + GAP))
        sheet.paste(_picture(preset, tile), corner, corners)
        _paste_number(sheet, index + 1, corner, tile)
    packed = io.BytesIO()
    sheet.save(packed, "JPEG", quality=90, optimize=True, progressive=True)
    return packed.getvalue()


def _columns(count: int) -> int:
    """Two columns for a few pictures, three for more; five for so many that a sheet of three would
    be too tall for a screen, and at last for Telegram."""
    if count <= 1:
        return 1
    if count <= 4:
        return 2
    return 3 if count <= 24 else 5


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


def _paste_number(sheet: Image.Image, number: int, corner: tuple[int, int], tile: int) -> None:
    """A white number on a dark disc in the lower left corner of a tile."""
    diameter = min(BADGE, tile // 3)
    size = diameter * SMOOTH
    badge = Image.new("RGBA", (size, size))
    draw = ImageDraw.Draw(badge)
    draw.ellipse((0, 0, size - 1, size - 1), fill=(*WALL, 225))
    font = ImageFont.load_default(size=size * 0.58)
    draw.text((size / 2, size / 2), str(number), "white", font, anchor="mm")
    badge = badge.resize((diameter, diameter), Image.Resampling.LANCZOS)
    inset = CORNER // 2
    sheet.paste(badge, (corner[0] + inset, corner[1] + tile - diameter - inset), badge)


def _round_corners(size: tuple[int, int], radius: int) -> Image.Image:
    """A mask with round corners and smooth edges."""
    large = (size[0] * SMOOTH, size[1] * SMOOTH)
    mask = Image.new("L", large)
    box = (0, 0, large[0] - 1, large[1] - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * SMOOTH, fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)
