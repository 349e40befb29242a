"""A garden path in soft pastels: color rubbed into toned paper, and over it strokes of clean chalk.

Every place is rubbed with its color first, which the paper makes dustier and darker. Then broad
strokes of chalk lie side by side over it, some lighter than the color and some darker, but all of
its hue: strokes of other hues would be bruises on a face. Chalk takes only on the grain of the
paper, so that strokes are ragged, and the rubbed color shows between them. Tones change in clear
steps; the darks are dusty, for chalk has no black.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .fields import Field, blur, grain, grid, noise, smoothstep, stroke_rows
from .palette import palette, ramp, rgb
from .strokes import picture

PAPER = rgb("d4c4b4")
SKY = palette("6c98c6 98bcdc bcd6e8 ece8e2 fcecd2")
HILL = palette("5a5c92 8a88b8 b8aecb dcc6cc")
WOOD = palette("34323e 565c60 808a74 b8b488 e8e0b0")
PATH = palette("7a4636 b8785a e2a480 f6ceae fdeedf")
GAP = 15.0 / 1024
"""Distance between the middles of strokes as a share of the picture's side."""
STROKE = 150 / 1024
"""Length of a stroke, likewise."""
SLANTS = (-0.95, -0.65)
"""Directions in radians from the horizontal; shapes take them in turn."""
RUBBED = 0.72
"""How much of the paper the rubbed color hides."""
LIFT, SPREAD = 0.04, 0.06
"""How much lighter strokes are than their color, on average, and the standard deviation of it."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the garden at `size` by `size` pixels."""
    view, slant = _view(size, rng)
    unit = size / 1024
    tooth = 0.7 * grain(size, rng, 1.6 * unit) + 0.3 * grain(size, rng, 5 * unit)
    color = PAPER + RUBBED * (blur(view, 3 * unit) - PAPER)
    color *= (1 + 0.015 * tooth)[..., None]
    lift, cover = _stroked(slant, tooth, rng)
    color += cover[..., None] * (view * (1 + lift)[..., None] - color)
    return picture(color)


def _view(size: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return the scene in soft colors, (size, size, 3), and the slant of strokes, (size, size)."""
    x, y = grid(size)
    rough, fine = noise(size, rng, 4, 3), noise(size, rng, 10, 2)

    def stepped(tone: Field) -> Field:
        step = np.floor(tone * 5)
        soft: Field = (step + smoothstep(0.3, 0.7, tone * 5 - step)) / 5
        return soft

    color = ramp(SKY, stepped(0.05 + 2.2 * y + 0.16 * rough))
    slant = np.full(x.shape, SLANTS[0], np.float32)
    leaves = 0.24 * rough + 0.14 * fine
    shapes = (
        (y - 0.36 - 0.05 * np.sin(5 * x + 1), HILL, 0.5 + 0.3 * rough),
        (y - 0.44 - 0.10 * np.sin(6.5 * x) - 0.02 * fine, WOOD, 0.94 + leaves - 0.8 * y),
        (y - 0.60 - 0.06 * np.sin(4 * x + 2) - 0.01 * fine, PATH,
         0.66 + 0.34 * np.sin(9 * x - 6 * y + 0.6 * rough)),
        (y - 0.84 - 0.06 * np.sin(5 * x + 4) - 0.02 * fine, WOOD, 0.24 + leaves),
    )  # fmt: skip
    for number, (inside, tints, tone) in enumerate(shapes):
        color = np.where((inside > 0)[..., None], ramp(tints, stepped(tone)), color)
        slant = np.where(inside > 0, SLANTS[(number + 1) % len(SLANTS)], slant)
    return color.astype(np.float32), slant.astype(np.float32)


def _stroked(slant: Field, tooth: Field, rng: np.random.Generator) -> tuple[Field, Field]:
    """Lay strokes along `slant` radians.

    Returns, for each place, by how much its stroke is lighter than the scene and how much of the
    rubbed color it covers, both (size, size).
    """
    wander = 0.3 * noise(len(slant), rng, 4, 3)
    rows = stroke_rows(slant, GAP, STROKE, wander, 512, rng)
    lifts = rng.normal(LIFT, SPREAD, (512, 128)).astype(np.float32)
    presses = rng.normal(0.55, 0.35, (512, 128)).astype(np.float32)
    at = rows.row, rows.stroke
    press = (
        presses[at] - 1.5 * smoothstep(0.45, 1.0, rows.side) - 1.2 * smoothstep(0.7, 1.0, rows.end)
    )
    return lifts[at], 0.94 * smoothstep(-0.35, 0.35, press + 0.6 * tooth)
