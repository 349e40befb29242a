"""Pools of watercolor: clear washes with torn outlines that overlap on white paper.

A pool is one transparent wash, in which pigment has flowed to one end: there it stops at a hard,
dark edge, and at the other it is lost in the paper. Such edges tell a photo's washes from flat
shapes. Where pools lie over each other their colors multiply, which gives all darker tones, so that
no pigment has to be dark. They lie thicker towards the foot of the sheet: what is dark in a photo
needs washes to be painted in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, grid, noise, smoothstep
from .palette import at, palette, rgb, varied
from .strokes import picture
from .washes import WetPaper

PAPER = rgb("fbf8f0")
TOOTH = 0.4
"""Of that of rough paper: a coarse one makes leather of a cheek."""
PIGMENTS = palette("7cb0dc 6f9ccf 9aa6d0 8fbcae eeb98a f0a888 e3b07a d99a98")
"""What lies beside each other here lies beside each other on the sheet, too: pools of all hues are
confetti in a sky."""
LAYERS = 9
BELOW_ALL = 4
"""Layers that cover the whole sheet; the others grow thicker towards its foot."""
COLUMNS = 4
"""Pools of a layer in each direction."""
DEEP = 0.9
"""How much of its pigment a pool has where it is deepest."""
TORN = 0.014
"""How far the outline of a pool wanders, in units of the side."""
BACKRUNS = 24


@dataclass(frozen=True)
class Pool:
    """An ellipse around (x, y), along `angle` in radians, in units of the side."""

    x: float
    y: float
    angle: float
    length: float
    width: float
    pigment: Field


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the pools at `size` by `size` pixels."""
    hand, water, places = rng.spawn(3)
    paper = WetPaper(size, PAPER, water)
    paper.color += (1 - TOOTH) * (PAPER - paper.color)
    zones = noise(size, places, 2, 2)
    for layer in range(LAYERS):
        _lay(paper, _pools(zones, layer, hand), layer, hand)
    for number in range(BACKRUNS):
        x, y = hand.random(2)
        paper.backrun(x, y, hand.uniform(0.015, 0.04), hand.uniform(0.2, 0.45), number)
    return picture(paper.color)


def _pools(zones: Field, layer: int, rng: np.random.Generator) -> Iterator[Pool]:
    """Yield the pools of a layer, with pigments that `zones` (size, size) choose."""
    size = len(zones)
    for cell in np.ndindex(COLUMNS, COLUMNS):
        y, x = (np.array(cell) + 0.5 + 0.3 * rng.standard_normal(2)) / COLUMNS
        if layer >= BELOW_ALL and rng.random() > 0.15 + 0.95 * max(y, 0) ** 1.5:
            continue
        row, column = (int(np.clip(along * size, 0, size - 1)) for along in (y, x))
        pigment = at(3.5 + 2.0 * zones[row, column] + 0.5 * rng.standard_normal(), PIGMENTS)
        yield Pool(
            x=x,
            y=y,
            angle=0.6 + 1.2 * rng.standard_normal(),
            length=rng.uniform(0.14, 0.34),
            width=2 * rng.uniform(0.05, 0.11),
            pigment=varied(pigment[None], rng, 0.04, 0.02)[0],
        )


def _lay(paper: WetPaper, pools: Iterable[Pool], layer: int, rng: np.random.Generator) -> None:
    """Lay all pools of a layer; where they meet they run into each other."""
    size = paper.size
    x, y = grid(size)
    away = np.ones((size, size), np.float32)
    deep = np.zeros((size, size), np.float32)
    pigment = np.ones((size, size, 3), np.float32)
    for pool in pools:
        cos, sin = np.cos(pool.angle), np.sin(pool.angle)
        dx, dy = x - pool.x, y - pool.y
        along = (dx * cos + dy * sin) / (pool.length / 2)
        across = (dy * cos - dx * sin) / (pool.width / 2)
        outside = (np.hypot(along, across) - 1) * pool.width / 2
        nearest = outside < away
        away = np.where(nearest, outside, away)
        deep = np.where(nearest, DEEP * smoothstep(-0.9, 0.9, along), deep)
        pigment = np.where(nearest[..., None], pool.pigment, pigment)
    away += TORN * noise(size, rng, 9, 4, gain=0.6)
    paper.wash(
        away.astype(np.float32), pigment, deep, rim=0.5, fray=0.0006, granulation=0.08,
        pooling=0.22, draft=layer,
    )  # fmt: skip
