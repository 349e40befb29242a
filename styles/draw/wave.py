"""Woodblock waves: striped bodies of water, foam in claws, a sky in three inks.

The picture is cut as a printer would: flat shapes in a few inks with a carved key line. Then it is
printed, which adds the grain of the plank, the mottling of the ink and the fibers of the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from .curves import Point, Sheet, normals, through
from .fields import Field, blur, grain, grid, noise, smoothstep
from .palette import palette, rgb
from .strokes import picture

PAPER = rgb("f1e6cc")
KEY = rgb("2a4678")
FOAM = rgb("e6e6d6")
SHADE = rgb("9ab8c0")
"""Neither white beside a nearly black line: that would be a halo around hair, and wrinkles."""
BODY = palette("16346f 1f4f8f 3f7fae 8fb9c4 e6e6d6")
SKY = palette("a9b7a8 e3cfa2 f2cc98")
SKY_BORDERS = (0.16, 0.42)
SUN = rgb("c9432b")
MIST = palette("f0e4cc f0cd9a e0a67a e8d2ae")
EARTH = palette("7c3c2c a8603f dca67c e8e4d0")

Disk = tuple[float, float, float]

# Outer edge from the foot over the crest to the tip, inner edge from the foot up the hollow face.
GREAT = (
    ((-0.12, 1.02), (-0.02, 0.72), (0.09, 0.44), (0.23, 0.25), (0.40, 0.17), (0.53, 0.215),
     (0.59, 0.31), (0.565, 0.41)),
    ((0.74, 1.02), (0.50, 0.90), (0.365, 0.75), (0.315, 0.59), (0.345, 0.45), (0.43, 0.375),
     (0.51, 0.38), (0.565, 0.41)),
)  # fmt: skip
LESSER = (
    ((1.20, 0.92), (1.08, 0.70), (0.98, 0.565), (0.88, 0.50), (0.79, 0.505), (0.735, 0.555),
     (0.735, 0.61)),
    ((0.60, 0.92), (0.76, 0.84), (0.845, 0.75), (0.865, 0.665), (0.83, 0.61), (0.775, 0.60),
     (0.735, 0.61)),
)  # fmt: skip
"""Two waves, each as the points of its outer and of its inner edge."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the waves at `size` by `size` pixels."""
    sheet = Sheet(_sky(size))
    sheet.disks([(0.775, 0.235, 0.083)], SUN)
    _clouds(sheet, rng)
    _mountain(sheet)
    _swell(sheet, rng, 0.645, 0.020, 5.0, 0.4, pale=0.45)
    _wave(sheet, rng, *LESSER, reach=0.030)
    _swell(sheet, rng, 0.80, 0.030, 3.2, 2.2, pale=0.2)
    _wave(sheet, rng, *GREAT, reach=0.052)
    _swell(sheet, rng, 0.915, 0.034, 2.6, 3.6, pale=0.05)
    _spray(sheet, rng)
    return picture(_printed(sheet.color(), rng))


def _ink(inks: Field, tone: float) -> Field:
    """Return the ink for a tone from 0 to 1: one is printed flat, not mixed with the next."""
    ink: Field = inks[round(float(tone) * (len(inks) - 1))]
    return ink


def _sky(size: int) -> Field:
    """Three inks, whose borders sway: level ones would be lines on a brow."""
    x, y = grid(size)
    sway = y + 0.08 * np.sin(4.4 * x + 1.2) + 0.02 * np.sin(15.0 * x - 6.0 * y)
    return SKY[np.searchsorted(SKY_BORDERS, sway.ravel()).reshape(sway.shape)]


