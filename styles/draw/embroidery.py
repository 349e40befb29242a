"""Folk embroidery: flowers, leaves and birds in silk on dark linen, thread by thread.

Every stitch is a rounded thread that the light catches: satin stitch runs from the heart of a
flower outwards and from the rib of a leaf to its edge, and the ground is quilted in rows that echo
the shapes, with bare linen between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .curves import Point, through
from .fields import Field, blur, grain, grid, noise, scattered, smoothstep
from .palette import palette, ramp, rgb, varied
from .strokes import Brush, Canvas, brush, picture, relief

LINEN = rgb("16233f")
GROUND = palette("1f3d7c 2a66a8 3fa0b4 274a8c")
ROSE = palette("fbe9b7 f6a63c e8452f b31842 6d1036")
PINK = palette("fff1c9 f7b2a0 ee5f82 b62a78 5e1f66")
BLUE = palette("f6f3d0 8fd6d0 2f9fd0 2a58b8 2a2a80")
GOLD = palette("fff4c4 ffd65a f4a020 d86a1c 93381a")
LEAF = palette("0f4a38 1f8a4c 74b83e d8e06a")
BIRD = palette("f8efc8 f2b13a e2572c 2a9aa0 1d4f8f")
BORDER = palette("e8452f f6a63c f8efc8 2a9aa0")
FRAME = 0.075

# x, y, radius, petals, colors; mirrored about the middle unless it is there
ROSETTES: tuple[tuple[float, float, float, int, Field], ...] = (
    (0.50, 0.385, 0.165, 10, ROSE),
    (0.225, 0.255, 0.096, 8, PINK),
    (0.255, 0.70, 0.108, 8, GOLD),
    (0.50, 0.785, 0.082, 7, BLUE),
    (0.50, 0.135, 0.052, 6, GOLD),
    (0.135, 0.475, 0.055, 6, BLUE),
)
STEMS: tuple[tuple[Point, ...], ...] = (
    ((0.50, 0.92), (0.50, 0.78), (0.49, 0.66), (0.50, 0.52)),
    ((0.50, 0.90), (0.40, 0.84), (0.32, 0.78), (0.255, 0.70)),
    ((0.50, 0.66), (0.38, 0.60), (0.24, 0.57), (0.135, 0.475)),
    ((0.45, 0.60), (0.32, 0.47), (0.24, 0.38), (0.225, 0.255)),
)
# x and y of the foot, direction, length
LEAVES = (
    (0.485, 0.70, 3.75, 0.17), (0.40, 0.845, 2.55, 0.12), (0.33, 0.61, 2.2, 0.13),
    (0.30, 0.585, 4.15, 0.12), (0.27, 0.42, 3.4, 0.125), (0.285, 0.44, 5.5, 0.11),
    (0.225, 0.17, 4.3, 0.09), (0.235, 0.17, 5.3, 0.09), (0.16, 0.80, 2.7, 0.10),
    (0.44, 0.155, 3.5, 0.10), (0.14, 0.40, 4.7, 0.09), (0.15, 0.64, 3.6, 0.085),
)  # fmt: skip


@dataclass
class Pattern:
    """The drawing on the linen: color, run of the stitches, shape's number, nearness to shapes."""

    color: Field
    angle: Field
    part: NDArray[np.int32]
    level: Field

    def put(self, number: int, level: Field, color: Field, angle: Field) -> None:
        """Draw a shape where `level` is negative."""
        where = level < 0
        self.color = np.where(where[..., None], color, self.color)
        self.angle = np.where(where, angle, self.angle)
        self.part = np.where(where, number, self.part).astype(np.int32)
        self.level = np.minimum(self.level, level)


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the embroidery at `size` by `size` pixels."""
    pattern = _pattern(size, rng)
    unit = size / 1024
    canvas = _linen(size, rng)
    quilt = _thread(44 * unit, 8.5 * unit, rng)
    _stitch(canvas, pattern, quilt, rng, pack=1.5, ground=True)
    silk = _thread(50 * unit, 8.0 * unit, rng)
    for pack in (1.5, 1.5):
        _stitch(canvas, pattern, silk, rng, pack=pack, ground=False)
    cord = _thread(26 * unit, 9.5 * unit, rng)
    for stem in STEMS:
        for mirrored in (False, True):
            _chain(canvas, cord, rng, stem, mirrored)
    _knots(canvas, pattern, rng, unit)
    return picture(relief(canvas.color, canvas.height, 1.5, 0.22))


def _thread(length: float, width: float, rng: np.random.Generator) -> Brush:
    return brush(
        max(length, 4.0), max(width, 2.2), rng, taper=0.5, ragged=0.05, dry=0.0, bristles=0.55
    )


def _linen(size: int, rng: np.random.Generator) -> Canvas:
    x, y = grid(size)
    slub = noise(size, rng, 60, 3, stretch=(0.1, 1.0)) + noise(size, rng, 60, 3, stretch=(1.0, 0.1))
    warp, weft = np.sin(2 * np.pi * 128 * x), np.sin(2 * np.pi * 128 * y)
    weave = np.where(warp * weft > 0, np.abs(warp), np.abs(weft))
    tone = 0.75 + 0.35 * weave + 0.07 * slub + 0.06 * grain(size, rng, 0.6)
    return Canvas(LINEN * tone[..., None] * 1.1, 0.25 * weave)


def _pattern(size: int, rng: np.random.Generator) -> Pattern:
    x, y = grid(size)
    rough = noise(size, rng, 6, 3)
    far = np.full(x.shape, 1.0, np.float32)
    pattern = Pattern(np.zeros((size, size, 3), np.float32), far, np.zeros(x.shape, np.int32), far)
    folded = np.minimum(x, 1 - x)
    # Every shape is drawn on the left half and mirrored, as a folded paper pattern does.
    for number, leaf in enumerate(LEAVES):
        _leaf(pattern, folded, y, 10 + number, *leaf)
    _bird(pattern, folded, y)
    for number, (cx, cy, radius, petals, colors) in enumerate(ROSETTES):
        _rosette(pattern, folded, y, 30 + 3 * number, cx, cy, radius, petals, colors)
    margin = np.minimum(folded, np.minimum(y, 1 - y))
    along = np.where(folded < np.minimum(y, 1 - y), y, folded)
    teeth = FRAME * (0.35 + 0.65 * np.abs(2 * ((along * 12) % 1.0) - 1))
    band = BORDER[(np.floor(along * 12).astype(int)) % 2]
    upright = np.where(folded < np.minimum(y, 1 - y), 0.0, np.pi / 2)
    pattern.put(60, margin - teeth, band, upright + 0.12 * rough)
    edge = margin - 0.3 * FRAME
    stripe = BORDER[2 + (np.floor(along * 36).astype(int)) % 2]
    pattern.put(61, edge, stripe, upright + np.pi / 2)
    echo = blur(pattern.level, max(0.6, 2.5 * size / 1024)) + 0.004 * rough
    slope_y, slope_x = np.gradient(echo)
    bare = pattern.part == 0
    tone = 0.5 + 0.5 * np.sin(2 * np.pi * echo / 0.075 + 0.6 * rough)
    pattern.angle = np.where(bare, np.arctan2(slope_x, -slope_y), pattern.angle)
    pattern.color = np.where(bare[..., None], ramp(GROUND, tone), pattern.color)
    pattern.angle = np.where(folded == x, pattern.angle, _mirrored(pattern.angle, bare))
    return pattern


def _mirrored(angle: Field, bare: NDArray[np.bool_]) -> Field:
    """Turn the stitches of shapes around on the mirrored half; the ground's are right already."""
    return np.where(bare, angle, np.pi - angle).astype(np.float32)


