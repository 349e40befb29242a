"""Hills in charcoal on cream paper: soft strokes with the side of the stick over rubbed tones.

Tones are rubbed into the paper first. Over them the stick is drawn in broad parallel strokes that
lap over each other, harder the darker a place is; light places stay paper, barely touched. The
paper's tooth shows a little: strokes that break up into grains give faces moles, and strokes with
hard edges scratch them.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .fields import Field, blur, grain, grid, noise, smoothstep, stroke_rows
from .palette import palette, ramp, rgb
from .strokes import picture

RUBBED = palette("f5e8ce decfb4 ae9f8a 6f6453 2f2820")
"""Charcoal rubbed into the paper, from none to much."""
BLACK = rgb("171310")
LIGHT = 0.16
"""How dark a place must be before the stick touches it."""
GAP = 13.0 / 1024
"""Distance between the middles of strokes as a share of the picture's side."""
STROKE = 170 / 1024
"""Length of a stroke, likewise."""
SOFT = 0.7
"""Within what share of half the distance between strokes their edges fade, on either side."""
SLANTS = (-0.95, -0.62)
"""Directions in radians from the horizontal; hills take them in turn."""
HILLS = (0.42, 0.68, 0.30, 0.86, 0.50, 0.95)
"""How dark hills are, from the farthest to the nearest."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the hills at `size` by `size` pixels."""
    dark, slant = _hills(size, rng)
    unit = size / 1024
    tooth = 0.75 * grain(size, rng, 1.1 * unit) + 0.25 * noise(size, rng, 120, 2)
    rubbed = blur(dark, 3 * unit) + 0.02 * noise(size, rng, 30, 2)
    color = ramp(RUBBED, rubbed)
    covered = _drawn(dark, slant, tooth, rng)
    color += covered[..., None] * (BLACK - color)
    color *= 1 + (0.012 * tooth)[..., None]
    return picture(color)


def _hills(size: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return how dark places are, in [0, 1], and the slant of their strokes, both (size, size)."""
    x, y = grid(size)
    clouds = np.sin(13 * y - 4 * x + 1.2 * noise(size, rng, 3, 2))
    dark = 0.05 + 0.16 * smoothstep(-0.2, 0.9, clouds)
    slant = np.full(x.shape, SLANTS[1], np.float32)
    for layer, tone in enumerate(HILLS):
        rough = noise(size, rng, 3, 3)
        down = y - 0.24 - 0.13 * layer - 0.04 * rough[size // 2]
        lean = 13 if layer % 2 else -10
        hollow = np.sin(12 * x + lean * down + 0.9 * rough + 2 * layer)
        steps = 0.34 * smoothstep(0.2, 0.7, hollow) - 0.34 * smoothstep(-0.2, -0.7, hollow)
        dark = np.where(down > 0, tone - 0.06 + steps + 0.03 * rough, dark)
        slant = np.where(down > 0, SLANTS[layer % len(SLANTS)], slant)
    return np.clip(dark, 0.02, 1).astype(np.float32), slant.astype(np.float32)


def _drawn(dark: Field, slant: Field, tooth: Field, rng: np.random.Generator) -> Field:
    """Return how much charcoal, in [0, 1], strokes along `slant` radians leave."""
    wander = 0.30 * noise(len(dark), rng, 4, 3)
    rows = stroke_rows(slant, GAP, STROKE, wander, 256, rng)
    weights = rng.normal(1.0, 0.50, (256, 64))
    press = (dark - LIGHT) * weights[rows.row, rows.stroke] * (1 - 0.3 * rows.end**4)
    edge = smoothstep(SOFT, -SOFT, rows.side - 0.85 - 0.55 * press)
    touch = edge * smoothstep(0.02, 0.25, press)
    bite = np.clip(0.55 + 0.60 * press + 0.18 * tooth, 0, 1) * np.clip(0.35 + 0.65 * press, 0, 1)
    covered: Field = 0.9 * touch * bite
    return covered
