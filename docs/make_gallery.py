"""Draws `gallery.md` and its pictures, photos painted in every preset, and the grid of the README.

    python docs/make_gallery.py [NAME ...]

Painted as the bot paints, at default settings, by the embedded network. Without names, in every
preset of `styles/`; with names, only in those.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageOps

from impasto import PaintOptions, PaintRequest, StylePreset, open_picture, paint
from impasto.data_folders import styles_folder
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.settings import PaintingSettings, Settings
from impasto_styles import read_presets

DOCS = Path(__file__).parent
PAGE = DOCS / "gallery.md"
IMAGES = DOCS / "images" / "gallery"
PHOTOS = ("face", "cat", "coffee")
"""Beside the page's pictures; the page says whose they are."""
SHOWN = (640, 560)
"""The largest width and height of a painting on the page."""
THUMBNAIL = 256
LARGEST_FILE = 90_000

GRID = DOCS / "images" / "example.jpg"
TILE = 300
GAP = 6
ROWS = (
    ("face", ("palette_knife", "night", "sanguine")),
    ("cat", ("mosaic", "linocut", "ink")),
    ("coffee", ("cubist", "embroidery", "comic")),
)
"""What the README shows: a photo and its paintings in each row."""

INTRODUCTION = """\
# The gallery

The preset styles that come with Impasto, and what each makes of three photos at default settings.
The paintings are scaled down here: at full size their longer side is 1080 pixels; a small photo is
painted at up to twice its size.

![The photo of a face](images/gallery/face.jpg)
![The photo of a cat](images/gallery/cat.jpg)
![The photo of a cup of coffee](images/gallery/coffee.jpg)

The photos are samples of [scikit-image](https://scikit-image.org): Eileen Collins, by NASA (public
domain; cropped), Chelsea the cat, by Stéfan van der Walt (CC0), and a cup of coffee, by Rachel
Michetti (CC0). The style pictures are drawn by the programs in [`styles/draw`](../styles/draw);
they and the paintings, made by [`make_gallery.py`](make_gallery.py), are dedicated to the public
domain ([CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/)).
"""


def main(*names: str) -> None:
    presets = read_presets(styles_folder())
    unknown = sorted(set(names) - {preset.name for preset in presets})
    if unknown:
        sys.exit(f"no preset is called {', '.join(unknown)}")
    catalogue = load_catalogue(Settings(painting=PaintingSettings(memory_mb=0)))
    for preset in presets:
        if not names or preset.name in names:
            style = open_picture(preset.picture)
            save(ImageOps.contain(style, (THUMBNAIL, THUMBNAIL)), preset.name)
            for photo in PHOTOS:
                painting = painted(catalogue, open_picture(IMAGES / f"{photo}.jpg"), preset)
                save(ImageOps.contain(painting, SHOWN), f"{preset.name}_{photo}")
    write_page(presets)
    grid().save(GRID, quality=88, optimize=True, progressive=True)


def painted(catalogue: Catalogue, photo: Image.Image, preset: StylePreset) -> Image.Image:
    painting = catalogue.settings.painting
    options = PaintOptions(
        style_weight=painting.style_weight * preset.strength,
        brush_size=painting.brush_size * preset.brush_size,
    )
    request = PaintRequest(
        content=photo, styles=[(open_picture(preset.picture), 1.0)], options=options
    )
    *_, last = paint(request, catalogue)
    return last.picture


def save(picture: Image.Image, name: str) -> None:
    """Writes a JPEG of at most LARGEST_FILE bytes, as good as that allows."""
    path = IMAGES / f"{name}.jpg"
    for quality in range(90, 30, -4):
        picture.save(path, quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= LARGEST_FILE:
            return


def write_page(presets: list[StylePreset]) -> None:
    lines = [INTRODUCTION]
    for preset in presets:
        title = preset.title("en")
        lines += [
            f"## {preset.emoji} {title}\n",
            f"![The style picture](images/gallery/{preset.name}.jpg)",
        ]
        lines += [
            f"![{title}: {photo}](images/gallery/{preset.name}_{photo}.jpg)" for photo in PHOTOS
        ]
        lines += [""]
    PAGE.write_text("\n".join(lines), encoding="utf-8")


def grid() -> Image.Image:
    """Each photo of ROWS and its paintings, cut to squares."""
    columns = 1 + max(len(names) for _, names in ROWS)
    step = TILE + GAP
    sheet = Image.new("RGB", (columns * step - GAP, len(ROWS) * step - GAP), "white")
    for row, (photo, names) in enumerate(ROWS):
        for column, file in enumerate([photo, *(f"{name}_{photo}" for name in names)]):
            with Image.open(IMAGES / f"{file}.jpg") as picture:
                tile = ImageOps.fit(picture.convert("RGB"), (TILE, TILE), centering=(0.5, 0.3))
            sheet.paste(tile, (column * step, row * step))
    return sheet


if __name__ == "__main__":
    main(*sys.argv[1:])
