"""Draws `looks.md` and its pictures: what each choice in the chat does to one photo.

    python docs/make_looks.py

Painted as the bot paints, by the embedded network.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageOps

from impasto import PaintRequest, open_picture, paint
from impasto.data_folders import styles_folder
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.settings import PaintingSettings, Settings
from impasto_dialog.looks import Brush, Choice, Colors, Look, Quality, Strength, paint_options
from impasto_styles import read_presets

PAGE = Path(__file__).parent / "looks.md"
IMAGES = Path(__file__).parent / "images" / "looks"
STYLE = "palette_knife"
PHOTO = Path(__file__).parent / "images" / "gallery" / "face.jpg"
SHOWN = (420, 420)
CHOICES: dict[str, tuple[Choice, ...]] = {
    "Strength": (Strength.SUBTLE, Strength.BALANCED, Strength.STRONG),
    "Brush": (Brush.THIN, Brush.MEDIUM, Brush.BROAD),
    "Colors": (Colors.STYLE, Colors.OWN),
    "Size": (Quality.QUICK, Quality.STANDARD),
}
INTRODUCTION = """\
# What the choices do

One photo from [the gallery](gallery.md), painted in the style *palette knife*. Everything is at
its default except the choice named. Tap a picture to see it larger.
"""
ON_LARGE = """\
*Large* gives a painting up to four times as many pixels as *standard*, as far as the photo has
them. This small photo has none to spare, so here *large* looks like *standard*.

The pictures are made by [`make_looks.py`](make_looks.py) and dedicated to the public domain
([CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/)).
"""


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    catalogue = load_catalogue(Settings(painting=PaintingSettings(memory_mb=0)))
    photo = open_picture(PHOTO)
    page = [INTRODUCTION]
    for title, choices in CHOICES.items():
        page += [f"## {title}\n", *table(catalogue, photo, choices), ""]
    PAGE.write_text("\n".join([*page, ON_LARGE]), encoding="utf-8")


def table(catalogue: Catalogue, photo: Image.Image, choices: tuple[Choice, ...]) -> Iterator[str]:
    """Paints each choice; yields the lines of a table with a column for each."""
    pictures, sizes = [], []
    for choice in choices:
        picture = painted(catalogue, photo, Look().with_choice(choice))
        path = IMAGES / f"{type(choice).__name__.lower()}-{choice.name.lower()}.jpg"
        small = ImageOps.contain(picture, SHOWN)
        small.save(path, quality=86, optimize=True, progressive=True)
        place = f"images/looks/{path.name}"
        pictures.append(f"[![{choice.name.lower()}]({place})]({place})")
        sizes.append(f"{picture.width} x {picture.height} pixels")
    yield "| " + " | ".join(choice.name.lower() for choice in choices) + " |"
    yield "|---" * len(choices) + "|"
    yield "| " + " | ".join(pictures) + " |"
    if len(set(sizes)) > 1:
        yield "| " + " | ".join(sizes) + " |"


def painted(catalogue: Catalogue, photo: Image.Image, look: Look) -> Image.Image:
    painting = catalogue.settings.painting
    preset = next(p for p in read_presets(styles_folder()) if p.name == STYLE)
    options = paint_options(look, [preset], painting, painting.max_pixels_cpu)
    style = open_picture(preset.picture)
    request = PaintRequest(content=photo, styles=[(style, 1.0)], options=options)
    *_, last = paint(request, catalogue)
    return last.picture


if __name__ == "__main__":
    main()
