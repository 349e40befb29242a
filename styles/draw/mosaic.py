"""A mosaic of hand-cut stones: two fish circling in eddying water, blossoms, a striped border.

Stones are cells of a Voronoi diagram under a square metric turned along the drawing's lines,
relaxed until they sit in rows (Hausner, "Simulating decorative mosaics", SIGGRAPH 2001). A stone
never crosses from one shape into another, as a mosaicist would cut it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .curves import Point, through
from .fields import Field, blur, distance, grain, grid, noise, scattered, smoothstep
from .palette import palette, ramp, rgb, varied
from .strokes import picture, relief

STONE = 17.5 / 1024
"""Side of a stone as a share of the picture's side."""

RELAXATIONS = 22

WATER = palette("0d4458 12707c 2a9d9b 6cc3b2 c9e4cf f3efd9")
FISH = (
    palette("7c1420 c22a23 e8642a f4a640 fbe3b0"),
    palette("2c2a63 5a2f86 b0448a ef8a72 fbe6c4"),
)
BLOSSOM = palette("f6c445 f08a5d e2526b b02a5c 6b1d4f")
BORDER = palette("6d2219 b5482a e0a04a f2e3bd 23536b")
GROUT = rgb("3b3129")
DARK = rgb("1f1c2a")

SPINES = tuple(
    tuple(
        (0.5 + 0.262 * math.cos(turn + at), 0.5 + 0.262 * math.sin(turn + at))
        for at in np.linspace(0.04, 2.50, 9)
    )
    for turn in (math.pi, 0.0)
)
"""From snout to the fork of the tail."""

# x, y, radius, petals
BLOSSOMS = (
    (0.185, 0.19, 0.080, 8),
    (0.815, 0.81, 0.080, 8),
    (0.50, 0.51, 0.085, 7),
    (0.835, 0.175, 0.058, 6),
    (0.165, 0.825, 0.058, 6),
)
FRAME = 0.078
BORDER_ROWS = 4


