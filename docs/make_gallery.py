"""Draws `gallery.md` and its pictures: every preset beside one photo painted with it.

    python docs/make_gallery.py [NAME ...]

Painted at default settings by the embedded network. Without names, every preset of `styles/` is
painted; with names, only those. The photo is rendered when it is not there yet.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from scene import render

from impasto import PaintOptions, PaintRequest, StylePreset, open_picture, paint
from impasto.data_folders import styles_folder
from impasto.painting.catalogue import load_catalogue
from impasto.painting.painter import Painting
from impasto.settings import load_settings
from impasto_styles import read_presets

PAGE = Path(__file__).parent / "gallery.md"
IMAGES = Path(__file__).parent / "images" / "gallery"
PHOTO_SIZE = (400, 300)
THUMBNAIL = 300
LARGEST_FILE = 60_000

INTRODUCTION = """\
# The gallery

The presets that come with Impasto, each beside the same photo painted with it at default settings
by the embedded network. The presets are drawn by the programs in [`styles/draw`](../styles/draw),
the photo is rendered by [`scene.py`](scene.py), and this page is written by
[`make_gallery.py`](make_gallery.py). All pictures here are dedicated to the public domain
([CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/)).

![The photo: a lighthouse and a house on an island](images/gallery/photo.jpg)

| preset | style picture | the photo painted with it |
|---|---|---|
"""


def main(*names: str) -> None:
    presets = read_presets(styles_folder())
    unknown = sorted(set(names) - {preset.name for preset in presets})
    if unknown:
        sys.exit(f"no preset is called {', '.join(unknown)}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    if not (IMAGES / "photo.jpg").exists():
        save(render(*PHOTO_SIZE), "photo")
    photo = open_picture(IMAGES / "photo.jpg")
    settings = load_settings()
    catalogue = load_catalogue(settings)
    for preset in presets:
        if names and preset.name not in names:
            continue
        style = open_picture(preset.picture)
        options = PaintOptions(
            style_weight=settings.painting.style_weight * preset.strength,
            brush_size=preset.brush_size,
        )
        request = PaintRequest(content=photo, styles=[(style, 1.0)], options=options)
        for event in paint(request, catalogue):
            if isinstance(event, Painting):
                save(event.picture, f"{preset.name}_painted")
        save(style.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS), preset.name)
    write_page([preset for preset in presets if (IMAGES / f"{preset.name}_painted.jpg").exists()])


def save(picture: Image.Image, name: str) -> None:
    """Write a JPEG of at most LARGEST_FILE bytes, as good as that allows."""
    for quality in range(90, 30, -4):
        path = IMAGES / f"{name}.jpg"
        picture.save(path, quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= LARGEST_FILE:
            return


def write_page(presets: list[StylePreset]) -> None:
    rows = [
        f"| {preset.emoji} {preset.title('en')}<br>`{preset.name}` "
        f"| ![{preset.title('en')}: the style](images/gallery/{preset.name}.jpg) "
        f"| ![{preset.title('en')}: the painting](images/gallery/{preset.name}_painted.jpg) |"
        for preset in presets
    ]
    PAGE.write_text(INTRODUCTION + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