def _rosette(
    pattern: Pattern,
    x: Field,
    y: Field,
    number: int,
    cx: float,
    cy: float,
    radius: float,
    petals: int,
    colors: Field,
) -> None:
    dx, dy = x - cx, y - cy
    far, around = np.hypot(dx, dy), np.arctan2(dy, dx) + np.pi / 2
    for ring, (reach, turn) in enumerate(((1.0, 0.0), (0.68, 0.5), (0.36, 0.0))):
        bent = around * petals / (2 * np.pi) + turn
        within = np.abs(bent - np.round(bent)) * 2
        edge = reach * radius * (0.66 + 0.34 * np.sqrt(np.clip(1 - within**2, 0, 1)))
        shade = far / (reach * radius) * (1.25 - 0.3 * ring) - 0.15 * ring + 0.28 * within**3
        fan = around - np.pi / 2 - 0.9 * (bent - np.round(bent)) / petals
        tint = ramp(colors, np.clip(1.05 - shade if ring == 1 else shade, 0, 1))
        pattern.put(number + ring, far - edge, tint, fan)


def _leaf(
    pattern: Pattern, x: Field, y: Field, number: int, foot_x: float, foot_y: float,
    direction: float, length: float,
) -> None:  # fmt: skip
    cos, sin = np.cos(direction), np.sin(direction)
    along = ((x - foot_x) * cos + (y - foot_y) * sin) / length
    across = ((y - foot_y) * cos - (x - foot_x) * sin) / length
    across = across - 0.16 * np.sin(np.pi * np.clip(along, 0, 1))
    half = 0.25 * np.sin(np.pi * np.clip(along, 0, 1) ** 0.85) ** 0.9
    level = np.maximum(np.abs(across) - half, np.abs(along - 0.5) - 0.5) * length
    side = np.sign(across)
    tone = 0.30 + 0.28 * side + 0.9 * np.abs(across) / 0.25 * 0.45 + 0.15 * along
    pattern.put(number, level, ramp(LEAF, np.clip(tone, 0, 1)), direction + 0.75 * side)


