"""Pictures for tests of the steps before and after painting."""

from __future__ import annotations

import numpy as np
from PIL import Image

from impasto import PaintOptions, PictureContext


def noise(size: tuple[int, int], seed: int, low: int = 0, high: int = 256) -> Image.Image:
    values = np.random.default_rng(seed).integers(low, high, (size[1], size[0], 3))
    return Image.fromarray(values.astype(np.uint8))


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> Image.Image:
    picture = Image.new("RGB", (200, 200), left)
    picture.paste(right, (100, 0, 200, 200))
    return picture


def context(role: str, **facts: object) -> PictureContext:
    options = facts.pop("options", PaintOptions(max_pixels=10_000))
    return PictureContext(role=role, options=options, **facts)
