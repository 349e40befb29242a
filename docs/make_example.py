"""Draws `images/example.jpg`, the picture of the README: a photo, and what is painted from it.

    python docs/make_example.py PHOTO [STYLE ...]

Each painting carries its style picture in a corner. Painted at default settings.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from impasto import PaintRequest, open_picture, paint
from impasto.data_folders import styles_folder
from impasto.painting.catalogue import load_catalogue
from impasto.settings import load_settings

OUT = Path(__file__).parent / "images" / "example.jpg"
GAP = 12
INSET = 3
"""The style picture takes this part of a painting's height."""


def main(photo_file: str, *styles: str) -> None:
    catalogue = load_catalogue(load_settings())
    photo = open_picture(Path(photo_file))
    panels = [photo]
    for name in styles or ("night", "mosaic", "wave"):
        style = open_picture(styles_folder() / f"{name}.jpg")
        *_, painting = paint(PaintRequest(content=photo, styles=[(style, 1.0)]), catalogue)
        panels.append(with_inset(painting.picture.resize(photo.size), style))
    columns = 2
    rows = -(-len(panels) // columns)
    sheet = Image.new(
        "RGB",
        (columns * (photo.width + GAP) - GAP, rows * (photo.height + GAP) - GAP),
        "white",
    )
    for index, panel in enumerate(panels):
        row, column = divmod(index, columns)
        sheet.paste(panel, (column * (photo.width + GAP), row * (photo.height + GAP)))
    OUT.parent.mkdir(exist_ok=True)
    sheet.save(OUT, quality=90)


def with_inset(painting: Image.Image, style: Image.Image) -> Image.Image:
    """The painting with its style picture, framed, in the lower right corner."""
    side = painting.height // INSET
    frame = Image.new("RGB", (side + 6, side + 6), "white")
    frame.paste(style.resize((side, side), Image.Resampling.LANCZOS), (3, 3))
    painting.paste(frame, (painting.width - side - 6, painting.height - side - 6))
    return painting


if __name__ == "__main__":
    main(*sys.argv[1:])
