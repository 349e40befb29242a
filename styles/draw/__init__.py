"""The programs that draw Impasto's preset style pictures, one module per preset.

A preset's module has `draw(size, rng)`, which returns an RGB picture of `size` by `size` pixels and
takes all its chance from `rng`. `draw_preset` calls it with the seed that the kept picture has.
"""

from __future__ import annotations

import importlib
import zlib

import numpy as np
from PIL import Image

PRESETS = (
    "night",
    "wave",
    "palette_knife",
    "watercolor",
    "mosaic",
    "pastel",
    "charcoal",
    "cubist",
    "pointillism",
    "linocut",
    "ink",
    "comic",
    "embroidery",
    "marbled",
    "sanguine",
)


def draw_preset(name: str, size: int = 1024) -> Image.Image:
    """Draw one of PRESETS at `size` by `size` pixels, the same at every call."""
    module = importlib.import_module(f".{name}", __name__)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    image: Image.Image = module.draw(size, rng)
    return image
