"""A mosaic of flat, hand-cut stones: a bay between terraced hills, cypresses, a sandy sky.

Stones are cells of a Voronoi diagram under a square metric turned along the drawing's lines,
relaxed until they sit in rows (Hausner, "Simulating decorative mosaics", SIGGRAPH 2001). A stone
never crosses from one shape into another, as a mosaicist would cut it. Stones are matte and flat
and the grout takes their color where they are light: round stones in dark grout break up
a face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .fields import Field, blur, distance, grain, grid, noise, scattered, smoothstep
from .palette import luminance, palette, ramp, rgb, varied
from .strokes import picture, relief

STONE = 21 / 1024
"""Side of a stone as a share of the picture's side."""

RELAXATIONS = 22

SKY = palette("a4b8ba d8cfae f4dfb8 f9e4c4 f4cda0 e9b084")
FAR = palette("7d93a0 9aa7a8 b9a58c")
SEA = palette("1f4a5c 33708a 5f9aa4 9cc0b8 dcd9bc")
HILL = palette("46444a 746a4c a48f58 cbb07a ead09c")
EARTH = palette("5c2e30 904832 bf6c46 dca070 f0cfa2")
CYPRESS = palette("17263c 28405a 486272")
GROUT = rgb("a89a84")
GROUTED = (0.9, 0.15)
"""How much of the grout is of its own color between dark stones and between light ones; the rest is
of theirs."""

# x, y of the foot, height
CYPRESSES = ((0.13, 0.66, 0.34), (0.24, 0.71, 0.25), (0.90, 0.52, 0.22), (0.62, 0.93, 0.20))


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
    angle = _at(cartoon.angle, x, y) + np.float32(0.04) * rng.standard_normal(len(x))
    owner = _cells(cartoon.shape, x, y, angle, stone)
    return picture(_laid(owner, cartoon.color, x, y, stone, rng))


def _cartoon(size: int, rng: np.random.Generator) -> Cartoon:
    """Draw the bay; the level of every shape, whose lines its rows follow, is its distance to an
    edge of it."""
    x, y = grid(size)
    rough = noise(size, rng, 5, 3)
    level = y + 0.05 * np.sin(4 * x + 0.6) + 0.02 * np.sin(9 * x)
    color = ramp(SKY, np.clip(0.04 + 2.3 * level + 0.10 * rough, 0, 1))
    scene = Cartoon(np.zeros(x.shape, np.int32), level, color)
    far = y - 0.36 + 0.06 * np.sin(5 * x + 2.4) + 0.03 * np.sin(11 * x)
    _put(scene, 1, far, ramp(FAR, np.clip(0.3 + 4 * far + 0.2 * rough, 0, 1)))
    sea = y - 0.45
    swell = sea + 0.012 * np.sin(14 * x + 2)
    tide = np.clip(0.42 + 0.34 * np.sin(46 * swell) - 0.5 * sea + 0.12 * rough, 0, 1)
    _put(scene, 2, sea, ramp(SEA, tide), swell)
    right = y - 0.70 + 0.34 * smoothstep(0.45, 1.05, x) + 0.03 * np.sin(8 * x)
    terrace = np.clip(0.55 + 0.38 * np.sin(52 * right) + 0.12 * rough, 0, 1)
    _put(scene, 3, right, ramp(HILL, terrace))
    left = y - 0.52 - 0.30 * smoothstep(-0.1, 0.75, x) + 0.03 * np.sin(9 * x + 1)
    terrace = np.clip(0.55 + 0.40 * np.sin(44 * left + 1) + 0.12 * rough, 0, 1)
    _put(scene, 4, left, ramp(EARTH, terrace))
    near = y - 0.90 + 0.06 * np.sin(5 * x + 0.5)
    _put(scene, 5, near, ramp(HILL, np.clip(0.35 + 2.5 * near + 0.2 * rough, 0, 1)))
    for number, (cx, foot, tall) in enumerate(CYPRESSES):
        up = np.clip((foot - y) / tall, 0, 1)
        tree = 0.17 * tall * up**0.35 * (1 - up) ** 0.75 - np.abs(x - cx)
        tree = np.where((y < foot) & (y > foot - tall), tree, -1)
        shade = np.clip(0.5 + 6 * (x - cx) / tall + 0.2 * rough, 0, 1)
        _put(scene, 10 + number, tree, ramp(CYPRESS, shade), x - cx)
    slope_y, slope_x = np.gradient(blur(scene.angle, max(0.6, 1.5 * size / 1024)))
    scene.angle = np.arctan2(slope_y, slope_x).astype(np.float32)
    return scene


def _put(
    scene: Cartoon, number: int, inside: Field, color: Field, rows: Field | None = None
) -> None:
    """Draw a shape where `inside` is positive; its rows follow lines of equal `rows`."""
    where = inside > 0
    scene.shape = np.where(where, number, scene.shape).astype(np.int32)
    scene.angle = np.where(where, inside if rows is None else rows, scene.angle)
    scene.color = np.where(where[..., None], color, scene.color)


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
    """Set the stones in grout: each with a hue and a grain of its own."""
    size = len(owner)
    seam = np.zeros(owner.shape, bool)
    seam[:, 1:] |= owner[:, 1:] != owner[:, :-1]
    seam[1:, :] |= owner[1:, :] != owner[:-1, :]
    seam |= owner < 0
    inner = distance(seam, int(stone))
    chips = 0.03 * stone * noise(size, rng, round(2.2 * size / stone), 2)
    edge = inner + chips - 0.055 * stone
    cover = smoothstep(-0.6, 0.7, edge)
    hue = varied(_at(colors, x, y), rng, 0.12, 0.015, 0.15)
    veins = noise(size, rng, round(1.2 * size / stone), 3)
    speckle = grain(size, rng, 0.8)
    face = hue[owner] * (1 + (0.03 * veins + 0.025 * speckle)[..., None])
    bed = blur(face, 0.6 * stone)
    own = GROUTED[0] + (GROUTED[1] - GROUTED[0]) * luminance(bed)[..., None]
    bed += own * (GROUT - bed)
    bed *= 1 + 0.05 * grain(size, rng, 0.8)[..., None]
    color = bed + cover[..., None] * (face - bed)
    return relief(color, cover * (1 + 0.03 * veins), 0.15, 0.0)
