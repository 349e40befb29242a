"""Ink on mulberry paper: ridges that sink into mist, bamboo in dry strokes, a red sun.

Ridges are washes that fade downwards, roughened by the side of a brush. Bamboo is written with a
brush that runs dry, so that paper flies white between its bristles.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .fields import Field, noise, scattered, smoothstep
from .palette import palette, ramp, rgb
from .strokes import Canvas, brush, picture
from .washes import WetPaper, blade, disk

PAPER = rgb("efdcb4")
INK = palette("0e1222 1b2f5e 2f5c9c 6fa3c6")
TEA = rgb("c8843c")
MOSS = rgb("6b8a5f")
SUN = rgb("d8351a")

# height of the ridge, its reach, waves, phase, strength
RIDGES = (
    (0.36, 0.100, 4.2, 0.3, 0.34), (0.46, 0.120, 5.3, 2.1, 0.46), (0.58, 0.105, 3.7, 4.0, 0.60),
    (0.71, 0.090, 6.1, 1.2, 0.74), (0.87, 0.075, 4.5, 5.2, 0.92),
)  # fmt: skip
# x at the foot, lean, half width
CANES = ((0.085, 0.06, 0.0190), (0.190, -0.02, 0.0140), (0.935, -0.07, 0.0165))


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the landscape at `size` by `size` pixels."""
    hand, water = rng.spawn(2)
    paper = WetPaper(size, PAPER, water)
    paper.color *= 1 + 0.03 * noise(size, water, 26, 4, stretch=(1.0, 0.35), gain=0.7)[..., None]
    _sky(paper, hand)
    rough = noise(size, water, 6, 6, gain=0.6)
    for number, ridge in enumerate(RIDGES):
        _ridge(paper, hand, rough, number, ridge)
    canvas = Canvas(paper.color)
    for cane in CANES:
        _cane(canvas, hand, *cane)
    _leaves(canvas, hand)
    _birds(canvas, hand)
    paper.color = canvas.color
    _finish(paper, hand)
    return picture(paper.color)


def _sky(paper: WetPaper, rng: np.random.Generator) -> None:
    for k in range(10):
        x, y = rng.random(), rng.uniform(0.02, 0.50)
        shape, box = blade(x - 0.3, y, rng.normal(0, 0.05), 0.6, 0.12, 0.02)
        paper.wash(
            shape, (TEA, INK[3], MOSS)[k % 3], 0.30, box=box, soft=0.04, fray=0.02, rim=0.2, draft=k
        )
    sun, box = disk(0.63, 0.195, 0.092)
    paper.wash(sun, SUN, 0.95, box=box, fray=0.003, rim=0.4, pooling=0.10, granulation=0.7)