def _bird(pattern: Pattern, x: Field, y: Field) -> None:
    """Set a bird beside the middle flower: tail, body, wing, head, beak and eye."""
    tail_x, tail_y = x - 0.145, y - 0.905
    sweep = np.arctan2(tail_y + 0.07, tail_x - 0.12)
    spread = np.hypot(tail_x - 0.12, tail_y + 0.07)
    feather = np.floor((np.abs(sweep) - 2.55) / 0.14)
    level = np.maximum(spread - 0.13, 2.6 - np.abs(sweep))
    tint = BIRD[(feather.astype(int) % 3 + 2).clip(0, 4)]
    pattern.put(80, level, tint, sweep)
    dx, dy = x - 0.315, y - 0.872
    body = np.hypot(dx / 1.75, dy) - 0.040
    tint = ramp(BIRD, np.clip(0.42 - 6.0 * dy, 0, 0.6))
    pattern.put(81, body, tint, 0.25 + 5.0 * dy)
    wing = np.hypot((dx + 0.018) / 1.9, dy + 0.010) - 0.022
    pattern.put(82, wing, ramp(BIRD, np.clip(0.75 + 9.0 * dy, 0.6, 1)), np.full_like(x, -0.35))
    head = np.hypot(x - 0.385, y - 0.840) - 0.030
    pattern.put(83, head, ramp(BIRD, np.clip(0.35 + 8 * (y - 0.84), 0.2, 0.6)), 9 * dy + 0.5)
    beak = np.maximum(np.abs(y - 0.842) - 0.42 * (0.437 - x), 0.41 - x)
    pattern.put(84, beak, np.broadcast_to(GOLD[1], pattern.color.shape), np.zeros_like(x))
    eye = np.hypot(x - 0.391, y - 0.836) - 0.0075
    pattern.put(85, eye, np.broadcast_to(LINEN, pattern.color.shape), np.zeros_like(x))


