"""A comic panel of clouds and round trees: flat tints, dots in the darks, contours in ink.

Every shape has three tints, as cel shading has: light, the light with dots of the dark over it,
and dark. Dots keep to shapes that are not light, and contours are inked in
a dark of their own shape, so that what is light stays flat and clean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, grain, grid, noise, smoothstep
from .palette import luminance, palette, rgb
from .strokes import picture

INK = rgb("221c2c")
SKY = palette("8fbccb 5f98b8")
CLOUD = palette("f9ecd2 f2d2ae")
FAR = palette("8299b0 546e92")
LAND = palette("f1c49c e2aa7c")
CLIFF = palette("dd7f4c 9c3626")
WOOD = palette("8f9660 34504a")
SEA = palette("4c82a4 244a72")
NEAR = palette("2c3650 141826")
ROWS = (
    (0.10, 0.15, 3, (CLOUD,)), (0.42, 0.12, 5, (FAR, SEA, NEAR)),
    (0.54, 0.15, 5, (LAND, FAR, WOOD)), (0.68, 0.17, 5, (LAND, CLIFF, WOOD, NEAR)),
    (0.82, 0.17, 5, (LAND, SEA, CLIFF)), (0.98, 0.17, 5, (NEAR, NEAR, CLIFF)),
)  # fmt: skip
"""Rows of masses from back to front: height of their middles, radius, count, tints."""
PITCH = 14.0 / 1024
"""Distance of two dots as a share of the side."""
SLANT = 0.46
"""Radians by which the rows of dots rise."""
LINE = 0.0034
"""Half the width of a contour as a share of the side."""


@dataclass
class Plate:
    """What is printed: two tints (size, size, 3), and (size, size) how dark it is and the line."""

    light: Field
    dark: Field
    tone: Field
    line: Field

    def put(self, level: Field, tints: Field, tone: Field) -> None:
        """Draw a shape where `level` is negative, in a contour.

        `level` is a distance in units of the side, `tone` runs from 0 for light to 1 for dark.
        """
        where = level < 0
        soft = 0.8 / len(level)
        self.light = np.where(where[..., None], tints[0], self.light)
        self.dark = np.where(where[..., None], tints[1], self.dark)
        self.tone = np.where(where, tone, self.tone)
        contour = smoothstep(soft, -soft, np.abs(level) - LINE)
        self.line = np.maximum(np.where(where, 0.0, self.line), contour)


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the panel at `size` by `size` pixels."""
    x, y = grid(size)
    rough = noise(size, rng, 4, 2)
    flat = np.ones((size, size, 1), np.float32)
    plate = Plate(SKY[0] * flat, SKY[1] * flat, 0.75 - 1.6 * y + 0.10 * rough, np.zeros_like(x))
    for foot, wide, count, kinds in ROWS:
        for k in rng.permutation(count):
            cx = (k + 0.5 + 0.3 * rng.standard_normal()) / count
            tints = kinds[int(rng.integers(0, len(kinds)))]
            cy = foot + 0.05 * rng.standard_normal()
            _mass(plate, x, y, (cx, cy), wide * rng.uniform(0.7, 1.2), tints, rough, rng)
    return picture(_printed(plate, x, y, rng))


def _mass(
    plate: Plate, x: Field, y: Field, middle: tuple[float, float], radius: float, tints: Field,
    rough: Field, rng: np.random.Generator,
) -> None:  # fmt: skip
    """Draw a rounded mass of lobes, lit from the upper left."""
    cx, cy = middle
    level = np.full(x.shape, 1.0, np.float32)
    for turn in np.arange(5) * 2 * np.pi / 5 + rng.random():
        far, lobe = 0.55 * radius, radius * rng.uniform(0.55, 0.75)
        bx, by = cx + 1.2 * far * np.cos(turn), cy + far * np.sin(turn)
        level = np.minimum(level, np.hypot(x - bx, y - by) - lobe)
    level = np.minimum(level, np.hypot(x - cx, y - cy) - 0.6 * radius)
    lit = (0.6 * (x - cx) + 0.9 * (y - cy)) / radius
    plate.put(level, tints, 0.44 + 0.46 * lit + 0.10 * rough)


def _screen(x: Field, y: Field, tone: Field) -> Field:
    """Return the cover of a slanting screen of dots that take the share `tone` of the area."""
    cos, sin = np.cos(SLANT), np.sin(SLANT)
    u, v = (x * cos + y * sin) / PITCH, (y * cos - x * sin) / PITCH
    far = np.hypot(u - np.round(u), v - np.round(v)) * PITCH
    radius = PITCH * np.sqrt(np.clip(tone, 0, 1) / np.pi)
    cover: Field = smoothstep(0.9, -0.9, (far - radius) * len(x))
    return cover


def _printed(plate: Plate, x: Field, y: Field, rng: np.random.Generator) -> Field:
    """Print the tints, the dots and the line on paper."""
    size = len(x)
    soft = 8.0 / size
    middle, full, black = (
        smoothstep(at - soft, at + soft, plate.tone) for at in (0.40, 0.66, 0.80)
    )
    dots = _screen(x, y, 0.10 + 0.9 * np.clip(plate.tone - 0.36, 0, 0.5)) * middle
    dots = dots * smoothstep(0.76, 0.64, luminance(plate.light))
    color = plate.light + np.maximum(dots, full)[..., None] * (plate.dark - plate.light)
    # Ink goes where a shape is not light itself: a black line on it would be a wrinkle on skin.
    inked = smoothstep(0.75, 0.50, luminance(plate.light))
    contour = plate.dark + (inked * (0.4 + 0.6 * middle))[..., None] * (INK - plate.dark)
    color = color + (black * inked)[..., None] * (INK - color)
    color = color + plate.line[..., None] * (contour - color)
    press = 0.006 * grain(size, rng, 0.8) + 0.008 * noise(size, rng, 70, 3)
    printed: Field = color * (1 + press[..., None])
    return printed
