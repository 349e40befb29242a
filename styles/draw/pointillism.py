"""A shore in summer in round dots, each apart from its neighbors, on a light ground.

The scene is painted flat first and then only looked at: most dots take the color under them, some
a purer one, and some its complement, all about as bright as the place they stand for, so that they
mix in the eye and do not speckle. Large dots are set first, small ones fill the gaps.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .curves import Sheet
from .fields import Field, blur, grain, grid, noise, smoothstep
from .palette import luminance, palette, ramp, rgb, varied
from .strokes import picture, relief

GROUND = rgb("fbf4e6")
SKY = palette("4f8acb 86b6df c3d8e6 f3dcc8 f5bfa4")
HILL = palette("7b74b4 a597c8 cdb6cf")
TREES = palette("10183a 173f52 2f7052 7d9a54 d8b583")
SAND = palette("4f3f86 b06a80 e5967a f3b695 f9dcc8")
DOTS = ((18.0, 1.26), (9.0, 1.30))
"""Diameters in pixels of a picture of 1024, and how far apart dots keep, in the mean of two."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the shore at `size` by `size` pixels."""
    hand, paint = rng.spawn(2)
    view = _view(size, paint)
    ground = view + (0.15 + 0.4 * luminance(view))[..., None] * (GROUND - view)
    sheet = Sheet(ground)
    x, y, diameter = _apart(hand)
    rows, columns = ((at * size).astype(int) for at in (y, x))
    colors = _divided(view[rows, columns], hand)
    for at_x, at_y, wide, color in zip(x, y, diameter, colors, strict=True):
        sheet.disks([(at_x, at_y, wide / 2)], color)
    dotted = sheet.color()
    height = blur(np.abs(dotted - ground).max(axis=-1) > 0.03, 1.5 * size / 1024)
    weave = 0.05 * grain(size, paint, 0.8)
    return picture(relief(dotted, 0.5 * height + weave, 0.6, 0.06))


def _apart(rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Throw dots, large ones first, and keep those that touch no other.

    Returns x, y and diameter on the unit square, in random order.
    """
    kept = np.zeros((0, 3))
    for diameter, spacing in DOTS:
        wide = diameter / 1024
        for x, y in rng.random((round(9 / wide**2), 2)):
            near = kept[np.abs(kept[:, 0] - x) < 2 * wide]
            gap = np.hypot(near[:, 0] - x, near[:, 1] - y)
            if np.all(gap > spacing * (near[:, 2] + wide) / 2):
                kept = np.vstack([kept, (x, y, wide)])
    return kept[:, 0], kept[:, 1], kept[:, 2]


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
    """Give colors (n, 3) one by one to a dot: local, purer, or complementary and as bright."""
    value = luminance(color)[:, None]
    hue = color - value
    chance = rng.random(len(color))[:, None]
    tone = np.where(chance < 0.35, 0.97 * value + 1.8 * hue, 0.97 * value + 1.15 * hue)
    tone = np.where(chance > 0.86, 0.94 * value - 0.7 * hue, tone)
    return varied(np.clip(tone, 0, 1).astype(np.float32), rng, 0.06, 0.025)
