"""A shore in summer in clean round dots that lap over each other.

The scene is painted flat first and then only looked at: most dots take the color under them, some
a purer one, and some a grey, all about as bright as the place they stand for, so that they mix in
the eye and do not speckle.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .curves import Sheet
from .fields import Field, grain, grid, noise, smoothstep
from .palette import luminance, palette, ramp, rgb, varied
from .strokes import picture

SKY = palette("4f8acb 86b6df c3d8e6 f3dcc8 f5bfa4")
HILL = palette("7f90b4 a3aec8 ccc4cc")
TREES = palette("14183a 3d4766 74857e b0ac80 e4cc9e")
SAND = palette("644a58 b0786a e69e70 f4c09a fae3cb")
CREAM, CANVAS = rgb("f7ecd8"), 0.08
"""Color of the bare canvas, and how far it goes from the scene to that."""
PURE, LOCAL, GREY = 1.3, 0.95, 0.7
"""Factors on the chroma of dots: those that are to be grey mute their neighbors. Any wider apart,
dots are spots on a face."""
DOT = 18.0 / 1024
"""Diameter of a dot as a share of the picture's side."""
SPACING = 0.80
"""How far apart the middles of dots keep, in diameters. They lap over each other: gaps become a
net on a face."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the shore at `size` by `size` pixels."""
    hand, paint = rng.spawn(2)
    view = _view(size, paint)
    sheet = Sheet(view + CANVAS * (CREAM - view))
    x, y = _apart(hand)
    rows, columns = ((at * size).astype(int) for at in (y, x))
    for at_x, at_y, color in zip(x, y, _divided(view[rows, columns], hand), strict=True):
        sheet.disks([(at_x, at_y, DOT / 2)], color)
    dotted = sheet.color()
    return picture(dotted * (1 + 0.01 * grain(size, paint, 0.8)[..., None]))


def _apart(rng: np.random.Generator) -> tuple[Field, Field]:
    """Throw dots and keep those that are far enough from the others; returns their x and y on the
    unit square."""
    kept = np.zeros((0, 2))
    for x, y in rng.random((round(9 / DOT**2), 2)):
        near = kept[np.abs(kept[:, 0] - x) < DOT]
        if np.all(np.hypot(near[:, 0] - x, near[:, 1] - y) > SPACING * DOT):
            kept = np.vstack([kept, (x, y)])
    return kept[:, 0], kept[:, 1]


def _view(size: int, rng: np.random.Generator) -> Field:
    """Return the scene in flat colors, (size, size, 3)."""
    x, y = grid(size)
    rough = noise(size, rng, 5, 3)
    color = ramp(SKY, np.clip(2.1 * y + 0.07 * rough, 0, 1))
    hill = y > 0.40 + 0.03 * np.sin(7 * x + 1) + 0.006 * rough
    color = np.where(hill[..., None], ramp(HILL, np.clip(4 * (y - 0.36), 0, 1)), color)
    crown = 0.34 + 0.10 * np.sin(4 * x + 0.6) + 0.03 * rough
    trees = (y > crown) & (y < 0.78)
    lit = np.clip(0.85 - 3.0 * (y - crown) + 0.20 * rough, 0, 1)
    color = np.where(trees[..., None], ramp(TREES, lit), color)
    shore = y > 0.66 + 0.05 * np.sin(5 * x + 2) + 0.008 * rough
    cast = smoothstep(0.2, 0.7, np.sin(9 * x - 14 * (y - 0.7)) + 0.3 * rough)
    sun = np.clip(0.86 - 0.62 * cast + 0.10 * rough, 0, 1)
    return np.where(shore[..., None], ramp(SAND, sun), color).astype(np.float32)


def _divided(color: Field, rng: np.random.Generator) -> Field:
    """Give colors (n, 3) one by one to a dot: local, purer or grey, and as bright."""
    value = luminance(color)[:, None]
    hue = color - value
    chance = rng.random(len(color))[:, None]
    tone = np.where(chance < 0.35, 0.97 * value + PURE * hue, 0.97 * value + LOCAL * hue)
    tone = np.where(chance > 0.86, 0.94 * value + GREY * hue, tone)
    return varied(np.clip(tone, 0, 1).astype(np.float32), rng, 0.035, 0.012)
