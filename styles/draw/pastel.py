"""A garden path in soft pastels: broad strokes side by side over rubbed color, on toothed paper.

Color is rubbed into the paper first; then every place is gone over in broad parallel strokes, each
a little lighter, darker or of another hue than what it lies on. Tones change in clear steps. A
stroke differs less from its neighbors the lighter it is, so that skin keeps its bloom.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .fields import Field, blur, grain, grid, noise, smoothstep, stroke_rows
from .palette import luminance, palette, ramp
from .strokes import picture

SKY = palette("7ea2bc a9c0cc d8d9d2 f6e4ca f2cda8")
HILL = palette("6f7f9c 9698aa c4ab9c")
WOOD = palette("141f20 28403a 4e6650 888c66 c8ba8c")
PATH = palette("45262a 86493c be7e5e e6b08c f8dec0")
BAND = 19.0 / 1024
"""Width of a stroke as a share of the picture's side."""
STROKE = 150 / 1024
"""Length of a stroke, likewise."""
SLANTS = (-0.85, -0.55)
"""Directions in radians from the horizontal; shapes take them in turn."""
STEPS = 5
VALUE, HUE = 0.13, 0.04
"""How far strokes differ in brightness and in each channel, in the darks."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the garden at `size` by `size` pixels."""
    view, slant = _view(size, rng)
    unit = size / 1024
    tooth = 0.7 * grain(size, rng, 1.1 * unit) + 0.3 * noise(size, rng, 110, 2)
    light = luminance(view)[..., None]
    color = blur(view, 5 * unit) * 0.96
    for turn in (0.30, 0.0):
        value, hue, cover = _stroked(slant + turn, tooth, rng)
        differs = 1.15 - 0.85 * light
        stroke = view * (1 + VALUE * differs * value[..., None]) + HUE * differs * hue
        color += cover[..., None] * (stroke - color)
    return picture(color * (1 + 0.012 * tooth)[..., None])


def _view(size: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return the scene in flat colors, (size, size, 3), and the slant of strokes, (size, size)."""
    x, y = grid(size)
    rough, fine = noise(size, rng, 4, 3), noise(size, rng, 10, 2)
    color = ramp(SKY, _stepped(0.05 + 2.2 * y + 0.12 * rough))
    slant = np.full(x.shape, SLANTS[0], np.float32)
    leaves = 0.26 * rough + 0.16 * fine
    shapes = (
        (y - 0.36 - 0.05 * np.sin(5 * x + 1), HILL, 0.5 + 0.3 * rough),
        (y - 0.44 - 0.10 * np.sin(6.5 * x) - 0.02 * fine, WOOD, 0.94 + leaves - 0.8 * y),
        (y - 0.60 - 0.06 * np.sin(4 * x + 2) - 0.01 * fine, PATH,
         0.60 + 0.40 * np.sin(14 * x - 10 * y + 1.2 * rough)),
        (y - 0.84 - 0.06 * np.sin(5 * x + 4) - 0.02 * fine, WOOD, 0.24 + leaves),
    )  # fmt: skip
    for number, (inside, tints, tone) in enumerate(shapes):
        color = np.where((inside > 0)[..., None], ramp(tints, _stepped(tone)), color)
        slant = np.where(inside > 0, SLANTS[(number + 1) % len(SLANTS)], slant)
    return color.astype(np.float32), slant.astype(np.float32)


def _stepped(tone: Field) -> Field:
    """Return `tone`, cut to [0, 1], in STEPS steps whose edges are clear, not hard."""
    scaled = STEPS * np.clip(tone, 0, 1)
    step = np.floor(scaled)
    stepped: Field = (step + smoothstep(0.35, 0.65, scaled - step)) / STEPS
    return stepped


def _stroked(slant: Field, tooth: Field, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Lay strokes along `slant` radians.

    Returns, for each place, by how many standard deviations its stroke is brighter than the scene,
    (size, size), and of another hue, (size, size, 3), and how much of the paper it covers.
    """
    wander = 0.25 * noise(len(slant), rng, 5, 3)
    rows = stroke_rows(slant, BAND, STROKE, wander, 256, rng)
    values = rng.standard_normal((256, 64)).astype(np.float32)
    hues = rng.standard_normal((256, 64, 3)).astype(np.float32)
    edge = smoothstep(1.02, 0.80, rows.side + 0.10 * tooth) * smoothstep(1.0, 0.95, rows.end)
    cover = edge * np.clip(0.72 + 0.20 * tooth, 0, 1)
    at = rows.row, rows.stroke
    return values[at], hues[at], cover
