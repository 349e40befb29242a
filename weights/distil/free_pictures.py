"""Pictures to train on that are free of anybody's terms: `python -m weights.distil.free_pictures`.

Tiles of our own preset styles, of textures drawn by `textures`, and of photographs in the public
domain that the scikit-image package carries (astronaut, chelsea, coffee and others: NASA's and
CC0). `Pictures` takes crops of any scale of these tiles.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from .textures import textures

TILE = 256
TILES_EACH = 30
TEXTURES = 500
PHOTOS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "rocket.jpg",
)
"""Of `skimage/data`; each is CC0 or in the public domain by the notices of scikit-image."""


def tiles(picture: Image.Image, random: np.random.Generator) -> Iterator[Image.Image]:
    """Square crops of all sizes between TILE and the whole picture, shrunk to TILE."""
    least = min(TILE, *picture.size)
    for _ in range(TILES_EACH):
        side = int(random.integers(least, min(picture.size) + 1))
        left = int(random.integers(picture.width - side + 1))
        top = int(random.integers(picture.height - side + 1))
        box = (left, top, left + side, top + side)
        yield picture.resize((TILE, TILE), Image.Resampling.LANCZOS, box=box)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder skimage/data")
    parser.add_argument("--styles", type=Path, default=Path("styles"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=77)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(options.seed)
    sources = [*sorted(options.styles.glob("*.jpg")), *(options.photos / name for name in PHOTOS)]
    for source in sources:
        with Image.open(source) as opened:
            for number, tile in enumerate(tiles(opened.convert("RGB"), random)):
                tile.save(options.out / f"{source.stem}-{number}.png")
    for number, texture in enumerate(textures(options.seed, TEXTURES, TILE)):
        Image.fromarray(texture).save(options.out / f"texture-{number}.png")


if __name__ == "__main__":
    main()