@dataclass
class Cartoon:
    """The drawing under the stones: numbers of shapes, direction of rows, color, (size, size)."""

    shape: NDArray[np.int32]
    angle: Field
    color: Field


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the mosaic at `size` by `size` pixels."""
    cartoon = _cartoon(size, rng)
    stone = max(5.0, STONE * size)
    x, y = scattered(size, stone, rng)
    for _ in range(RELAXATIONS):
        angle = _at(cartoon.angle, x, y)
        owner = _cells(cartoon.shape, x, y, angle, stone)
        x, y = _middles(owner, x, y)
    angle = _at(cartoon.angle, x, y) + np.float32(0.08) * rng.standard_normal(len(x))
    x, y = (c + 0.05 * stone * rng.standard_normal(len(x)) for c in (x, y))
    owner = _cells(cartoon.shape, x, y, angle, stone)
    return picture(_laid(owner, cartoon.color, x, y, stone, rng))


def _cartoon(size: int, rng: np.random.Generator) -> Cartoon:
    x, y = grid(size)
    rough = noise(size, rng, 5, 3)
    fish = [_fish(x, y, spine) for spine in SPINES]
    petals = [_blossom(x, y, *blossom) for blossom in BLOSSOMS]
    level = np.minimum.reduce([edge for edge, _, _ in fish] + petals)
    eddy = 0.9 * level / STONE + 0.7 * np.sin(9 * x + 2) * np.sin(8 * y) + 0.3 * rough
    color = ramp(WATER, np.clip(0.33 + 0.30 * np.sin(eddy) + 0.10 * rough, 0, 1))
    color[(np.sin(eddy) > 0.80) & (rough > -0.1)] = WATER[5]
    scene = Cartoon(np.zeros(x.shape, np.int32), level, color)
    for number, (colors, (edge, place, across)) in enumerate(zip(FISH, fish, strict=True)):
        coat = _fish_coat(colors, edge, place, across)
        _put(scene, 10 + number, edge < 0, -edge, coat)
        _put(scene, 20 + number, edge < -1.1 * STONE, -edge, coat)
        for part, reach, tint in ((70, 0.027, colors[3]), (72, 0.0155, DARK)):
            eye = np.hypot((place - 0.13) * 0.64, np.abs(across) - 0.034)
            _put(scene, part + number, eye < reach, eye, tint)
    for number, ((cx, cy, radius, _), edge) in enumerate(zip(BLOSSOMS, petals, strict=True)):
        center = np.hypot(x - cx, y - cy)
        coat = ramp(BLOSSOM, np.clip(center / radius, 0, 1), (0.15, 0.3, 0.55, 0.8, 0.98))
        _put(scene, 30 + number, edge < 0, center, coat)
    margin = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    row = np.clip(margin / FRAME * BORDER_ROWS, 0, BORDER_ROWS - 1).astype(np.int32)
    _put(scene, 50 + row, margin < FRAME, margin, _border(x, y, row))
    slope_y, slope_x = np.gradient(blur(scene.angle, max(0.6, 1.5 * size / 1024)))
    scene.angle = np.arctan2(slope_y, slope_x).astype(np.float32)
    return scene


def _put(
    scene: Cartoon,
    number: NDArray[np.int32] | int,
    where: NDArray[np.bool_],
    level: Field,
    color: Field,
) -> None:
    scene.shape = np.where(where, number, scene.shape).astype(np.int32)
    scene.angle = np.where(where, level, scene.angle)
    scene.color = np.where(where[..., None], color, scene.color)


def _fish(x: Field, y: Field, spine: tuple[Point, ...]) -> tuple[Field, Field, Field]:
    """Return the signed distance to a fish's outline, the place along its spine and across it."""
    curve = through(spine, 70)
    along = np.gradient(curve, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    nearest = np.full(x.shape, 1e9, np.float32)
    index = np.zeros(x.shape, np.intp)
    for k, (px, py) in enumerate(curve):
        d = (x - px) ** 2 + (y - py) ** 2
        index[d < nearest] = k
        np.minimum(nearest, d, out=nearest)
    place = (index / (len(curve) - 1)).astype(np.float32)
    across = (y - curve[index, 1]) * along[index, 0] - (x - curve[index, 0]) * along[index, 1]
    body = 0.235 * np.sqrt(place) * (1 - place) ** 1.4 + 0.014
    fork = 1 - 0.7 * np.exp(-((across / 0.022) ** 2)) * smoothstep(0.9, 1.0, place)
    tail = 0.105 * smoothstep(0.78, 1.0, place) * fork
    fin = 0.055 * np.exp(-(((place - 0.40) / 0.055) ** 2))
    return (np.sqrt(nearest) - body - tail - fin).astype(np.float32), place, across


def _fish_coat(colors: Field, edge: Field, place: Field, across: Field) -> Field:
    rows = np.floor(-edge / STONE) / 4
    scales = 0.10 * np.sign(np.sin(2 * np.pi * place * 0.65 / (4 * STONE) + 26 * np.abs(across)))
    coat = ramp(colors, np.clip(0.78 - 0.42 * rows + scales, 0, 0.85))
    patch = np.sin(13.5 * place + 16 * across - 0.9) + 0.25 * np.sin(40 * across) > 0.62
    coat[patch] = colors[4]
    coat[edge > -1.1 * STONE] = DARK
    coat[np.abs(place - 0.23) < 0.018] = colors[0]
    return coat


def _blossom(x: Field, y: Field, cx: float, cy: float, radius: float, petals: int) -> Field:
    around = np.arctan2(y - cy, x - cx)
    edge = radius * (0.80 + 0.20 * np.abs(np.cos(petals * around / 2)) ** 0.7)
    return (np.hypot(x - cx, y - cy) - edge).astype(np.float32)


def _border(x: Field, y: Field, row: NDArray[np.int32]) -> Field:
    along = np.floor((x + y) / (3 * STONE)).astype(int)
    step = (along + row) % 3
    color = BORDER[np.where(step == 0, 2, np.where(step == 1, 1, 4))]
    color[row == 0] = BORDER[0]
    color[row == BORDER_ROWS - 1] = BORDER[3]
    return color.astype(np.float32)


def _at(field: Field, x: Field, y: Field) -> Field:
    top = len(field) - 1
    picked: Field = field[np.clip(y, 0, top).astype(int), np.clip(x, 0, top).astype(int)]
    return picked


def _cells(
    shape: NDArray[np.int32], x: Field, y: Field, angle: Field, stone: float
) -> NDArray[np.int32]:
    """Give every pixel to the stone that is nearest in the stone's own turned square metric."""
    size = len(shape)
    nearest = np.full(shape.shape, 1e9, np.float32)
    owner = np.full(shape.shape, -1, np.int32)
    own_shape = _at(shape.astype(np.float32), x, y)
    reach = 1.7 * stone
    cos, sin = np.cos(angle), np.sin(angle)
    for i in range(len(x)):
        left, right = max(0, int(x[i] - reach)), min(size, int(x[i] + reach) + 1)
        top, bottom = max(0, int(y[i] - reach)), min(size, int(y[i] + reach) + 1)
        if left >= right or top >= bottom:
            continue
        dx = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5 - x[i])
        dy = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - y[i])
        u, v = np.abs(dx * cos[i] + dy * sin[i]), np.abs(dy * cos[i] - dx * sin[i])
        d = np.maximum(u, v) + np.float32(0.15) * np.minimum(u, v)
        patch = (slice(top, bottom), slice(left, right))
        closer = (d < nearest[patch]) & (shape[patch] == own_shape[i])
        nearest[patch][closer] = d[closer]
        owner[patch][closer] = i
    return owner


