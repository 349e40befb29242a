"""A garden path in soft pastels: broad strokes of chalk over rubbed color, on toothed paper.

Color is rubbed into buff paper; then every place is gone over in long, broad, slanting strokes of
chalk in several hues, as bright as what they stand for, which touch only the grain of the paper
where they end. All is pale, and the darks are dusty: chalk has no black. A stroke differs less from
its neighbors the lighter it is, so that skin keeps its bloom: with narrow strokes of one hue on
coarse grain it was mottled.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .fields import Field, blur, grain, grid, noise, smoothstep, stroke_rows
from .palette import luminance, palette, ramp, rgb
from .strokes import picture

PAPER = rgb("ead6bc")
"""Darker than most lights, so that the grain shows in these too."""
SKY = palette("82aedc aacce6 e2e4e4 fcead2 fad2ac")
HILL = palette("8c90c0 b4aed0 dec4c8")
WOOD = palette("4c4354 766c76 a89e84 d2c69a f4e8c6")
PATH = palette("74463a c07448 ea9e68 f8c89c fdeacc")
BAND = 26.0 / 1024
"""Width of a stroke as a share of the picture's side."""
STROKE = 150 / 1024
"""Length of a stroke, likewise."""
SLANTS = (-0.95, -0.60)
"""Directions in radians from the horizontal; shapes take them in turn."""
VALUE, HUE = 0.10, 0.07
"""How far strokes differ in brightness and in each channel, in the darks."""
RUBBED = 0.85
"""How much of the paper the rubbed color hides."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the garden at `size` by `size` pixels."""
    view, slant = _view(size, rng)
    unit = size / 1024
    tooth = grain(size, rng, 2.0 * unit)
    light = luminance(view)[..., None]
    color = PAPER + RUBBED * (blur(view, 6 * unit) - PAPER)
    for turn in (0.35, 0.0):
        value, hue, cover = _stroked(slant + turn, tooth, rng)
        differs = 1.1 - 0.65 * light
        stroke = view * (1 + VALUE * differs * value[..., None]) + HUE * differs * hue
        color += cover[..., None] * (stroke - color)
    return picture(color)


def _view(size: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return the scene in soft colors, (size, size, 3), and the slant of strokes, (size, size)."""
    x, y = grid(size)
    rough, fine = noise(size, rng, 4, 3), noise(size, rng, 10, 2)
    color = ramp(SKY, 0.05 + 2.2 * y + 0.12 * rough)
    slant = np.full(x.shape, SLANTS[0], np.float32)
    leaves = 0.22 * rough + 0.12 * fine
    shapes = (
        (y - 0.36 - 0.05 * np.sin(5 * x + 1), HILL, 0.5 + 0.3 * rough),
        (y - 0.44 - 0.10 * np.sin(6.5 * x) - 0.02 * fine, WOOD, 0.94 + leaves - 0.8 * y),
        (y - 0.60 - 0.06 * np.sin(4 * x + 2) - 0.01 * fine, PATH,
         0.66 + 0.34 * np.sin(9 * x - 6 * y + 0.6 * rough)),
        (y - 0.84 - 0.06 * np.sin(5 * x + 4) - 0.02 * fine, WOOD, 0.24 + leaves),
    )  # fmt: skip
    for number, (inside, tints, tone) in enumerate(shapes):
        color = np.where((inside > 0)[..., None], ramp(tints, tone), color)
        slant = np.where(inside > 0, SLANTS[(number + 1) % len(SLANTS)], slant)
    return color.astype(np.float32), slant.astype(np.float32)


def _stroked(slant: Field, tooth: Field, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Lay strokes along `slant` radians.

    Returns, for each place, by how many standard deviations its stroke is brighter than the scene,
    (size, size), and of another hue, (size, size, 3), and how much of the paper it covers.
    """
    wander = 0.25 * noise(len(slant), rng, 5, 3)
    rows = stroke_rows(slant, BAND, STROKE, wander, 512, rng)
    values = rng.standard_normal((512, 128)).astype(np.float32)
    hues = rng.standard_normal((512, 128, 3)).astype(np.float32)
    press = 0.9 - 1.3 * smoothstep(0.55, 1.0, rows.side) - 1.2 * smoothstep(0.7, 1.0, rows.end)
    cover = 0.92 * smoothstep(-0.4, 0.4, tooth + press)
    at = rows.row, rows.stroke
    return values[at], hues[at], cover
