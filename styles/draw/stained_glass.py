"""A leaded window against the light: sunrise over a river valley, poppies in front.

The design is a partition of the square into numbered panes. Each pane is cut from a sheet of its
own: streaked, rippled, seeded with bubbles, shaded with glass paint towards the lead. Lead is a
rounded dark bar with solder at the joints, and what is bright spills over it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .fields import Field, blur, distance, grain, grid, noise, smoothstep
from .palette import palette, ramp, varied
from .strokes import picture

SKY = palette("ffd65a ff9a3d f0566a 9a3fa0 4a3fb8 2340a8 14256e")
SUN = palette("fff3b0 ffdf5e ffb02e")
PEAKS = palette("3a2f86 5f4fb0 8a6fc8 c49ad6")
HILLS = palette("0b4f3f 138055 3f9f45 a3b83a dd9a26")
RIVER = palette("0f6f9a 1fa3b8 6fd3cf c4f0e0")
POPPY = palette("8a0f1e c8172a f03a2e ff7a4a")
LEAF = palette("0c4a34 1a7a44 58a83a")
FRAME = palette("a0152a e8b03a 1f3f9a 127a6a")
LEAD = 0.0041
"""Half the width of a lead bar as a share of the picture's side."""

# x, y, radius, first petal's direction
POPPIES = ((0.205, 0.735, 0.120, 0.3), (0.815, 0.665, 0.100, 0.9), (0.695, 0.860, 0.078, 0.0))


