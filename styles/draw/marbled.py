"""Marbled paper: strips of color floated on a bath, drawn out with rakes and a stylus, lifted off.

Each tool moves the whole bath by a formula that can be undone (Lu, Jaffer, Jin, Zhao and Mao,
"Mathematical Marbling", IEEE Computer Graphics and Applications 32(6), 2012). So every pixel is
followed back through the tools, the last one first, until it lies in a strip.

The strips lie in runs of one family of colors each; the families make the bands that flow over the
sheet. All have one of six luminances: a style of few tones gives pictures in as few, whose shapes
the bands can follow. With many close shades they were scratches on a cheek.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from .fields import Field, grain, grid, noise
from .palette import luminance, nearest, of_luminance, palette
from .strokes import picture

FAMILIES = (
    palette("f0dfbe ebd8b6 f4e6cc e6cda4 dcdccf"),  # cream
    palette("ebc39e e6b692 efcfac dea888 f2dabc"),  # peach
    palette("7394ae 92acbe bccad0 4f7294 e2d6be"),  # dusty blue
    palette("ecd2b4 e6c4a8 f2dfc6 ddb498 d0cfc6"),  # rose beige
    palette("6b1c2c 8c3038 b45a50 48121f c8923c"),  # burgundy
    palette("eaca96 dfb670 f0d9ae c99a50 f4e4c6"),  # gold
    palette("1f4038 3a6450 6a8a68 122a26 c8a258"),  # green
    palette("1a3258 30527a 587898 101e38 b8c4c0"),  # night blue
)
ORDER = (0, 1, 5, 4, 3, 0, 2, 7, 2, 0, 1, 3, 4, 5, 0, 6, 2, 0, 3, 1, 7, 6, 5, 1)
"""Families of the runs of strips, from the head of the sheet on."""
LIGHTS = np.array([0.12, 0.29, 0.46, 0.62, 0.78, 0.90], np.float32)
"""Of the colors on the bath."""
STRIPS = 6
"""Strips to a run."""
OVERSAMPLING = 1.5


class Tool(Protocol):
    """What moves the bath."""

    def undo(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Return where the points were before the tool passed."""
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
        # A blunt tine: a sharp one leaves creases, which are scars on a face.
        far = np.hypot(far, 0.5 * self.reach)
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


TOOLS: tuple[Tool, ...] = (
    Rake(0.0, 0.62, 0.25, 0.10),
    Swirl(0.25, 0.30, 0.30, 1.7),
    Swirl(0.78, 0.70, 0.32, 1.8),
    Swirl(0.80, 0.15, 0.22, -1.5),
    Swirl(0.18, 0.85, 0.24, -1.5),
    Rake(1.3, 0.14, 0.09, 0.034, wave=0.05, waves=1.2),
)


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the sheet at `size` by `size` pixels."""
    fine = round(size * OVERSAMPLING)
    color = _lifted(fine, TOOLS, rng)
    bath = picture(color).resize((size, size), Image.Resampling.BOX)
    return picture(_on_paper(np.asarray(bath, np.float32) / np.float32(255), rng))


def _lifted(size: int, tools: Sequence[Tool], rng: np.random.Generator) -> Field:
    """Return the color (size, size, 3) of the bath after the tools."""
    x, y = grid(size)
    for tool in reversed(tools):
        x, y = tool.undo(x, y)
    edges, colors = _strips(rng)
    across = y - 0.25 * (x - 0.5) + 0.012 * np.sin(7 * x + 1) + 0.008 * np.sin(17 * x)
    return colors[np.searchsorted(edges, across)]


def _strips(rng: np.random.Generator) -> tuple[Field, Field]:
    """Return where strips end, from -0.6 to 1.6 across the bath, and their colors."""
    inks = []
    widths = []
    for family in ORDER:
        shades = FAMILIES[family]
        inks.append(shades[rng.integers(0, len(shades), STRIPS)])
        widths.append(rng.choice([0.35, 1.0, 1.0, 1.8], STRIPS))
    colors = np.concatenate(inks)
    colors = of_luminance(colors, nearest(LIGHTS, luminance(colors)))
    width = np.concatenate(widths)
    edges = -0.6 + 2.2 * np.cumsum(width) / width.sum()
    return edges[:-1].astype(np.float32), colors.astype(np.float32)


def _on_paper(color: Field, rng: np.random.Generator) -> Field:
    """Lift the bath onto paper, whose fibers show a little."""
    size = len(color)
    unit = size / 1024
    tone = 1 + 0.008 * grain(size, rng, 1.2 * unit) + 0.006 * noise(size, rng, 60, 3)
    paper: Field = color * tone[..., None]
    return paper
