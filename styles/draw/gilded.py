"""A robe in gold leaf: calm squares of beaten metal, folds engraved in lines that follow them.

Folds run over the picture in bands. On the light side of a fold the leaf lies bare, then it is
engraved with dark lines; in the hollow dark ground shows, through which lines are scratched to the
gold. All lines are levels of the field that makes the folds, so they flow along them.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .fields import Field, blur, grain, grid, noise, smoothstep
from .palette import palette, ramp, rgb
from .strokes import picture, relief

GOLD = palette("4a2606 945408 d48f14 f2bb34 fddd72 fff6cc")
UMBER = palette("120b08 2a170d 4a2c14")
GREEN = rgb("123020")
RED = rgb("4e150d")
LEAVES = 19
"""Squares of leaf along a side."""
ENGRAVED, HOLLOW = 0.74, 0.78
"""Where on a fold, from 0 to 1, engraving begins and where the leaf ends."""
LINES = 26
"""Level lines to a fold."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the robe at `size` by `size` pixels."""
    x, y = grid(size)
    unit = size / 1024
    folds = 1.5 * (0.5 * x + y) + 0.22 * noise(size, rng, 2, 2, gain=0.25)
    fold = folds % 1
    leaf, seam = _leaf(size, rng)
    hollow = smoothstep(HOLLOW - 0.01, HOLLOW, fold)
    swell = noise(size, rng, 9, 2)
    deeper = smoothstep(ENGRAVED, HOLLOW, fold)
    line = _lines(LINES * folds, unit * (1.8 + 3.0 * deeper + 0.8 * swell))
    line *= smoothstep(ENGRAVED - 0.01, ENGRAVED, fold)
    engraved = line * (1 - hollow)
    rims = [_lines(folds - at + 0.5, unit * (5 + 2 * swell)) for at in (HOLLOW, 1.0)]
    contour = np.maximum(*rims)
    color = leaf + hollow[..., None] * (_ground(size, rng) - leaf)
    color += engraved[..., None] * (UMBER[1] - color)
    # Faint: bright lines on the dark ground come out as wrinkles in skies and on cheeks.
    color += (0.2 * line * hollow)[..., None] * (leaf - color)
    color += contour[..., None] * (UMBER[0] - color)
    sunk = blur(np.maximum(engraved, contour), 1.2 * unit)
    return picture(relief(color, -0.8 * sunk - 0.5 * seam, 0.8, 0.7))


def _leaf(size: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Lay squares of leaf that reflect the light each at an angle of its own.

    Returns color (size, size, 3) and how much of a seam each place is.
    """
    x, y = grid(size)
    wander = 0.0015 * noise(size, rng, 12, 2)
    column, row = (x + wander) * LEAVES + 0.3, (y - wander) * LEAVES + 0.6
    across, down = column % 1, row % 1
    tones = rng.standard_normal((3, LEAVES + 2, LEAVES + 2))
    tone, tilt_x, tilt_y = tones[:, row.astype(int), column.astype(int)]
    sheen = noise(size, rng, 4, 3)
    beaten = noise(size, rng, 40, 2)
    at = 0.60 + 0.10 * tone + 0.08 * (tilt_x * (across - 0.5) + tilt_y * (down - 0.5))
    at += 0.11 * sheen + 0.012 * beaten + 0.006 * grain(size, rng, 0.7)
    edge = np.minimum(np.minimum(across, 1 - across), np.minimum(down, 1 - down)) * size / LEAVES
    seam = smoothstep(2.0 * size / 1024, 0.7 * size / 1024, edge)
    return ramp(GOLD, np.clip(at - 0.26 * seam, 0, 1)), seam


def _ground(size: int, rng: np.random.Generator) -> Field:
    """Paint what lies under the leaf: umber, in places deep green or red."""
    clouds = noise(size, rng, 3, 2)
    color = ramp(UMBER, np.clip(0.5 + 0.25 * clouds, 0, 1))
    color += (0.9 * smoothstep(0.4, 0.6, clouds))[..., None] * (GREEN - color)
    color += (0.9 * smoothstep(-0.6, -0.8, clouds))[..., None] * (RED - color)
    return color


def _lines(phase: Field, width: Field) -> Field:
    """Return lines `width` pixels wide where `phase` is a whole number and a half."""
    slope = np.hypot(*np.gradient(phase))
    far = np.abs(phase % 1 - 0.5) / np.maximum(slope, 1e-4)
    return smoothstep(0.8, -0.8, far - 0.5 * width)