@dataclass
class Window:
    """Numbers of panes and their color before light, (size, size)."""

    pane: NDArray[np.int64]
    color: Field

    def put(
        self, number: Field | NDArray[np.int64], where: NDArray[np.bool_], color: Field
    ) -> None:
        """Replace what is inside `where` by panes numbered from `number`."""
        self.pane = np.where(where, np.asarray(number).astype(np.int64), self.pane)
        self.color = np.where(where[..., None], color, self.color)


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the window at `size` by `size` pixels."""
    return picture(_lit(_design(size, rng), rng))


def _design(size: int, rng: np.random.Generator) -> Window:
    straight_x, straight_y = grid(size)
    x = straight_x + 0.006 * noise(size, rng, 5, 2)
    y = straight_y + 0.006 * noise(size, rng, 5, 2)
    window = Window(np.zeros(x.shape, np.int64), np.zeros((size, size, 3), np.float32))
    _sky(window, x, y)
    _land(window, x, y)
    for number, flower in enumerate(POPPIES):
        _stem(window, x, y, number, flower)
    for number, flower in enumerate(POPPIES):
        _poppy(window, x, y, number, flower)
    _frame(window, straight_x, straight_y)
    return window


def _sky(window: Window, x: Field, y: Field) -> None:
    dx, dy = x - 0.5, y - 0.335
    far, around = np.hypot(dx, dy), np.arctan2(dy, dx) / (2 * np.pi) + 0.5
    ring = np.floor(np.sqrt(np.clip(far - 0.095, 0, None)) * 5.2)
    sectors = np.where(ring < 2, 18, 27)
    bent = around * sectors + 0.35 * np.sin(14 * far + 2 * ring) + 0.5 * (ring % 2)
    sector = np.floor(bent) % sectors
    tone = far * 1.25 - 0.05 + 0.05 * (sector % 3) + 0.03 * np.sin(5 * sector + 3 * ring)
    window.put(1000 + ring * 64 + sector, far >= 0.0, ramp(SKY, np.clip(tone, 0, 1)))
    petal = np.floor(around * 12)
    edge = 0.095 + 0.012 * np.abs(np.cos(np.pi * around * 12))
    window.put(100 + petal, far < edge, ramp(SUN, 0.55 + 0.45 * (petal % 2)))
    window.put(99 + 0 * petal, far < 0.052, ramp(SUN, far / 0.2))


def _land(window: Window, x: Field, y: Field) -> None:
    ridge = 0.50 - 0.13 * np.abs(np.sin(7.5 * x + 0.9)) - 0.05 * np.abs(np.sin(17 * x))
    down = y - ridge
    facet = np.floor((x + 0.55 * y) * 11) * 32 + np.floor((x - 0.75 * y) * 9 + 16)
    light = 0.45 + 0.30 * np.sin(3.0 * facet) - 1.2 * down
    window.put(10000 + facet, down > 0, ramp(PEAKS, np.clip(light, 0, 1)))
    for layer in range(4):
        top = 0.515 + 0.105 * layer + 0.035 * np.sin(5.2 * x + 2.1 * layer + 0.5)
        row = np.floor((y - top) / 0.055)
        cut = np.floor(7 * x + 1.5 * np.sin(6 * y + layer) + 0.5 * (row % 2))
        tone = 0.78 - 0.17 * layer + 0.14 * np.sin(2.3 * cut + 4 * row + layer)
        number = 20000 + 4000 * layer + row * 64 + cut
        window.put(number, y > top, ramp(HILLS, np.clip(tone, 0, 1)))
    center = 0.50 + 0.10 * np.sin(9.5 * (y - 0.5)) * (1.1 - y)
    half = 0.020 + 0.34 * np.clip(y - 0.53, 0, None) ** 1.25
    side = (x - center) / half
    lane = np.floor((side + 0.22 * np.sin(17 * y)) * 2.1 + 0.5)
    flow = np.floor(np.sqrt(np.clip(y - 0.53, 0, None)) * 7 + 0.37 * lane + 0.5 * side)
    tone = 0.50 + 0.28 * np.sin(2.1 * flow + 1.7 * lane) + 0.3 * np.exp(-side * side * 3)
    river = (np.abs(side) < 1) & (y > 0.56)
    window.put(50000 + flow * 32 + lane + 8, river, ramp(RIVER, np.clip(tone, 0, 1)))


def _stem(
    window: Window, x: Field, y: Field, number: int, flower: tuple[float, float, float, float]
) -> None:
    cx, cy, radius, _ = flower
    lean = 0.05 * (1 if cx < 0.5 else -1)
    spine = cx + lean * np.sin(3 * (y - cy)) * 2
    stem = (np.abs(x - spine) < 0.010) & (y > cy)
    window.put(
        60000 + 100 * number + np.floor(y * 5), stem, ramp(LEAF, np.full(x.shape, 0.5, np.float32))
    )
    for leaf, (sign, start) in enumerate(((1, 0.9), (-1, 1.25))):
        along = (y - cy - start * radius) / (1.5 * radius)
        middle = spine + sign * radius * 1.35 * np.clip(1 - along, 0, None) ** 1.4
        half = 0.34 * radius * np.clip(np.sin(np.pi * np.clip(along, 0, 1)), 0, 1) ** 0.8
        offset = x - middle
        inside = (np.abs(offset) < half) & (along > 0) & (along < 1)
        tone = 0.35 + 0.5 * (offset > 0) + 0.3 * (along - 0.5)
        part = 60020 + 100 * number + 4 * leaf + (offset > 0)
        window.put(part, inside, ramp(LEAF, np.clip(tone, 0, 1)))


def _poppy(
    window: Window, x: Field, y: Field, number: int, flower: tuple[float, float, float, float]
) -> None:
    cx, cy, radius, turn = flower
    dx, dy = x - cx, (y - cy) * 1.12
    far, around = np.hypot(dx, dy) / radius, np.arctan2(dy, dx) + turn
    for circle, (reach, petals) in enumerate(((1.0, 6), (0.64, 5))):
        bent = around * petals / (2 * np.pi) + 0.16 * far + 0.4 * circle
        petal, within = np.floor(bent), bent - np.floor(bent)
        edge = reach * (0.84 + 0.16 * np.sqrt(np.clip(np.sin(np.pi * within), 0, 1)))
        tone = 0.22 + 0.55 * far / reach + 0.12 * np.sin(2.6 * petal) - 0.25 * circle
        label = 70000 + 100 * number + 20 * circle + petal % petals
        window.put(label, far < edge, ramp(POPPY, np.clip(tone, 0, 1)))
    heart = palette("1c1030 4a2a6a")
    window.put(70090 + number + 0 * far, far < 0.25, ramp(heart, np.clip(far * 4, 0, 1)))


def _frame(window: Window, x: Field, y: Field) -> None:
    margin = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    wide = 0.058
    upright = np.minimum(x, 1 - x) < np.minimum(y, 1 - y)
    along = np.where(upright, y, x)
    step = np.floor(along / wide / 1.149)
    side = np.where(upright, np.where(x < 0.5, 0, 1), np.where(y < 0.5, 2, 3))
    corner = (np.minimum(x, 1 - x) < wide) & (np.minimum(y, 1 - y) < wide)
    shade = FRAME[((step + side) % 3).astype(int)]
    window.put(90000 + side * 100 + step, margin < wide, shade)
    window.put(95000 + (x > 0.5) + 2 * (y > 0.5), corner, np.broadcast_to(FRAME[3], shade.shape))


def _lit(window: Window, rng: np.random.Generator) -> Field:
    size = len(window.pane)
    unit = size / 1024
    _, index = np.unique(window.pane, return_inverse=True)
    pane = index.reshape(window.pane.shape)
    glass = _sheets(window.color, pane, rng)
    inner, joints = _seams(pane, max(2.0, 26 * unit))
    half = max(0.8, LEAD * size) * (1 + 0.10 * noise(size, rng, 40, 2))
    # Paint that glaziers let run dark along the lead makes the middle of a pane glow.
    shade = 0.62 + 0.38 * smoothstep(0.0, 1.0, (inner - half) / (15 * unit + 1))
    brushed = noise(size, rng, 70, 3, stretch=(1.0, 0.25)) * (1 - shade)
    x, y = grid(size)
    sun = np.exp(-(((x - 0.5) / 0.42) ** 2 + ((y - 0.335) / 0.45) ** 2))
    light = (0.95 + 0.35 * sun + 0.05 * noise(size, rng, 3, 3)) * (shade + 0.20 * brushed)
    lit = glass * light[..., None]
    across = np.clip(inner / half, 0, 1)
    solder = smoothstep(2.1, 1.2, joints / half)
    bar = smoothstep(-0.6, 0.6, half * (1 + 0.35 * solder) - inner)
    lead = _lead(across, solder, rng)
    glow = blur(lit * (1 - bar)[..., None], 9 * unit)
    color = lit + bar[..., None] * (lead + 0.12 * glow - lit)
    return color + 0.26 * np.clip(glow - 0.25, 0, None)


def _sheets(color: Field, pane: NDArray[np.intp], rng: np.random.Generator) -> Field:
    """Cut every pane from a sheet of its own: hue, streaks, ripple, bubbles."""
    size = len(pane)
    unit = size / 1024
    count = int(pane.max()) + 1
    factor = varied(np.full((count, 3), 0.5, np.float32), rng, 0.10, 0.03) * 2
    streaks = [
        noise(size, rng, 12, 4, stretch=stretch, gain=0.65)
        for stretch in ((0.25, 1.0), (1.0, 0.25), (0.6, 0.6))
    ]
    kind = rng.integers(0, 3, count)[pane]
    streak = np.choose(kind, streaks)
    ripple = noise(size, rng, 60, 4, gain=0.62) * (0.4 + 0.6 * rng.random(count))[pane]
    lens = np.gradient(ripple, axis=1) + np.gradient(ripple, axis=0)
    bubbles = grain(size, rng, 1.2 * unit)
    spark = smoothstep(2.9, 3.5, bubbles) - 0.6 * smoothstep(2.9, 3.5, -bubbles)
    hue_a = color * np.array([1.10, 0.92, 0.95], np.float32)
    hue_b = color * np.array([0.85, 1.08, 1.12], np.float32)
    mix = (0.5 + 0.5 * np.tanh(1.3 * streak))[..., None]
    glass = (hue_a * mix + hue_b * (1 - mix)) * factor[pane]
    tone = 1 + 0.15 * streak + 0.75 * unit * lens + 0.45 * spark + 0.025 * grain(size, rng)
    sheets: Field = np.clip(glass * tone[..., None], 0, 1.15)
    return sheets


def _seams(pane: NDArray[np.intp], reach: float) -> tuple[Field, Field]:
    """Return distances in pixels to the nearest edge of a pane and to the nearest joint."""
    right, down = np.zeros(pane.shape, bool), np.zeros(pane.shape, bool)
    right[:, :-1] = pane[:, :-1] != pane[:, 1:]
    down[:-1, :] = pane[:-1, :] != pane[1:, :]
    corner = np.zeros(pane.shape, bool)
    a, b, c, d = pane[:-1, :-1], pane[:-1, 1:], pane[1:, :-1], pane[1:, 1:]
    kinds = (a != b).astype(int) + (b != d) + (d != c) + (c != a)
    corner[:-1, :-1] = kinds >= 3
    return distance(right | down, int(reach)), distance(corner, int(reach))


def _lead(across: Field, solder: Field, rng: np.random.Generator) -> Field:
    """Color lead bars: round, oxidized, with brighter tin at the joints."""
    size = len(across)
    gradient_y, gradient_x = np.gradient(1 - across * across)
    facing = np.tanh(1.6 * (-gradient_x - 1.2 * gradient_y) * (size / 1024))
    worn = noise(size, rng, 60, 3)
    tone = 0.055 + 0.07 * facing + 0.02 * worn + 0.05 * (1 - across) + 0.06 * solder
    tint = np.array([0.98, 0.98, 1.10], np.float32)
    lead: Field = np.clip(tone, 0.01, 1)[..., None] * tint
    return lead
