"""An autumn avenue after rain in thick slabs of paint, laid with a palette knife.

A knife leaves slabs with sharp sides and a ridge where it lifts, and drags half-mixed colors side
by side. The picture is painted from back to front, each part with a knife of its own size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, grid, noise, scattered, smoothstep
from .palette import palette, ramp, rgb, varied
from .strokes import Brush, Canvas, brush, picture, relief

SKY = palette("274b8f 4f86bf a6c9cf f7e3b0 ffd27a")
LEAVES = palette("5a1420 a8231f e0481f f58a1f fbc02f fff0a0")
COOL = palette("15304f 1f5a66 3f8a72 8fb05a")
TRUNK = palette("160f1c 3a2230 6b4540 c79a78 f0e0c4")
ROAD = palette("1a1f45 34407f 6a6fb0 c58f9a f2b45a ffe49a")
HORIZON = 0.56
VANISH = 0.53

# x at the foot, y of the foot, half width
TRUNKS = (
    (0.445, 0.585, 0.0045), (0.610, 0.585, 0.0045), (0.405, 0.60, 0.007), (0.655, 0.60, 0.007),
    (0.345, 0.63, 0.011), (0.715, 0.63, 0.011), (0.245, 0.69, 0.017), (0.815, 0.69, 0.018),
    (0.085, 0.79, 0.027), (0.955, 0.80, 0.028),
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """What the knife sees everywhere: the color and the direction of its stroke, (size, size)."""

    color: Field
    angle: Field


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the avenue at `size` by `size` pixels."""
    view = _view(size, rng)
    canvas = Canvas(0.55 * view.color + 0.45 * rgb("5a2a2a"))
    unit = size / 1024
    for length, width, pack in ((92, 42, 1.1), (64, 30, 1.0), (46, 20, 0.9)):
        tool = _knife(length * unit, width * unit, rng)
        _laid(canvas, view, tool, rng, pack, slant=0.35)
    _trunks(canvas, rng, unit)
    for length, width, share in ((34, 17, 0.55), (22, 11, 0.5)):
        _leaves(canvas, rng, _knife(length * unit, width * unit, rng), share)
    return picture(relief(canvas.color, canvas.height, 1.9, 0.20))


def _knife(length: float, width: float, rng: np.random.Generator) -> Brush:
    return brush(
        max(length, 4.0), max(width, 2.5), rng, taper=0.06, ragged=0.30, dry=0.42, bristles=0.28
    )


def _view(size: int, rng: np.random.Generator) -> View:
    x, y = grid(size)
    rough, fine = noise(size, rng, 5, 4), noise(size, rng, 13, 3)
    dx, dy = x - VANISH, y - HORIZON
    around = np.arctan2(dy, dx)
    glow = np.exp(-((np.hypot(dx, 1.3 * (y - 0.50)) / 0.16) ** 1.4))
    sky = ramp(SKY, np.clip(0.15 + 1.35 * y + 0.10 * rough, 0, 1))
    sky += 0.9 * glow[..., None] * (rgb("ffd873") - sky)
    crown = smoothstep(-0.05, 0.12, np.abs(dx) - 0.13 - 0.20 * np.abs(y - 0.40) + 0.07 * rough)
    crown = np.maximum(crown, smoothstep(0.13, 0.02, y + 0.03 * rough - 0.4 * np.abs(dx)))
    heat = 0.52 + 0.20 * fine + 0.16 * rough + 0.50 * glow - 0.35 * np.abs(dx)
    leaves = ramp(LEAVES, np.clip(heat, 0, 1))
    shade = smoothstep(0.5, 1.3, fine - 0.9 * rough)[..., None]
    leaves += 0.85 * shade * (ramp(COOL, np.clip(0.4 + 0.25 * rough, 0, 1)) - leaves)
    color = sky + crown[..., None] * (leaves - sky)
    angle = np.where(crown > 0.5, around + 1.1 + 0.8 * rough, 0.25 * rough)
    # Wet ground mirrors what stands above it, broken into level slabs.
    depth = np.clip(dy, 0, None)
    ripple = np.sin(70 * depth / (0.15 + 1.4 * depth) + 2.2 * rough)
    rows = (np.clip(HORIZON - 1.05 * depth + 0.015 * ripple, 0, 1) * (size - 1)).astype(int)
    columns = (np.clip(x + 0.02 * ripple, 0, 1) * (size - 1)).astype(int)
    mirrored = color[rows, columns]
    half = 0.035 + 1.02 * depth
    side = np.abs(dx) / half
    streak = np.clip(0.34 + 0.20 * ripple + 0.75 * np.exp(-((dx / (0.3 * half)) ** 2)), 0, 1)
    road = 0.45 * mirrored + 0.55 * ramp(ROAD, streak)
    verge = ramp(LEAVES, np.clip(0.40 + 0.22 * fine + 0.12 * rough, 0, 1)) * 0.9
    verge += smoothstep(0.6, 1.2, rough)[..., None] * (COOL[1] - verge)
    ground = np.where((side < 1)[..., None], road, verge)
    below = dy > 0
    color = np.where(below[..., None], ground, color)
    angle = np.where(below, np.where(side < 1, 0.08 * rough, around + 0.15 * rough), angle)
    return View(color.astype(np.float32), angle.astype(np.float32))


