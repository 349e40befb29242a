"""An autumn lake in slabs of thick oil, laid with a palette knife.

A knife leaves slabs with straight, parallel sides, flat in color, scraped along their length, with
a ridge where its edge pushed the paint aside. Slabs are long and of few paints, each of one
luminance, so that what is painted so becomes planes; they sweep, and never cross in a lattice. The
picture is laid from broad to narrow knives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, blur, grid, noise, resized, scattered, smoothstep
from .palette import luminance, nearest, of_luminance, palette, ramp, varied
from .strokes import PRINTS, Brush, Canvas, picture, relief

SKY = palette("6f9fc4 a9c7d8 f3e6cf f8ecd4 f6d9ae")
HILLS = palette("36404e 56708c 8394a6")
TREES = palette("40261f 824630 b07244 cfa266 e6c896 f5e4c2")
WATER = palette("2e3a48 4c6c86 84a6ba e6dcc4 f8e6bf")
PAINTS = np.array([0.22, 0.36, 0.50, 0.64, 0.77, 0.89], np.float32)
"""Luminances of the paints on the palette: a knife lays them as they are, not mixed."""
SWEEP = 0.45
"""Standard deviation in radians of the direction of slabs, which turns slowly over the picture."""
SHORE = 0.60
KNIVES = ((230, 58, 1.0), (170, 42, 0.9), (110, 30, 0.3))
"""Length and width in pixels of a picture of 1024, and the share of the canvas that each works
over. Short slabs are patches on a face and a parquet in a sky."""


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
    lit = np.clip(0.55 + 0.28 * rough - 0.9 * (y - 0.45), 0, 1)
    color = _over(color, ramp(TREES, lit), y > crown)
    # Still water mirrors the far shore, paler and in level slabs.
    rows = np.clip(2 * SHORE - y, 0, 1)
    mirrored = color[(rows * (size - 1)).astype(int), (x * (size - 1)).astype(int)]
    gleam = np.clip(0.55 + 0.4 * np.sin(20 * y + 1.5 * rough) + 0.15 * rough, 0, 1)
    color = _over(color, 0.25 * mirrored + 0.75 * ramp(WATER, gleam), y > SHORE)
    bank = 0.90 - 0.10 * np.sin(4 * x + 2.2) + 0.02 * rough
    color = _over(color, ramp(TREES, np.clip(0.62 + 0.25 * rough, 0, 1)), y > bank)
    sweep = SWEEP * noise(size, rng, 3, 1)
    angle = np.where(y > SHORE, 0.3 * sweep, sweep - 0.35)
    angle = np.where((y > crown) & (y < SHORE) | (y > bank), sweep + 0.5, angle)
    return View(color, angle.astype(np.float32))


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
    steady = 0.85 * luminance(seen)[:, None]
    colors = seen + (1 - steady) * (varied(seen, rng, 0.07, 0.008, 0.12) - seen)
    colors = of_luminance(colors, nearest(PAINTS, luminance(colors)))
    angles = view.angle[rows, columns] + 0.06 * rng.standard_normal(len(xs))
    scales = np.clip(rng.normal(1.0, 0.22, len(xs)), 0.6, 1.5)
    for i in np.flatnonzero(rng.random(len(xs)) < share):
        canvas.stroke(
            tool, int(rng.integers(0, PRINTS)), xs[i], ys[i], angles[i], colors[i],
            scale=scales[i], streak=0.10, body=1.6,
        )  # fmt: skip