def _clouds(sheet: Sheet, rng: np.random.Generator) -> None:
    """Draw long banks of mist, each in a warm tone that is only a step from the sky behind."""
    along = np.linspace(-1, 1, 60, dtype=np.float32)
    for level, shift in ((0.40, 0.62), (0.46, 0.86), (0.34, 0.95), (0.06, 0.15), (0.12, 0.45)):
        for k in range(4):
            x0 = shift + 0.12 * rng.standard_normal()
            y0 = level + 0.022 * (k - 1.5)
            reach = 0.12 + 0.14 * rng.random()
            curve = np.stack([x0 + reach * along, y0 + 0.006 * np.sin(5 * along + x0 * 9)], axis=1)
            sheet.line(curve.astype(np.float32), 0.020 * (1 - along**2), MIST[k])


def _mountain(sheet: Sheet) -> None:
    """Set a far cone on the horizon, wiped from earth red at its foot to snow."""
    rise = np.linspace(0, 1, 25, dtype=np.float32)
    half, level = 0.015 + 0.21 * (1 - rise) ** 1.6, 0.66 - 0.22 * rise
    left, right = np.stack([0.58 - half, level], axis=1), np.stack([0.58 + half, level], axis=1)
    for k in range(24):
        corners = [left[k], right[k], right[k + 1], left[k + 1]]
        sheet.polygon(np.stack(corners), _ink(EARTH, rise[k]))


def _wave(
    sheet: Sheet,
    rng: np.random.Generator,
    outer_points: Sequence[Point],
    inner_points: Sequence[Point],
    reach: float,
) -> None:
    outer, inner = through(outer_points), through(inner_points)
    sheet.polygon(np.concatenate([outer, inner[::-1]]), BODY[0])
    _stripes(sheet, rng, outer, inner, 13)
    sheet.line(inner, _carved(rng, len(inner), 0.0055), KEY)
    sheet.line(outer, _carved(rng, len(outer), 0.0050), KEY)
    # Which side is outside depends on which way the wave runs.
    facing = 1.0 if outer[-1, 0] > outer[0, 0] else -1.0
    _crest(sheet, rng, outer, facing, reach)
    _lip(sheet, rng, inner, facing, reach)


def _stripes(
    sheet: Sheet, rng: np.random.Generator, outer: Field, inner: Field, count: int
) -> None:
    """Lay tapering bands between two edges, light where the water is thin and thrown up."""
    t = np.linspace(0, 1, len(outer), dtype=np.float32)
    for band in range(count):
        middle = (band + 0.5) / count + 0.012 * rng.standard_normal()
        tone = (0.85, 0.32, 0.60, 0.20)[band % 4] + 0.1 * rng.standard_normal()
        start, stop = 0.20 * rng.random() ** 2, 1.0 - 0.12 * rng.random() * (band % 2)
        within = np.clip((t - start) / (stop - start), 0, 1)
        swell = np.sqrt(np.sin(np.pi * np.clip(within, 0, 1) ** 0.8).clip(0)) * (0.36 / count)
        sway = 0.010 * np.sin(7 * t + band) + 0.004 * np.sin(23 * t + 3 * band)
        low, high = middle + sway - swell, middle + sway + swell
        edge_a = outer + (inner - outer) * np.clip(low, 0, 1)[:, None]
        edge_b = outer + (inner - outer) * np.clip(high, 0, 1)[:, None]
        shape = np.concatenate([edge_a, edge_b[::-1]])
        sheet.polygon(shape, _ink(BODY, np.clip(tone, 0.15, 1)))
        if tone > 0.5:
            core = 0.5 * (edge_a + edge_b)
            width = np.linalg.norm(edge_b - edge_a, axis=1) * 0.28
            sheet.line(core[20:-10], width[20:-10], FOAM)
        sheet.line(edge_b, _carved(rng, len(t), 0.0026) * (swell > 1e-4), KEY)


def _carved(rng: np.random.Generator, samples: int, width: float) -> Field:
    """Return a line's width along its way as a knife leaves it: swelling, thin at both ends."""
    t = np.linspace(0, 1, samples)
    wander = np.interp(t, np.linspace(0, 1, 12), rng.standard_normal(12))
    shape = width * (0.45 + 0.75 * np.sin(np.pi * t)) * (1 + 0.25 * wander)
    return np.clip(shape, 0.0006, None).astype(np.float32)


