"""A comic panel: a burst over a city, in ink lines of swelling width and screens of dots.

Every shape is a level field, negative inside. Printing takes it apart as old presses did: a flat
tint, a screen of dots whose size carries the shading, and the key drawing, none of which quite fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, grain, grid, noise, smoothstep
from .palette import palette, rgb
from .strokes import picture

PAPER = rgb("f6ead0")
KEY = rgb("14121c")
RED, ORANGE, YELLOW = palette("e3242b f58220 ffd92f")
CYAN, BLUE, NAVY = palette("3db7e4 1f63b5 1b2a6b")
VIOLET, PINK, WHITE = palette("7a3fa0 f4739c fbf6e6")
GREEN, TEAL = palette("3fae49 137a7f")
PITCH = 15.5 / 1024
"""Distance of two dots as a share of the side."""
BURST = (0.53, 0.40)


@dataclass
class Plate:
    """What is printed: flat tint, the dots' color, their share of the area, the key drawing."""

    tint: Field
    dots: Field
    tone: Field
    key: Field

    def put(
        self, level: Field, tint: Field, dots: Field, tone: Field, line: Field | float = 0.0042
    ) -> None:
        """Draw a shape where `level` is negative, outlined by a line of the half width `line`."""
        soft = 0.8 / len(level)
        where = level < 0
        self.tint = np.where(where[..., None], tint, self.tint)
        self.dots = np.where(where[..., None], dots, self.dots)
        self.tone = np.where(where, tone, self.tone)
        outline = smoothstep(soft, -soft, np.abs(level) - line)
        self.key = np.maximum(np.where(where, 0.0, self.key), outline)

    def ink(self, amount: Field) -> None:
        """Add to the key drawing."""
        self.key = np.maximum(self.key, amount)


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the panel at `size` by `size` pixels."""
    x, y = grid(size)
    wobble = 0.0022 * noise(size, rng, 14, 2)
    plate = _sky(x, y, wobble)
    _city(plate, x, y, rng)
    _debris(plate, x, y, rng)
    _smoke(plate, x, y, rng, 0.36, 15, (WHITE, CYAN))
    _burst(plate, x, y, wobble, rng)
    _smoke(plate, x, y, rng, 0.86, 13, (PINK, VIOLET))
    return picture(_printed(plate, rng))


def _sky(x: Field, y: Field, wobble: Field) -> Plate:
    dx, dy = x - BURST[0], y - BURST[1]
    far, around = np.hypot(dx, dy), np.arctan2(dy, dx)
    ray = np.sin(17 * around + 2.5 * wobble * 100) > 0
    tint = np.where(ray[..., None], CYAN, YELLOW)
    dots = np.where(ray[..., None], BLUE, ORANGE)
    tone = np.clip(0.85 * far + 0.05, 0, 0.85)
    speed = np.abs(((around * 13.5) % 1.0) - 0.5) * far / 4.5
    reach = 0.34 + 0.10 * np.sin(37 * np.round(around * 13.5))
    lines = smoothstep(0.9 / len(x), -0.9 / len(x), speed - 0.004 * (far - reach) / 0.4)
    return Plate(tint, dots, tone, np.where(far > reach, lines, 0.0))


def _star(x: Field, y: Field, points: int, inner: float, outer: float, turn: float) -> Field:
    """Return the level of a burst with `points` uneven spikes around BURST."""
    dx, dy = x - BURST[0], (y - BURST[1]) * 1.12
    far, around = np.hypot(dx, dy), np.arctan2(dy, dx) + turn
    place = around * points / (2 * np.pi)
    spike = np.round(place)
    within = np.abs(place - spike) * 2
    tall = outer * (0.80 + 0.28 * np.sin(2.4 * (spike % points) + 5 * turn))
    edge = tall + (inner - tall) * within**0.8
    steep = points * (tall - inner) / np.pi / np.maximum(far, 0.02)
    level: Field = (far - edge) / np.sqrt(1 + steep**2)
    return level


def _burst(plate: Plate, x: Field, y: Field, wobble: Field, rng: np.random.Generator) -> None:
    far = np.hypot(x - BURST[0], y - BURST[1])
    for points, inner, outer, tint, dots, bias, line in (
        (19, 0.235, 0.40, RED, VIOLET, -0.15, 0.0062),
        (17, 0.190, 0.315, ORANGE, RED, 0.05, 0.0048),
        (15, 0.140, 0.235, YELLOW, ORANGE, 0.10, 0.0042),
        (13, 0.075, 0.140, WHITE, YELLOW, 0.05, 0.0036),
    ):
        turn = rng.random()
        tone = np.clip(bias + 2.4 * (far - 0.75 * inner), 0, 0.8)
        plate.put(_star(x, y, points, inner, outer, turn) + wobble, tint, dots, tone, line)
        cracks = np.abs(_star(x, y, points, 0.82 * inner, 0.86 * outer, turn) + wobble)
        shade = np.sin(7 * np.arctan2(y - BURST[1], x - BURST[0]) + 9 * turn) > 0.25
        plate.ink(smoothstep(1.0, -1.0, (cracks - 0.0022) * len(x)) * shade)


def _city(plate: Plate, x: Field, y: Field, rng: np.random.Generator) -> None:
    """Raise three rows of towers, the front ones darkest, with lit windows and black sides."""
    looks = ((VIOLET, NAVY, PINK), (BLUE, NAVY, CYAN), (TEAL, NAVY, YELLOW), (RED, NAVY, YELLOW))
    for row, (base, spread, width) in enumerate(((0.60, 0.10, 0.050), (0.70, 0.09, 0.064),
                                                 (0.83, 0.06, 0.080))):  # fmt: skip
        for middle in np.arange(-0.02, 1.05, 1.55 * width):
            cx = middle + 0.3 * width * rng.standard_normal()
            top = base - spread * rng.random() - 0.22 * abs(cx - BURST[0]) ** 1.3
            half = width * rng.uniform(0.55, 0.85)
            wall, dark, lamp = looks[int(rng.integers(0, 4))]
            level = np.maximum(np.abs(x - cx) - half, top - y)
            roof = np.maximum(np.abs(x - cx) - 0.45 * half, top - 0.035 - y)
            level = np.minimum(level, roof) if rng.random() < 0.6 else level
            facing = np.sign(BURST[0] - cx) * (x - cx) / half
            tone = np.clip(0.35 - 0.35 * facing + 0.8 * (y - top), 0, 0.85)
            plate.put(level, wall, dark, tone, 0.0032 + 0.0008 * row)
            step_x, step_y = 0.0165 + 0.004 * row, 0.024 + 0.005 * row
            u, v = ((x - cx) / step_x) % 1.0, ((y - top) / step_y) % 1.0
            pane = (np.abs(u - 0.5) < 0.30) & (np.abs(v - 0.5) < 0.31) & (level < -0.006)
            number = np.floor((x - cx) / step_x) * 7 + np.floor((y - top) / step_y) * 13 + 40 * cx
            lit = np.sin(number * 12.9) > -0.1
            glass = np.where((pane & lit)[..., None], lamp, plate.tint)
            plate.tint = np.where((pane & ~lit)[..., None], dark, glass)
            plate.tone = np.where(pane, 0.12, plate.tone)
            frame = (np.abs(u - 0.5) < 0.38) & (np.abs(v - 0.5) < 0.38) & ~pane & (level < -0.006)
            plate.ink(np.where(frame, 0.95, 0.0))
            hatch = np.sin(2 * np.pi * (y + 0.6 * x) / 0.0125)
            shade = (level < 0) & (facing < -0.45) & (hatch > -0.25 - 0.7 * (facing + 0.45))
            plate.ink(np.where(shade & ~pane, 1.0, 0.0))


def _smoke(
    plate: Plate,
    x: Field,
    y: Field,
    rng: np.random.Generator,
    low: float,
    count: int,
    colors: tuple[Field, Field],
) -> None:
    """Roll up smoke: overlapping balls with a line that swells on the dark side and crescents."""
    for k in range(count):
        if low < 0.5:
            around = 2 * np.pi * (k + rng.uniform(0.2, 0.8)) / count
            cx = BURST[0] + (0.33 + 0.06 * rng.random()) * np.cos(around)
            cy = BURST[1] + (0.29 + 0.06 * rng.random()) * np.sin(around)
            radius = rng.uniform(0.045, 0.085)
        else:
            cx, cy = (k + 0.5) / count + 0.02 * rng.standard_normal(), 0.90 + 0.035 * (k % 3)
            radius = rng.uniform(0.055, 0.085)
        level = np.full(x.shape, 1.0, np.float32)
        for lobe in range(6):
            turn = 2 * np.pi * lobe / 6 + rng.random()
            bx, by = cx + 0.62 * radius * np.cos(turn), cy + 0.50 * radius * np.sin(turn)
            level = np.minimum(level, np.hypot(x - bx, y - by) - 0.55 * radius)
        side = ((x - cx) * 0.5 + (y - cy) * 0.86) / radius
        tone = np.clip(0.26 + 0.50 * side, 0.03, 0.85)
        plate.put(level, colors[0], colors[1], tone, 0.0034 + 0.0030 * np.clip(side, -0.6, 1.0))
        for reach in (0.74, 0.50):
            ring = np.abs(level + (1 - reach) * 0.55 * radius) - 0.0040 * np.clip(side - 0.1, 0, 1)
            plate.ink(smoothstep(1.0, -1.0, ring * len(x)) * (side > 0.15) * (level < 0))


def _debris(plate: Plate, x: Field, y: Field, rng: np.random.Generator) -> None:
    """Fling chips outwards, each with a tail of two lines."""
    for k in range(26):
        around = 2 * np.pi * (k + rng.random()) / 26
        far = rng.uniform(0.33, 0.62)
        cx, cy = BURST[0] + far * np.cos(around), BURST[1] + far * np.sin(around)
        size = rng.uniform(0.010, 0.024)
        cos, sin = np.cos(around), np.sin(around)
        along, across = (x - cx) * cos + (y - cy) * sin, (y - cy) * cos - (x - cx) * sin
        tail = (along < 0) & (along > -6 * size)
        for offset in (-0.45, 0.45):
            width = 0.0030 * (1 + along / (6 * size))
            streak = np.abs(across - offset * size) - width
            plate.ink(smoothstep(1.0, -1.0, streak * len(x)) * tail)
        chip = np.maximum(np.abs(along) * 0.8, np.abs(across + 0.3 * along)) - 0.6 * size
        tint = (YELLOW, GREEN, PINK, WHITE)[k % 4]
        plate.put(chip, tint, RED, np.clip(0.3 + 25 * across, 0, 0.7), 0.0036)


def _screen(x: Field, y: Field, angle: float, tone: Field) -> Field:
    """Return the cover of a screen of dots that take the share `tone` of the area."""
    cos, sin = np.cos(angle), np.sin(angle)
    u, v = (x * cos + y * sin) / PITCH, (y * cos - x * sin) / PITCH
    far = np.hypot(u - np.round(u), v - np.round(v)) * PITCH
    radius = PITCH * np.sqrt(np.clip(tone, 0, 1) / np.pi)
    cover = smoothstep(0.9, -0.9, (far - radius) * len(x))
    return np.where(tone > 0.01, cover, 0.0).astype(np.float32)


def _printed(plate: Plate, rng: np.random.Generator) -> Field:
    size = len(plate.tone)
    unit = size / 1024
    x, y = grid(size)
    pulp = noise(size, rng, 70, 4, gain=0.75)
    press = 0.6 * grain(size, rng, 0.8 * unit) + 0.6 * grain(size, rng, 2.4 * unit)
    paper = PAPER * (1 + 0.025 * pulp + 0.015 * grain(size, rng))[..., None]
    miss = max(1, round(2 * unit))
    tint = np.roll(plate.tint, (miss, miss), axis=(0, 1))
    flat = np.clip(0.90 + 0.07 * press + 0.03 * pulp, 0, 1)
    color = paper + flat[..., None] * (np.minimum(paper, tint) - paper)
    dots = _screen(x + 0.0012, y - 0.0012, 0.46, plate.tone) * np.clip(0.92 + 0.10 * press, 0, 1)
    color += dots[..., None] * (plate.dots - color)
    key = plate.key * np.clip(0.97 + 0.10 * press, 0, 1) * (press > -2.1)
    printed: Field = color + key[..., None] * (KEY * (1 + 0.3 * press[..., None]) - color)
    return printed