def _middles(owner: NDArray[np.int32], x: Field, y: Field) -> tuple[Field, Field]:
    """Move every stone to the middle of its cell; one without a cell stays."""
    rows, columns = np.nonzero(owner >= 0)
    label = owner[rows, columns]
    area = np.bincount(label, minlength=len(x))
    has = area > 0
    moved = []
    for old, pixels in ((x, columns), (y, rows)):
        total = np.bincount(label, weights=pixels + 0.5, minlength=len(x))
        moved.append(np.where(has, total / np.maximum(area, 1), old).astype(np.float32))
    return moved[0], moved[1]


def _laid(
    owner: NDArray[np.int32],
    colors: Field,
    x: Field,
    y: Field,
    stone: float,
    rng: np.random.Generator,
) -> Field:
    """Set the stones in grout: each with its own hue, tilt, grain and chipped edge."""
    size, count = len(owner), len(x)
    seam = np.zeros(owner.shape, bool)
    seam[:, 1:] |= owner[:, 1:] != owner[:, :-1]
    seam[1:, :] |= owner[1:, :] != owner[:-1, :]
    seam |= owner < 0
    inner = distance(seam, int(stone))
    chips = 0.055 * stone * noise(size, rng, round(2.2 * size / stone), 2)
    gap = (0.075 + 0.03 * rng.random(count)) * stone
    edge = inner + chips - gap[owner]
    cover = smoothstep(-0.6, 0.7, edge)
    hue = varied(1.06 * _at(colors, x, y), rng, 0.12, 0.028, 0.2)
    tilt = 0.045 * rng.standard_normal((2, count))
    px, py = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    slope = (px - x[owner]) * tilt[0][owner] + (py - y[owner]) * tilt[1][owner]
    veins = noise(size, rng, round(1.2 * size / stone), 4, gain=0.75)
    speckle = grain(size, rng, 0.5)
    surface = 0.10 * veins + 0.05 * speckle
    face = hue[owner] * (1 + (0.075 * veins + 0.055 * speckle)[..., None])
    bed = GROUT * (1 + (0.14 * grain(size, rng, 0.8) + 0.10 * veins)[..., None])
    bevel = 1 - np.exp(-np.clip(edge, 0, None) / (0.10 * stone))
    height = cover * (0.8 + 0.9 * bevel * stone / 20 + slope + surface) + 0.05 * speckle
    shadow = blur(cover, 0.08 * stone)
    bed *= (0.55 + 0.6 * (1 - shadow))[..., None]
    color = bed + cover[..., None] * (face - bed)
    return relief(color, height, 0.75, 0.22)
