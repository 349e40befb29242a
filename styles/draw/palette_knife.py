"""An autumn lake in slabs of thick oil, laid with a palette knife.

A knife leaves slabs with straight, parallel sides, flat in color, scraped along their length, with
a ridge where its edge pushed the paint aside. Slabs that lie side by side in few directions keep
the picture calm; it is laid from broad to narrow knives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, blur, grid, noise, resized, scattered, smoothstep
from .palette import luminance, palette, ramp, varied
from .strokes import PRINTS, Brush, Canvas, picture, relief

SKY = palette("9cacb4 c2c8c4 e8dfcc f5e8d0 f2d8b2")
HILLS = palette("46525f 6e7d88 866c5e")
TREES = palette("40261f 824630 b07244 cfa266 e6c896 f5e4c2")
WATER = palette("2f4054 4f667c 8097a6 c3c4b8 efdcb6")
DIRECTIONS = (-0.16, 0.62, -0.85)
"""Radians from the horizontal; a knife is turned no further than a wrist likes."""
SHORE = 0.60
KNIVES = ((110, 46, 1.0), (86, 34, 1.0), (64, 26, 0.4))
"""Length and width in pixels of a picture of 1024, and the share of the canvas that each works
over. No broader: a slab must not be as wide as a nose."""


@dataclass(frozen=True)
class View:
    """What the knife sees everywhere: the color and the direction of its slab, (size, size)."""

    color: Field
    angle: Field


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the lake at `size` by `size` pixels."""
    view = _view(size, rng)
    canvas = Canvas(0.8 * blur(view.color, size / 60))
    unit = size / 1024
    for length, width, share in KNIVES:
        tool = _knife(length * unit, width * unit, rng)
        _laid(canvas, view, tool, rng, share)
    return picture(relief(canvas.color, canvas.height, 0.7, 0.08))


def _knife(length: float, width: float, rng: np.random.Generator) -> Brush:
    """Make a knife whose prints have straight sides, scrapes along them and a ridge on one side."""
    length, width = max(length, 6.0), max(width, 4.0)
    along, across = int(2 * length) + 2, int(2 * width) + 2
    u = np.linspace(-1, 1, along, dtype=np.float32)[:, None]
    v = np.linspace(-1, 1, across, dtype=np.float32)[None, :]
    covers, ridges = [], []
    for _ in range(PRINTS):
        scrape = resized(rng.standard_normal((3, max(4, across // 4))), across, along)
        lift = resized(rng.standard_normal((1, 6)), across, 1)
        stop = 0.96 - 0.05 * np.abs(lift) - 0.03 * np.clip(scrape, 0, 2)
        slant = 0.06 * rng.standard_normal() * v
        ends = smoothstep(-0.02, 0.02, u + 0.97 + slant) * smoothstep(-0.02, 0.02, stop - u)
        sides = smoothstep(0.0, 3.0 / across, 1 - np.abs(v) - 0.02)
        covers.append(ends * sides)
        side = rng.choice([-1.0, 1.0])
        ridge = np.exp(-(((v * side - 0.90) / 0.07) ** 2)) + 0.8 * np.exp(
            -(((u - 0.90) / 0.04) ** 2)
        )
        ridges.append(np.clip(0.40 + 0.03 * scrape + 0.45 * ridge, 0, 1))
    pad = ((0, 0), (1, 1), (1, 1))
    cover = np.pad(np.stack(covers), pad).astype(np.float32)
    return Brush(length, width, cover, np.pad(np.stack(ridges), pad, mode="edge"))


def _view(size: int, rng: np.random.Generator) -> View:
    x, y = grid(size)
    rough, fine = noise(size, rng, 4, 3), noise(size, rng, 11, 2)
    color = ramp(SKY, np.clip(0.10 + 1.5 * y + 0.14 * rough, 0, 1))
    crest = 0.33 + 0.05 * np.sin(5 * x + 1) + 0.03 * rough
    color = _over(color, ramp(HILLS, np.clip(0.5 + 0.3 * rough, 0, 1)), y > crest)
    crown = 0.44 - 0.14 * np.abs(np.sin(3.3 * x + 0.7)) + 0.02 * fine
    lit = np.clip(0.50 + 0.20 * rough + 0.16 * fine - 0.9 * (y - 0.45), 0, 1)
    color = _over(color, ramp(TREES, lit), y > crown)
    # Still water mirrors the far shore, paler and in level slabs.
    rows = np.clip(2 * SHORE - y, 0, 1)
    mirrored = color[(rows * (size - 1)).astype(int), (x * (size - 1)).astype(int)]
    gleam = np.clip(0.45 + 0.3 * np.sin(26 * y + 1.5 * rough) + 0.15 * rough, 0, 1)
    color = _over(color, 0.5 * mirrored + 0.5 * ramp(WATER, gleam), y > SHORE)
    bank = 0.90 - 0.10 * np.sin(4 * x + 2.2) + 0.02 * rough
    color = _over(color, ramp(TREES, np.clip(0.62 + 0.22 * fine, 0, 1)), y > bank)
    turn = np.where(y > SHORE, 0, np.where(rough + 0.4 * fine > 0, 1, 2))
    turn = np.where(y < crest, np.where(rough > 0, 0, 1), turn)
    turn = np.where(y > bank, 1, turn)
    return View(color, np.asarray(DIRECTIONS, np.float32)[turn])


def _over(below: Field, above: Field, where: Field) -> Field:
    laid: Field = np.where(where[..., None], above, below).astype(np.float32)
    return laid


def _laid(canvas: Canvas, view: View, tool: Brush, rng: np.random.Generator, share: float) -> None:
    """Lay slabs of one knife over a share of the canvas."""
    size = canvas.size
    xs, ys = scattered(size, 0.76 * (tool.length * tool.width) ** 0.5, rng)
    columns, rows = xs.astype(int).clip(0, size - 1), ys.astype(int).clip(0, size - 1)
    seen = view.color[rows, columns]
    # Light slabs differ little from each other, or they are patches on a cheek.
    steady = 0.7 * luminance(seen)[:, None]
    colors = seen + (1 - steady) * (varied(seen, rng, 0.12, 0.015, 0.15) - seen)
    angles = view.angle[rows, columns] + 0.06 * rng.standard_normal(len(xs))
    scales = np.clip(rng.normal(1.0, 0.22, len(xs)), 0.6, 1.5)
    for i in np.flatnonzero(rng.random(len(xs)) < share):
        canvas.stroke(
            tool, int(rng.integers(0, PRINTS)), xs[i], ys[i], angles[i], colors[i],
            scale=scales[i], streak=0.30, body=1.6,
        )  # fmt: skip