def _crest(
    sheet: Sheet, rng: np.random.Generator, edge: Field, facing: float, reach: float
) -> None:
    """Set claws of foam on the upper part of a wave's back, the far ones first."""
    side = normals(edge) * facing
    first = int(0.33 * len(edge))
    rise = np.linspace(0, 1, len(edge) - first, dtype=np.float32) ** 0.7
    bank = edge[first:] - 0.35 * reach * side[first:]
    sheet.line(bank, reach * (0.1 + 0.8 * rise) + 0.004, KEY)
    sheet.line(bank, reach * (0.1 + 0.8 * rise), FOAM)
    for layer, (depth, grow) in enumerate(((0.05, 1.9), (-0.30, 1.7), (-0.80, 1.5))):
        for at in np.linspace(first, len(edge) - 2, 13 - layer):
            i = int(np.clip(at + rng.normal(0, 2), 0, len(edge) - 1))
            out = side[i]
            fade = 0.55 + 0.45 * (i - first) / (len(edge) - first)
            x, y = edge[i] + out * depth * reach
            lean = np.arctan2(out[1], out[0]) + facing * (0.55 + 0.25 * rng.standard_normal())
            _claw(sheet, rng, x, y, lean, reach * grow * fade, facing)


def _lip(sheet: Sheet, rng: np.random.Generator, edge: Field, facing: float, reach: float) -> None:
    """Hang fingers of foam from the underside of the curl."""
    first = int(0.66 * len(edge))
    for at in np.linspace(first, len(edge) - 1, 15):
        i = int(at)
        lean = np.pi / 2 + facing * (0.35 - 0.5 * rng.random())
        grow = 0.40 + 0.6 * (i - first) / (len(edge) - first)
        _claw(sheet, rng, edge[i, 0], edge[i, 1], lean, 1.05 * reach * grow, facing)


def _claw(
    sheet: Sheet,
    rng: np.random.Generator,
    x: float,
    y: float,
    angle: float,
    length: float,
    facing: float,
) -> None:
    """Draw one claw: outlined, white, with a blue shade along its lower side."""
    disks: list[Disk] = []
    _grow(disks, rng, (x, y), angle, length, facing, 1)
    line = 0.0021
    sheet.disks(((px, py, r + line) for px, py, r in disks), BODY[2])
    sheet.disks(disks, SHADE)
    sheet.disks(((px - 0.20 * r * facing, py - 0.34 * r, 0.74 * r) for px, py, r in disks), FOAM)


