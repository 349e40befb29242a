"""What each choice in the chat does to one photo, in pictures and figures: `docs/looks.md`.

    python -m benchmarks.looks

Painted as the bot paints, by the embedded network; `docs/make_gallery.py` makes the photo's place.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from impasto import PaintRequest, paint
from impasto.data_folders import styles_folder
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.painting.painter import Painting
from impasto.settings import PaintingSettings, Settings
from impasto_dialog.looks import Brush, Choice, Colors, Look, Quality, Strength, paint_options
from impasto_styles import read_presets

from .records import REPOSITORY

DOCS: Final = REPOSITORY / "docs"
STYLE: Final = "wave"
PHOTO_SIZE: Final = (960, 720)
SHOWN: Final = (420, 315)
COLORED: Final = 25.0
"""Chroma from which a pixel has a hue worth comparing, in units of CIE Lab."""
COARSEST_MARK: Final = 64
"""Pixels: what repeats more slowly belongs to the photo's own forms."""
ROWS: Final[tuple[tuple[str, tuple[Choice, ...]], ...]] = (
    ("Strength", (Strength.SUBTLE, Strength.BALANCED, Strength.STRONG)),
    ("Brush", (Brush.THIN, Brush.MEDIUM, Brush.BROAD)),
    ("Colors", (Colors.STYLE, Colors.OWN)),
    ("Size", (Quality.QUICK, Quality.STANDARD, Quality.LARGE)),
)
INTRODUCTION: Final = """\
# What the choices do

One photo, painted in the style `{style}` with everything at its default but the choice that is
named. Made by `python -m benchmarks.looks`; pictures and photo are ours
([CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/)).

- *style left* is how far the painting is from the style: the style loss, divided by its weight.
- *marks* is how many pixels a mark is from the next, on average: the mean wavelength of the
  painting's lightness, of waves up to {coarsest} pixels.
- *the photo's hues* is the mean cosine between the painting's chroma and the photo's in CIE Lab,
  where both have any; 1 is the same hue everywhere.
"""


def main() -> None:
    sys.path.insert(0, str(DOCS))
    render = importlib.import_module("scene").render  # beside the pages, not on the path

    settings = Settings(painting=PaintingSettings(memory_mb=0))
    catalogue = load_catalogue(settings)
    photo = render(*PHOTO_SIZE)
    folder = DOCS / "images" / "looks"
    folder.mkdir(parents=True, exist_ok=True)
    page = [INTRODUCTION.format(style=STYLE, coarsest=COARSEST_MARK)]
    for title, choices in ROWS:
        page += [f"## {title}\n", *_table(catalogue, photo, choices, folder)]
    (DOCS / "looks.md").write_text("\n".join(page) + "\n", encoding="utf-8")


def _table(
    catalogue: Catalogue, photo: Image.Image, choices: tuple[Choice, ...], folder: Path
) -> Iterator[str]:
    """Paints each choice; yields the lines of a table with a column for each."""
    paintings = [_painted(catalogue, photo, Look().with_choice(choice)) for choice in choices]
    pictures = []
    for choice, (painting, _) in zip(choices, paintings, strict=True):
        path = folder / f"{type(choice).__name__.lower()}-{choice.name.lower()}.jpg"
        small = painting.picture.resize(SHOWN, Image.Resampling.LANCZOS)
        small.save(path, quality=86, optimize=True, progressive=True)
        pictures.append(f"![{choice.name.lower()}](images/looks/{path.name})")
    rows = {
        "": pictures,
        "pixels": [f"{p.picture.width} x {p.picture.height}" for p, _ in paintings],
        "style left": [f"{p.losses.style / weight:.2e}" for p, weight in paintings],
        "marks": [f"{mark_spacing(p.picture):.1f}" for p, _ in paintings],
        "the photo's hues": [f"{hue_agreement(p.picture, photo):.2f}" for p, _ in paintings],
    }
    yield "| | " + " | ".join(choice.name.lower() for choice in choices) + " |"
    yield "|---" * (len(choices) + 1) + "|"
    for name, cells in rows.items():
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""


def _painted(catalogue: Catalogue, photo: Image.Image, look: Look) -> tuple[Painting, float]:
    """The painting and the weight that its style loss has."""
    settings = catalogue.settings.painting
    preset = next(p for p in read_presets(styles_folder()) if p.name == STYLE)
    options = paint_options(look, [preset], settings, settings.max_pixels_cpu)
    style = Image.open(preset.picture).convert("RGB")
    *_, painting = paint(
        PaintRequest(content=photo, styles=[(style, 1.0)], options=options), catalogue
    )
    assert isinstance(painting, Painting)
    assert options.style_weight is not None
    return painting, options.style_weight


def mark_spacing(picture: Image.Image) -> float:
    """Mean wavelength of a picture's lightness in pixels, of waves up to COARSEST_MARK: each
    counts as its power times its frequency, as a picture's coarse waves are its strongest."""
    lightness = np.asarray(picture.convert("L"), dtype=np.float64)
    power = np.abs(np.fft.rfft2(lightness - lightness.mean())) ** 2
    rows = np.fft.fftfreq(lightness.shape[0])[:, None]
    columns = np.fft.rfftfreq(lightness.shape[1])[None]
    frequency = np.hypot(rows, columns)
    fine = frequency >= 1 / COARSEST_MARK
    weight = power[fine] * frequency[fine]
    return float(weight.sum() / (weight * frequency[fine]).sum())


def hue_agreement(one: Image.Image, other: Image.Image) -> float:
    """Mean cosine between the chroma (a, b) of CIE Lab, where there is any; 1 is the same hue."""
    left, right = _chroma(one), _chroma(other.resize(one.size))
    size = np.linalg.norm(left, axis=-1) * np.linalg.norm(right, axis=-1)
    colored = size > COLORED
    return float(((left * right).sum(axis=-1)[colored] / size[colored]).mean())


def _chroma(picture: Image.Image) -> NDArray[np.float64]:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(picture.convert("RGB"), srgb, lab, outputMode="LAB")
    assert converted is not None
    return np.asarray(converted)[..., 1:].astype(np.int8).astype(np.float64)


if __name__ == "__main__":
    main()
