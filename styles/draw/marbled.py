"""Marbled paper: drops of color floated on a bath, drawn out with rakes and a stylus, lifted off.

Each tool moves the whole bath by a formula that can be undone (Lu, Jaffer, Jin, Zhao and Mao,
"Mathematical Marbling", IEEE Computer Graphics and Applications 32(6), 2012). So every pixel is
followed back through the tools, the last one first, until it lies in a drop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from .fields import Field, blur, grain, grid, noise, smoothstep
from .palette import palette, rgb, varied
from .strokes import picture, relief

INKS = palette("12246c 1673b8 f6e6c0 d41f2c f8ac20 0b5a5c 86d0c4 8a1a5a 1fb0a4 f0601c")
GROUND = rgb("14305e")
PAPER = rgb("efe0bf")
OVERSAMPLING = 1.5


class Tool(Protocol):
    """What moves the bath."""

    def undo(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Return where the points (n,) were before the tool passed."""
        ...


@dataclass(frozen=True)
class Rake:
    """Tines `gap` apart drawn along `angle`: each drags the bath by `pull`, less with distance.

    `reach` is the distance at which the pull has halved; `wave` and `waves` are the amplitude and
    the number of swings of the hand across the sheet.
    """

    angle: float
    gap: float
    pull: float
    reach: float
    offset: float = 0.0
    wave: float = 0.0
    waves: float = 0.0

    def undo(self, x: Field, y: Field) -> tuple[Field, Field]:
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        along, across = x * cos + y * sin, y * cos - x * sin
        if self.wave:
            across = across - self.wave * np.sin(2 * np.pi * self.waves * along)
        far = np.abs((across - self.offset) % self.gap - self.gap / 2)
        shift = self.pull * np.exp2(-far / self.reach)
        return x - shift * cos, y - shift * sin


@dataclass(frozen=True)
class Swirl:
    """A stylus turned around (x, y): it carries the bath around by `turn` radians at `radius`."""

    x: float
    y: float
    radius: float
    turn: float

    def undo(self, x: Field, y: Field) -> tuple[Field, Field]:
        dx, dy = x - np.float32(self.x), y - np.float32(self.y)
        far = np.hypot(dx, dy)
        angle = -self.turn * np.exp(-((far / self.radius) ** 2)).astype(np.float32)
        cos, sin = np.cos(angle), np.sin(angle)
        return self.x + dx * cos - dy * sin, self.y + dx * sin + dy * cos


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the sheet at `size` by `size` pixels."""
    drops, sprinkled = _drops(rng)
    tools: list[Tool] = [
        Rake(np.pi / 2, 0.26, 0.30, 0.040),
        Rake(-np.pi / 2, 0.26, 0.30, 0.040, offset=0.13),
        Rake(0.0, 0.125, 0.15, 0.019),
        Rake(np.pi / 2, 0.24, 0.12, 0.030, wave=0.030, waves=2.0),
        Swirl(0.27, 0.30, 0.16, 2.5),
        Swirl(0.74, 0.66, 0.18, -2.7),
        Swirl(0.80, 0.17, 0.10, 2.0),
        Swirl(0.20, 0.80, 0.12, -2.2),
    ]
    fine = round(size * OVERSAMPLING)
    color = _lifted(fine, drops, tools, sprinkled)
    bath = picture(color).resize((size, size), Image.Resampling.BOX)
    return picture(_on_paper(np.asarray(bath, np.float32) / np.float32(255), rng))


def _drops(rng: np.random.Generator) -> tuple[Field, Field]:
    """Return drops as rows of x, y, radius, red, green, blue: the poured and the sprinkled ones."""
    poured = 130
    cells = np.stack(np.divmod(rng.permutation(144)[:poured], 12), axis=1)
    spots = (cells + rng.random((poured, 2))) / 8.6 - 0.2
    radii = 0.19 * np.exp(-np.arange(poured) / 120) * (0.6 + 0.5 * rng.random(poured))
    inks = INKS[(np.arange(poured) * 3 + rng.integers(0, 2, poured)) % len(INKS)]
    large = np.column_stack([spots, radii, varied(inks, rng, 0.08, 0.015)])
    count = 90
    spots = rng.random((count, 2))
    radii = 0.0035 + 0.010 * rng.random(count) ** 3
    inks = INKS[rng.choice([0, 2, 4, 6, 3], count)]
    return large.astype(np.float32), np.column_stack([spots, radii, inks]).astype(np.float32)


def _lifted(size: int, drops: Field, tools: Sequence[Tool], sprinkled: Field) -> Field:
    """Return the color (size, size, 3) of the bath after the tools and a last sprinkling."""
    x, y = (c.ravel() for c in grid(size))
    color = np.tile(GROUND, (size * size, 1))
    left = np.arange(size * size)
    x, y, left = _followed(x, y, left, sprinkled, color)
    for tool in reversed(tools):
        x, y = tool.undo(x, y)
    _followed(x, y, left, drops, color)
    return color.reshape(size, size, 3)


def _followed(
    x: Field, y: Field, left: Field, drops: Field, color: Field
) -> tuple[Field, Field, Field]:
    """Color the points that lie in drops; return the others as they were before the drops fell."""
    for at_x, at_y, radius, *ink in drops[::-1]:
        dx, dy = x - at_x, y - at_y
        square = dx * dx + dy * dy
        hit = square < radius * radius
        color[left[hit]] = ink
        out = ~hit
        left, dx, dy, square = left[out], dx[out], dy[out], square[out]
        # A drop pushes the bath outwards and keeps its area.
        shrink = np.sqrt(1 - radius * radius / square)
        x, y = at_x + dx * shrink, at_y + dy * shrink
    return x, y, left


def _on_paper(color: Field, rng: np.random.Generator) -> Field:
    """Lift the bath onto paper: pigment that curdles, veins of size, fibers."""
    size = len(color)
    unit = size / 1024
    curdle = 0.6 * grain(size, rng, 1.0 * unit) + 0.5 * grain(size, rng, 2.6 * unit)
    bare = smoothstep(2.0, 2.9, grain(size, rng, 1.3 * unit) + 0.5 * noise(size, rng, 9, 3))
    pooled = blur(color, 3.0 * unit) - color
    tone = 1 + 0.070 * curdle + 0.05 * noise(size, rng, 40, 3)
    inked = (color - 0.30 * pooled) * tone[..., None]
    inked += (0.75 * bare)[..., None] * (PAPER - inked)
    fibers = noise(size, rng, 90, 3, gain=0.8)
    return relief(inked, 0.05 * fibers + 0.06 * curdle, 0.8, 0.05)