def _ridge(
    paper: WetPaper,
    rng: np.random.Generator,
    rough: Field,
    number: int,
    ridge: tuple[float, float, float, float, float],
) -> None:
    """Wash one ridge from its crest into the mist, then drag the side of a brush down its folds."""
    height, reach, waves, phase, strength = ridge
    size = paper.size
    x = (np.arange(size, dtype=np.float32) + 0.5) / size
    crest = height - reach * (
        0.55 * np.abs(np.sin(waves * x + phase)) + 0.30 * np.sin(2.3 * waves * x + 2 * phase) ** 2
        + 0.10 * np.sin(7 * waves * x + phase)
    )  # fmt: skip
    shift = size * (number + 1) // 7
    crest = crest + 0.012 * np.roll(rough, shift, axis=0)[size // 2]
    y = x[:, None]
    down = y - crest[None, :]
    inside = smoothstep(0.0, 0.004, down)
    fade = np.exp(-np.clip(down, 0, None) / (0.048 + 0.010 * number))
    cloud = np.roll(rough, (shift, 2 * shift), axis=(0, 1))
    rim = np.exp(-(((down - 0.004) / 0.005) ** 2))
    tooth = 0.45 * (paper.valley - 0.5)
    amount = strength * inside * np.clip(fade * (1 + 0.22 * cloud + tooth) + 0.35 * rim, 0, 1.1)
    tint = ramp(INK, np.clip(0.95 - 0.75 * strength + 0.10 * cloud, 0, 1))
    paper.color *= 1 - np.clip(amount, 0, 1)[..., None] * (1 - tint)
    canvas = Canvas(paper.color)
    unit = size / 1024
    side = brush(max(4.0, 74 * unit), max(2.2, 20 * unit), rng, taper=0.9, dry=1.15, bristles=0.9)
    xs, ys = scattered(1024, 30, rng)
    for px, py in zip(xs, ys, strict=True):
        column = min(int(px * unit), size - 1)
        below = py / 1024 - crest[column]
        if not 0.008 < below < 0.105 or rng.random() > 0.75:
            continue
        slope = crest[min(column + size // 40, size - 1)] - crest[max(column - size // 40, 0)]
        lean = np.pi / 2 - 0.75 * np.sign(slope) + 0.25 * rng.standard_normal()
        canvas.stroke(
            side, int(rng.integers(0, 12)), px * unit, py * unit, lean, INK[0 if number > 2 else 1],
            bend=0.3 * np.sign(slope), scale=float(rng.uniform(0.5, 1.1)),
            opacity=min(1.0, 0.3 + strength) * float(np.exp(-below / 0.07)), streak=0.2,
        )  # fmt: skip
    paper.color = canvas.color


def _cane(canvas: Canvas, rng: np.random.Generator, foot: float, lean: float, half: float) -> None:
    """Write a cane upwards, segment by segment, with a hooked joint between two."""
    size = canvas.size
    wide = max(2.5, 2 * half * size)
    y = 1.02
    while y > -0.05:
        length = 0.115 + 0.030 * rng.random() + 0.03 * (1 - y)
        tool = brush(
            1.04 * length * size, wide, rng, taper=0.12, ragged=0.25, dry=0.85, bristles=0.9
        )
        x = foot + lean * (1 - y + length / 2)
        tone = ramp(INK, rng.uniform(0.0, 0.35))
        canvas.stroke(
            tool, int(rng.integers(0, 12)), x * size, (y - length / 2) * size,
            -np.pi / 2 + lean, tone, opacity=0.93, streak=0.6,
        )  # fmt: skip
        joint = brush(1.9 * wide, max(2.2, 0.34 * wide), rng, taper=0.6, dry=0.3, bristles=0.8)
        canvas.stroke(joint, 0, x * size, (y - length) * size, 0.05, INK[0], bend=0.5)
        y -= length + 0.006


def _leaves(canvas: Canvas, rng: np.random.Generator) -> None:
    """Let leaves hang in clusters, each one pressed down and lifted to a point."""
    size = canvas.size
    unit = size / 1024
    tools = [
        brush(max(5.0, reach * unit), max(2.4, 0.17 * reach * unit), rng, taper=1.0, ragged=0.3,
              dry=0.55, bristles=0.9)
        for reach in (92, 120, 150)
    ]  # fmt: skip
    clusters = [(foot + lean * (1 - y), y) for foot, lean, _ in CANES
                for y in rng.uniform(0.02, 0.85, 8)]  # fmt: skip
    for cx, cy in clusters:
        inward = 1.0 if cx < 0.5 else -1.0
        pale = rng.random() < 0.35
        for _ in range(7):
            tool = tools[int(rng.integers(0, 3))]
            angle = np.pi / 2 - inward * rng.uniform(0.05, 1.35)
            reach = 0.5 * tool.length / size
            x = cx + (reach + 0.012) * np.cos(angle) + 0.012 * rng.standard_normal()
            y = cy + (reach + 0.012) * np.sin(angle) + 0.012 * rng.standard_normal()
            tone = ramp(INK, rng.uniform(0.45, 0.8) if pale else rng.uniform(0.0, 0.2))
            canvas.stroke(
                tool, int(rng.integers(0, 12)), x * size, y * size, angle, tone,
                bend=0.25 * rng.standard_normal(), opacity=0.7 if pale else 0.95, streak=0.4,
            )  # fmt: skip


def _birds(canvas: Canvas, rng: np.random.Generator) -> None:
    unit = canvas.size / 1024
    wing = brush(max(4.0, 30 * unit), max(2.2, 6 * unit), rng, taper=1.0, dry=0.4)
    for k in range(9):
        x, y = 0.40 + 0.042 * k + 0.01 * rng.standard_normal(), 0.13 - 0.07 * np.sin(0.5 * k)
        for side in (-1.0, 1.0):
            at = ((x + 0.011 * side) * canvas.size, y * canvas.size)
            canvas.stroke(wing, k, *at, -0.45 * side, INK[0], bend=0.7, scale=0.9)


def _finish(paper: WetPaper, rng: np.random.Generator) -> None:
    """Press the seal into a corner and let a few drops fall."""
    sx, sy, half = 0.845, 0.915, 0.036

    def seal(x: Field, y: Field) -> Field:
        u, v = (x - sx) / half, (y - sy) / half
        signs = np.sin(7.5 * u + 2 * np.sin(3 * v)) * np.sin(6.5 * v + 1.5) - 0.25
        inner = np.maximum(np.abs(u), np.abs(v))
        field: Field = np.where(inner < 0.82, half * 0.25 * signs, half * (inner - 1))
        return field

    box = (sx - 0.05, sy - 0.05, sx + 0.05, sy + 0.05)
    paper.color[tuple(slice(int((c - 0.04) * paper.size), int((c + 0.04) * paper.size))
                      for c in (sy, sx))] = PAPER  # fmt: skip
    paper.wash(seal, SUN, 0.95, box=box, fray=0.0006, rim=0.3, pooling=0.1)
    for k in range(60):
        x, y = rng.random(2)
        spot, box = disk(x, y, 0.0012 + 0.006 * rng.random() ** 5)
        paper.wash(spot, INK[k % 3], 0.7, box=box, fray=0.0008, draft=k)