def _grow(
    disks: list[Disk],
    rng: np.random.Generator,
    start: Point,
    angle: float,
    length: float,
    facing: float,
    branches: int,
) -> None:
    x, y = start
    steps = 14
    curl = facing * (2.6 + 0.5 * rng.standard_normal())
    for step in range(steps):
        share = step / steps
        radius = 0.15 * length * (1 - share) ** 0.8 + 0.0012
        disks.append((x, y, radius))
        stride = length / steps
        x, y = x + stride * np.cos(angle), y + stride * np.sin(angle)
        angle += curl / steps * (0.1 + 1.8 * share)
        if branches and step in (2, 5, 8):
            turn = (-0.75, 0.85, -0.6)[step // 3] * facing
            child = 0.60 * length * (1 - 0.4 * share) * (0.8 + 0.4 * rng.random())
            _grow(disks, rng, (x, y), angle + turn, child, facing, branches - 1)


def _swell(
    sheet: Sheet,
    rng: np.random.Generator,
    level: float,
    height: float,
    waves: float,
    phase: float,
    *,
    pale: float,
) -> None:
    """Fill the sea from a row of pointed crests downwards, in bands that follow the crests."""
    x = np.linspace(-0.05, 1.05, 420, dtype=np.float32)
    turn = 2 * np.pi * waves * x + phase + 0.5 * np.sin(4 * x + phase)
    peak = (1 - np.abs(np.sin(turn / 2))) ** 1.6
    crest = level - height * (1.6 * peak - 0.5)
    upper = np.stack([x, crest], axis=1).astype(np.float32)
    lower = np.stack([x, np.full_like(x, level + 0.26)], axis=1).astype(np.float32)
    sheet.polygon(np.concatenate([upper, lower[::-1]]), _ink(BODY, pale))
    for band in range(9):
        sink = 0.012 + 0.022 * band + 0.003 * rng.standard_normal()
        flat = np.exp(-band / 3.0)
        y = level + sink + (crest - level) * flat + 0.003 * np.sin(31 * x + 5 * band)
        curve = np.stack([x, y], axis=1).astype(np.float32)
        dashes = 0.5 + 0.5 * np.sin(turn * 1.0 + 1.3 * band + 2 * np.sin(9 * x))
        width = 0.022 * np.clip(dashes - 0.12, 0, 1) * (0.5 + 0.5 * rng.random())
        tone = pale + (0.40, 0.20, 0.58)[band % 3]
        sheet.line(curve, width, _ink(BODY, np.clip(tone, 0, 1)))
    sheet.line(upper, _carved(rng, len(x), 0.0042), KEY)
    for i in np.flatnonzero((peak[1:-1] > peak[:-2]) & (peak[1:-1] >= peak[2:])):
        for offset in np.linspace(16, -16, 9):
            j = int(np.clip(i + offset + rng.normal(0, 2), 0, len(x) - 1))
            lean = -0.9 + 0.4 * rng.standard_normal()
            grow = 1.2 * height * (1.1 - abs(offset) / 24)
            _claw(sheet, rng, upper[j, 0], upper[j, 1], lean, grow, 1.0)


def _spray(sheet: Sheet, rng: np.random.Generator) -> None:
    """Throw a few drops off both crests, thinning with distance."""
    for points, facing, reach, count in ((GREAT[0], 1, 0.15, 60), (LESSER[0], -1, 0.07, 25)):
        edge = through(points)
        side = normals(edge) * facing
        at = rng.integers(int(0.40 * len(edge)), len(edge), count)
        away = reach * rng.gamma(1.3, 0.33, count) + 0.012
        spots = edge[at] + side[at] * away[:, None] + 0.012 * rng.standard_normal((count, 2))
        radii = 0.0030 + 0.0040 * rng.random(count) ** 3
        drops = [(float(x), float(y), float(r)) for (x, y), r in zip(spots, radii, strict=True)]
        sheet.disks(((x, y, r + 0.0012) for x, y, r in drops), BODY[3])
        sheet.disks(drops, FOAM)


def _printed(color: Field, rng: np.random.Generator) -> Field:
    """Print flat color on paper: plank grain, mottled ink, frayed edges, fibers."""
    size = color.shape[0]
    unit = size / 1024
    ink = np.clip(1 - color / PAPER, 0, 1)
    rings = noise(size, rng, 6, 3, stretch=(0.18, 1.0))
    plank = np.sin(26 * rings + 3.0 * noise(size, rng, 90, 2, stretch=(0.05, 1.0)))
    mottle = grain(size, rng, 1.1 * unit) * 0.6 + grain(size, rng, 3.5 * unit) * 0.4
    amount = ink.mean(axis=2)
    cover = 0.985 + 0.008 * plank * smoothstep(0.05, 0.3, amount) + 0.008 * mottle
    pool = np.clip(amount - blur(amount, 2.2 * unit), -0.2, 0.2)
    fibers = noise(size, rng, 40, 4, gain=0.8) + noise(size, rng, 170, 2)
    paper = PAPER * (1 + 0.004 * fibers[..., None] + 0.004 * grain(size, rng)[..., None])
    printed: Field = paper * (1 - ink * np.clip(cover + 0.25 * pool, 0, 1.1)[..., None])
    return printed