def _stitch(
    canvas: Canvas,
    pattern: Pattern,
    tool: Brush,
    rng: np.random.Generator,
    pack: float,
    *,
    ground: bool,
) -> None:
    """Sew the ground or the shapes over; a stitch that would leave its shape is made shorter."""
    size = canvas.size
    xs, ys = scattered(size, (tool.length * tool.width / (1.7 * pack)) ** 0.5, rng)
    rows, columns = ys.astype(int).clip(0, size - 1), xs.astype(int).clip(0, size - 1)
    angles = pattern.angle[rows, columns] + 0.06 * rng.standard_normal(len(xs))
    colors = varied(pattern.color[rows, columns], rng, 0.09, 0.018, 0.12)
    # Silk is brightest where the thread lies across the light.
    sheen = 0.88 + 0.26 * np.abs(np.sin(angles - 0.75))
    echo = np.sin(2 * np.pi * pattern.level[rows, columns] / 0.030)
    parts = pattern.part[rows, columns]
    sewn = (parts == 0) & (echo >= -0.35) if ground else parts != 0
    for i in np.flatnonzero(sewn):
        part = parts[i]
        scale = 1.0
        while scale > 0.3 and not _within(pattern.part, xs[i], ys[i], angles[i],
                                          0.5 * scale * tool.length, part):  # fmt: skip
            scale *= 0.72
        number = int(rng.integers(0, len(tool.cover)))
        color = np.clip(colors[i] * sheen[i], 0, 1)
        canvas.stroke(
            tool, number, xs[i], ys[i], angles[i], color, scale=max(scale, 0.55), streak=0.35,
            body=1.2 if part else 0.9,
        )  # fmt: skip


def _within(
    part: NDArray[np.int32], x: float, y: float, angle: float, reach: float, number: int
) -> bool:
    """Tell whether both ends of a stitch lie in its own shape."""
    top = len(part) - 1
    dx, dy = reach * np.cos(angle), reach * np.sin(angle)
    ends = ((x - dx, y - dy), (x + dx, y + dy))
    return all(part[int(np.clip(b, 0, top)), int(np.clip(a, 0, top))] == number for a, b in ends)


def _chain(
    canvas: Canvas, tool: Brush, rng: np.random.Generator, points: Sequence[Point], mirrored: bool
) -> None:
    """Sew a stem in two rows of slanting stitches that meet like a braid."""
    curve = through(points, 200) * canvas.size
    if mirrored:
        curve[:, 0] = canvas.size - curve[:, 0]
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
    for at in np.arange(0, lengths[-1], 0.40 * tool.length):
        i = min(int(np.searchsorted(lengths, at)), len(curve) - 2)
        ahead = curve[i + 1] - curve[i]
        angle = float(np.arctan2(ahead[1], ahead[0]))
        for side in (-1, 1):
            x = curve[i, 0] - side * 0.30 * tool.width * np.sin(angle)
            y = curve[i, 1] + side * 0.30 * tool.width * np.cos(angle)
            color = varied(LEAF[[2 if side > 0 else 1]], rng, 0.10, 0.02)[0]
            number = int(rng.integers(0, len(tool.cover)))
            canvas.stroke(tool, number, x, y, angle + 0.5 * side, color, scale=0.8, body=1.4)


def _knots(canvas: Canvas, pattern: Pattern, rng: np.random.Generator, unit: float) -> None:
    """Tie knots in the hearts of the flowers and, sparsely, over the ground."""
    size = canvas.size
    bead = brush(max(2.4, 15 * unit), max(2.2, 14 * unit), rng, taper=1.45, ragged=0.1, dry=0.0)
    places = [(cx, cy, 0.24 * r, 16) for cx, cy, r, _, _ in ROSETTES]
    for cx, cy, reach, count in places:
        for middle in {cx, 1 - cx}:
            for k in range(count):
                far, around = reach * np.sqrt((k + 0.5) / count), 2.4 * k
                x, y = middle + far * np.cos(around), cy + far * np.sin(around)
                color = varied(GOLD[[1]], rng, 0.12, 0.03)[0]
                canvas.stroke(bead, k % 12, x * size, y * size, around, color, body=1.8)
    far = smoothstep(0.020, 0.035, pattern.level)
    for x, y in zip(*scattered(1024, 46, rng), strict=True):
        row, column = int(y / 1024 * size), int(x / 1024 * size)
        if far[min(row, size - 1), min(column, size - 1)] > 0.5:
            color = varied(GOLD[[0]], rng, 0.10, 0.03)[0]
            canvas.stroke(bead, 0, x * unit, y * unit, 0.0, color, scale=0.75, body=1.6)
