"""Mountains over mist in indigo ink: clear washes laid one over the other on white mulberry paper.

There is one ink. How deep a place is decides how many washes lie over it; each keeps a clean edge
where it dried, or loses it where the paper was still wet. The darks are written over in strokes of
a broad brush that ran dry; the lights stay bare paper.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .fields import Field, grid, noise, scattered, smoothstep
from .palette import rgb
from .strokes import Canvas, brush, picture
from .washes import WetPaper, edge

PAPER = rgb("f7efe0")
WASH = rgb("7c95b6")
INK = rgb("101e46")
LEVELS = (0.14, 0.28, 0.42, 0.56, 0.70, 0.84)
"""How deep a place has to be for each wash to cover it."""
RIDGES = (0.34, 0.50, 0.42, 0.70, 0.60, 0.92)
"""How deep mountains are along their crests, from the farthest to the nearest."""
STROKE = (64.0, 15.0)
"""Length and width of a dry stroke in pixels of a picture of 1024."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the mountains at `size` by `size` pixels."""
    hand, water = rng.spawn(2)
    paper = WetPaper(size, PAPER, water)
    depth, fall = _mountains(size, hand)
    for number, level in enumerate(LEVELS):
        _wash(paper, depth, level, number, hand)
    return picture(_written(paper.color, depth, fall, hand))


def _mountains(size: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return how deep places are, in [0, 1], and the direction in which slopes fall in radians."""
    x, y = grid(size)
    rough, fine = noise(size, rng, 4, 3), noise(size, rng, 12, 2)
    depth = 0.10 + 0.16 * smoothstep(0.0, 1.6, rough)
    fall = np.full(x.shape, 0.2, np.float32)
    for layer, tone in enumerate(RIDGES):
        peaks = np.abs(np.sin((4.2 + 0.8 * layer) * x + 2.1 * layer))
        uneven = noise(size, rng, 4, 3)[size // 2]
        crest = 0.25 + 0.145 * layer - 0.14 * (1 - peaks) - 0.025 * uneven
        down = y - crest
        folds = np.sin(24 * x + (9 if layer % 2 else -9) * down + 1.4 * rough + layer)
        mist = tone * np.exp(-np.clip(down, 0, None) / 0.11) + 0.02 * fine
        fold = np.where(folds > 0.1, 1, -0.6) * np.exp(-np.clip(down, 0, None) / 0.08)
        shade = mist + 0.26 * tone * fold
        depth = np.where(down > 0, shade, depth)
        fall = np.where(down > 0, np.where(folds > 0, 0.95, 2.2), fall)
    return np.clip(depth, 0, 1).astype(np.float32), fall.astype(np.float32)


def _wash(
    paper: WetPaper, depth: Field, level: float, number: int, rng: np.random.Generator
) -> None:
    """Wash over what is deeper than `level`, in puddles whose edges wander from wash to wash."""
    # Light washes are laid wet in wet: a clear edge there is a blotch on a cheek.
    wet = float(np.clip((0.65 - level) / 0.4, 0, 1))
    away = edge(depth, level, rng, puddles=0.05, wet=wet)
    paper.wash(
        away, WASH, 0.62, rim=0.35 * (1 - wet), fray=0.0006, granulation=0.12, pooling=0.14,
        draft=number,
    )  # fmt: skip


def _written(color: Field, depth: Field, fall: Field, rng: np.random.Generator) -> Field:
    """Write over the darks in dry strokes that run down the slopes."""
    size = len(color)
    canvas = Canvas(color)
    unit = size / 1024
    tool = brush(STROKE[0] * unit, STROKE[1] * unit, rng, taper=0.8, dry=0.7, bristles=0.9)
    xs, ys = scattered(1024, 15, rng)
    for x, y in zip(xs, ys, strict=True):
        row, column = min(int(y * unit), size - 1), min(int(x * unit), size - 1)
        deep = float(depth[row, column])
        chance, turn = rng.random(), 0.15 * rng.standard_normal()
        which, scale = int(rng.integers(0, 12)), float(rng.uniform(0.6, 1.2))
        if chance < 1.3 * (deep - 0.45):
            canvas.stroke(
                tool, which, x * unit, y * unit, float(fall[row, column]) + turn, INK,
                bend=0.3, scale=scale, opacity=min(1.0, 1.1 * deep), streak=0.2,
            )  # fmt: skip
    return canvas.color
