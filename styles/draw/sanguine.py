"""A valley in three chalks: long parallel hatching on warm paper, heightened with white.

Every slope is hatched in straight lines of a slant of its own, side by side. How dark a place is
decides how hard a line is pressed; the darkest parts are crossed by lines in umber. Tones change in
clear steps, as a sketch has them: soft shading blurs the features of a face.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .fields import Field, grain, grid, noise, smoothstep, stroke_rows
from .palette import palette, ramp, rgb
from .strokes import picture

RUBBED = palette("eed6b0 e0ba90 cc8e6a a85a40 602a1e")
"""Chalk rubbed into the paper, from none to much."""
SANGUINE = rgb("9c3820")
UMBER = rgb("28100c")
WHITE = rgb("fffaf0")

GAP = 8.6 / 1024
"""Distance between the middles of lines as a share of the picture's side."""
STROKE = 170 / 1024
"""Length of a line, likewise."""
SLANTS = (-0.95, -0.70)
"""Directions in radians from the horizontal; slopes take them in turn."""
SLOPES = (0.34, 0.58, 0.26, 0.78, 0.40, 0.88)
"""How dark slopes are, from the farthest to the nearest."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the valley at `size` by `size` pixels."""
    dark, slant = _valley(size, rng)
    tooth = 0.6 * grain(size, rng, 0.8) + 0.4 * noise(size, rng, 90, 2)
    color = ramp(RUBBED, 0.80 * dark) * (1 + 0.012 * tooth)[..., None]
    chalks = (
        (SANGUINE, smoothstep(0.14, 0.85, dark), slant),
        (UMBER, smoothstep(0.62, 0.90, dark), slant + 0.35),
        (WHITE, 0.75 * smoothstep(0.06, 0.0, dark), slant),
    )
    for chalk, pressure, along in chalks:
        covered = 0.85 * _hatched(pressure, along, tooth, rng)
        color += covered[..., None] * (chalk - color)
    return picture(color)


def _valley(size: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return how dark places are, in [0, 1], and the slant of their lines, both (size, size)."""
    x, y = grid(size)
    clouds = np.sin(16 * y - 5 * x + 1.2 * noise(size, rng, 3, 2))
    dark = 0.20 * smoothstep(0.15, -0.15, clouds - 0.4)
    slant = np.full(x.shape, SLANTS[1], np.float32)
    for layer, tone in enumerate(SLOPES):
        rough = noise(size, rng, 3, 3)
        down = y - 0.25 - 0.13 * layer - 0.04 * rough[size // 2]
        # Hollows run down the slope; one side of each lies in the light, the other in shadow.
        lean = 14 if layer % 2 else -11
        hollow = np.sin(13 * x + lean * down + 0.9 * rough + 2 * layer)
        steps = 0.30 * smoothstep(0.40, 0.50, hollow) - 0.30 * smoothstep(-0.40, -0.50, hollow)
        dark = np.where(down > 0, tone + steps + 0.03 * rough, dark)
        slant = np.where(down > 0, SLANTS[layer % len(SLANTS)], slant)
    return np.clip(dark, 0, 1).astype(np.float32), slant.astype(np.float32)


def _hatched(pressure: Field, slant: Field, tooth: Field, rng: np.random.Generator) -> Field:
    """Return how much of a place, in [0, 1], lines along `slant` radians cover with chalk."""
    wander = 0.35 * noise(len(pressure), rng, 4, 3)
    rows = stroke_rows(slant, GAP, STROKE, wander, 512, rng)
    weights = rng.normal(1.0, 0.30, (512, 64))
    press = pressure * weights[rows.row, rows.stroke] * (1 - 0.35 * rows.end**4)
    width = 0.18 + 0.60 * press
    touch = smoothstep(0.20, -0.20, rows.side - width) * smoothstep(0.02, 0.30, press)
    bite = np.clip(0.60 + 0.50 * press + 0.22 * tooth, 0, 1)
    covered: Field = touch * bite
    return covered
