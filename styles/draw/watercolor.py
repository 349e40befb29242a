"""Tulips in watercolor: petals and leaves as clear washes that overlap on white paper.

Nearly half of the sheet is bare. A petal is one transparent wash, whose edge is hard where it dried
and is lost where the paper was still wet. Where washes lie over each other their colors multiply,
which gives all darker tones, so that no pigment has to be dark. Leaves at the foot lie many over
each other: what is dark in a photo needs washes to be painted in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, grid, noise, smoothstep
from .palette import palette, rgb, varied
from .strokes import picture
from .washes import WetPaper

PAPER = rgb("fbf8f0")
TOOTH = 0.4
"""Of that of rough paper: a coarse one makes leather of a cheek."""
PETALS = palette("efa680 f2b884 ecc47e e8a498 c9aac8")
LEAVES = palette("62a4de 7cb6dc 8aa6d4 96c0b4")
TINTS = palette("cfe2f2 fae0cc")
"""Pale washes here and there below all."""
DEEP = palette("3a5ca4 2f7f86 6b58a6 a0643c")
"""Leaves in the shade: what is dark in a photo needs washes, too."""
SHADE = palette("8a7c8c a0705a 9a6c4c")
"""Stamens, stalks and the shadows between petals."""


@dataclass(frozen=True)
class Blade:
    """A petal or a leaf: an ellipse from (x, y), the foot, along `angle` in radians."""

    x: float
    y: float
    angle: float
    length: float
    width: float
    bend: float
    pigment: Field


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the tulips at `size` by `size` pixels."""
    hand, water = rng.spawn(2)
    paper = WetPaper(size, PAPER, water)
    paper.color += (1 - TOOTH) * (PAPER - paper.color)
    for number, tint in enumerate(TINTS):
        away = 0.010 * (1.4 - noise(size, hand, 4, 2))
        paper.wash(away, tint, 0.8, rim=0.1, fray=0.0002, granulation=0.06, draft=number)
    flowers = [_flower(x, y, hand) for x, y in _places(hand)]
    for number, blades in enumerate(zip(*flowers, strict=True)):
        _lay(paper, blades, number, hand)
    _bank(paper, hand)
    for k in range(10):
        x, y = hand.random(2)
        paper.backrun(x, y, hand.uniform(0.02, 0.05), hand.uniform(0.2, 0.4), k)
    return picture(paper.color)


def _places(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return where flowers sit: in rows that are shifted against each other."""
    return [
        ((column + 0.5 * (row % 2) + 0.25 + 0.12 * rng.standard_normal()) / 4,
         (row + 0.5 + 0.10 * rng.standard_normal()) / 4)
        for row in range(4) for column in range(4)
    ]  # fmt: skip


def _flower(x: float, y: float, rng: np.random.Generator) -> list[Blade]:
    """Return the blades of a flower, in the order in which they are laid."""
    up = -np.pi / 2 + 0.5 * rng.standard_normal()
    scale = rng.uniform(0.7, 1.15)
    hue = PETALS[rng.integers(len(PETALS))]
    green = LEAVES[rng.integers(len(LEAVES))]
    blades = []
    for turn in rng.permutation((-0.75, -0.25, 0.3, 0.8)):
        color = varied(hue[None], rng, 0.04, 0.03)[0]
        blades.append(Blade(
            x, y, up + turn, scale * rng.uniform(0.11, 0.15), scale * rng.uniform(0.03, 0.05),
            rng.uniform(-0.4, 0.4), color,
        ))  # fmt: skip
    for side in (-1, 1):
        color = varied(green[None], rng, 0.04, 0.03)[0]
        blades.append(Blade(
            x, y + 0.02, up + np.pi + side * rng.uniform(0.3, 0.9), scale * rng.uniform(0.12, 0.18),
            scale * rng.uniform(0.014, 0.028), side * rng.uniform(0.3, 0.9), color,
        ))  # fmt: skip
    shade = SHADE[rng.integers(len(SHADE))]
    blades += [
        Blade(
            x, y, up + rng.uniform(-0.9, 0.9), scale * rng.uniform(0.04, 0.08),
            scale * rng.uniform(0.006, 0.016), 0.0, shade,
        )
        for _ in range(3)
    ]  # fmt: skip
    return blades


def _lay(paper: WetPaper, blades: Iterable[Blade], number: int, rng: np.random.Generator) -> None:
    """Lay one blade of each flower as one wash."""
    size = paper.size
    x, y = grid(size)
    away = np.full((size, size), 1.0, np.float32)
    pigment = np.ones((size, size, 3), np.float32)
    for blade in blades:
        level = _level(blade, x, y)
        pigment = np.where((level < away)[..., None], blade.pigment, pigment)
        away = np.minimum(away, level)
    away = away + 0.003 * noise(size, rng, 14, 3)
    # Where the paper is still wet, an edge is lost.
    away = away / (1 + 9 * smoothstep(0.2, 1.2, noise(size, rng, 6, 2)))
    strong = 1.0 + 0.45 * noise(size, rng, 9, 2)[..., None]
    paper.wash(
        away, np.clip(pigment, 0.05, 1) ** np.clip(strong, 0.25, 2.0), 0.55, rim=0.6, fray=0.0003,
        granulation=0.08, pooling=0.22, draft=number,
    )  # fmt: skip


def _bank(paper: WetPaper, rng: np.random.Generator) -> None:
    """Lay broad dark leaves along the foot of the sheet, wash over wash, and let water bloom."""
    for number in range(4):
        blades = [
            Blade(
                x=(k + rng.uniform(-0.3, 0.3)) / 6,
                y=1.10 - 0.06 * number + rng.uniform(-0.04, 0.04),
                angle=-np.pi / 2 + rng.uniform(-0.8, 0.8),
                length=rng.uniform(0.26, 0.42),
                width=rng.uniform(0.05, 0.10),
                bend=rng.uniform(-0.5, 0.5),
                pigment=DEEP[(k + number) % len(DEEP)],
            )
            for k in range(7)
        ]
        _lay(paper, blades, number, rng)
    for k in range(26):
        x, y = rng.random(), 1 - 0.36 * rng.random() ** 1.3
        paper.backrun(x, y, rng.uniform(0.015, 0.04), rng.uniform(0.2, 0.45), k)


def _level(blade: Blade, x: Field, y: Field) -> Field:
    """Return about the distance to the outline of a blade, negative inside."""
    cos, sin = np.cos(blade.angle), np.sin(blade.angle)
    dx, dy = x - blade.x, y - blade.y
    along = (dx * cos + dy * sin) / (0.5 * blade.length) - 1
    across = (dy * cos - dx * sin) / blade.width - blade.bend * (1 - along * along)
    # Broadest beyond the middle, as a petal is.
    broad = 1 + 0.35 * np.clip(along, -1, 1)
    level: Field = (np.hypot(along, across / broad) - 1) * blade.width
    return level.astype(np.float32)