def _laid(
    canvas: Canvas, view: View, tool: Brush, rng: np.random.Generator, pack: float, slant: float
) -> None:
    """Cover the canvas with slabs; each is dragged out of two neighboring colors."""
    size = canvas.size
    xs, ys = scattered(size, (tool.length * tool.width / (1.9 * pack)) ** 0.5, rng)
    columns, rows = xs.astype(int).clip(0, size - 1), ys.astype(int).clip(0, size - 1)
    colors = varied(view.color[rows, columns], rng, 0.16, 0.035, 0.30)
    angles = view.angle[rows, columns] + slant * rng.standard_normal(len(xs))
    scales = np.clip(rng.normal(1.0, 0.25, len(xs)), 0.5, 1.5)
    for i in range(len(xs)):
        canvas.stroke(
            tool, int(rng.integers(0, len(tool.cover))), xs[i], ys[i], angles[i], colors[i],
            scale=scales[i], streak=0.55, body=1.5,
        )  # fmt: skip


def _trunks(canvas: Canvas, rng: np.random.Generator, unit: float) -> None:
    """Stand the trees along the road: dark slabs upright, one side lit, branches above."""
    size = canvas.size
    for foot_x, foot_y, half in TRUNKS:
        wide = max(2.5, 2.0 * half * size)
        tool = _knife(2.6 * wide + 14 * unit, wide, rng)
        twig = _knife(1.7 * wide + 12 * unit, 0.35 * wide, rng)
        lean = 0.06 * np.sign(VANISH - foot_x)
        top = 0.24 - 5.0 * half
        lit = np.sign(VANISH - foot_x)
        for y in np.arange(top, foot_y, 0.8 * tool.length / size):
            x = foot_x + lean * (foot_y - y) + 0.12 * half * rng.standard_normal()
            tone = varied(TRUNK[[1]], rng, 0.3, 0.03)[0]
            _slab(canvas, tool, rng, x, y, np.pi / 2 + lean, tone)
            light = varied(TRUNK[[3 + int(rng.random() < 0.3)]], rng, 0.12, 0.03)[0]
            _slab(canvas, tool, rng, x + 0.6 * lit * half, y, np.pi / 2 + lean, light, 0.42)
        for y in np.linspace(top, 0.6 * top + 0.4 * foot_y, 7):
            turn = rng.choice([-1.0, 1.0]) * rng.uniform(0.35, 0.9)
            x = foot_x + lean * (foot_y - y) + 1.8 * half * np.sin(turn)
            _slab(canvas, twig, rng, x, y, np.pi / 2 + turn, TRUNK[0])
        mirror = _knife(2.2 * wide, 1.5 * wide, rng)
        for k in range(4):
            drift = foot_x - 0.9 * (k + 1) * half * lit * 1.2
            _slab(canvas, mirror, rng, drift, foot_y + (k + 0.6) * 1.3 * half, 0.0, TRUNK[1], 0.8)


def _slab(
    canvas: Canvas,
    tool: Brush,
    rng: np.random.Generator,
    x: float,
    y: float,
    angle: float,
    color: Field,
    scale: float = 1.0,
) -> None:
    at = (x * canvas.size, y * canvas.size)
    number = int(rng.integers(0, len(tool.cover)))
    canvas.stroke(tool, number, *at, angle, color, scale=scale, streak=0.5, body=1.6)


def _leaves(canvas: Canvas, rng: np.random.Generator, tool: Brush, share: float) -> None:
    """Touch pure leaf colors over crowns and verges, thickest away from the light."""
    size = canvas.size
    xs, ys = scattered(size, tool.length, rng)
    for x, y in zip(xs / size, ys / size, strict=True):
        open_sky = abs(x - VANISH) < 0.10 + 0.20 * abs(y - 0.40) and y > 0.12
        on_road = y > HORIZON and abs(x - VANISH) < 0.035 + 1.02 * (y - HORIZON)
        chance = share * (0.12 if open_sky or on_road else 1.0)
        if rng.random() > chance:
            continue
        heat = np.clip(0.62 - 0.5 * abs(x - VANISH) + 0.24 * rng.standard_normal(), 0, 1)
        color = varied(ramp(LEAVES, heat)[None], rng, 0.10, 0.03, 0.2)[0]
        angle = 0.15 * rng.standard_normal() if on_road else rng.random() * np.pi
        _slab(canvas, tool, rng, x, y, angle, color, float(rng.uniform(0.6, 1.2)))
