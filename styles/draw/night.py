"""A night sky that turns in spirals over hills and a lake, in short strokes of thick paint.

One phase field holds the sky together. Vortices add n * angle + k * log(distance) to it, so its
level lines are spirals around them and waves between them; strokes run along those lines and take
their color from the phase, which makes bands of light and dark that wind as the strokes do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, grid, noise, scattered, smoothstep
from .palette import palette, ramp, rgb, varied
from .strokes import Canvas, brush, picture, relief

SKY = palette("0d1440 16246b 1f47a3 2f74c0 63a9cf a9d3c8 e6e4b0")
LIGHT = palette("fff6d0 fbe27a f5b931 e98a22 8fb08f 3f79b0")
HILLS = palette("0a1233 12304d 1d5a5c 3f8266 7fa35c")
WATER = palette("0b1238 173a78 2c6aa8 5ba3bd")
GLOW = palette("f9d968 ef9a2c fff0b0")

# x, y, winding, pitch: a whole winding keeps the phase free of seams.
VORTICES = (
    (0.40, 0.30, 2, 3.4),
    (0.70, 0.44, -2, 3.0),
    (0.09, 0.52, -1, 2.2),
    (0.97, 0.20, 1, 2.0),
)
# x, y, radius
STARS = (
    (0.14, 0.13, 0.085),
    (0.86, 0.15, 0.135),
    (0.60, 0.10, 0.055),
    (0.56, 0.55, 0.050),
    (0.27, 0.55, 0.060),
    (0.93, 0.50, 0.048),
    (0.38, 0.07, 0.036),
    (0.73, 0.27, 0.034),
)
SHORE = 0.80


@dataclass(frozen=True)
class Scene:
    """What every place of the picture asks of a stroke: direction, color, and which part it is."""

    angle: Field
    color: Field
    part: Field


def _sky_phase(x: Field, y: Field) -> tuple[Field, Field, Field]:
    phase = 15.0 * (y + 0.05 * np.sin(5.2 * x + 0.6) + 0.03 * np.sin(11 * x + 4 * y))
    slope_x = 15.0 * (0.26 * np.cos(5.2 * x + 0.6) + 0.33 * np.cos(11 * x + 4 * y))
    slope_y = 15.0 * (1.0 + 0.12 * np.cos(11 * x + 4 * y))
    for center_x, center_y, winding, pitch in VORTICES:
        dx, dy = x - center_x, y - center_y
        near = dx * dx + dy * dy + 2e-4
        phase = phase + winding * np.arctan2(dy, dx) + pitch * np.log(near) / 2
        slope_x = slope_x + (pitch * dx - winding * dy) / near
        slope_y = slope_y + (pitch * dy + winding * dx) / near
    return phase, slope_x, slope_y


def _hill_lines(x: Field) -> list[Field]:
    back = 0.655 + 0.035 * np.sin(6.0 * x + 2.0) + 0.018 * np.sin(15 * x)
    middle = 0.715 + 0.040 * np.sin(4.6 * x + 4.4) + 0.012 * np.sin(19 * x + 1)
    front = 0.765 + 0.022 * np.sin(7.5 * x + 0.4)
    return [back, middle, front]


def _scene(size: int, rng: np.random.Generator) -> Scene:
    x, y = grid(size)
    phase, slope_x, slope_y = _sky_phase(x, y)
    rough = noise(size, rng, 5, 4)
    angle = np.arctan2(-slope_x, slope_y)
    bands = 0.6 * np.sin(phase + 0.5 * rough) + 0.4 * np.sin(3 * phase + 0.7 * rough)
    tone = 0.42 + 0.36 * bands + 0.09 * rough + 0.16 * (y - 0.3)
    color = ramp(SKY, np.clip(tone, 0, 1))
    for star_x, star_y, radius in STARS:
        dx, dy = x - star_x, y - star_y
        far = np.hypot(dx, dy) / radius * (1 + 0.05 * rough)
        weight = smoothstep(1.25, 0.75, far)
        around = np.arctan2(dx, -dy)
        # Directions are axes, not arrows: mix them by their doubled angle.
        angle = 0.5 * np.arctan2(
            (1 - weight) * np.sin(2 * angle) + weight * np.sin(2 * around),
            (1 - weight) * np.cos(2 * angle) + weight * np.cos(2 * around),
        )
        rings = far + 0.07 * np.sin(far * 19)
        halo = ramp(LIGHT, rings, (0.0, 0.24, 0.42, 0.60, 0.85, 1.15))
        color += smoothstep(1.2, 0.8, far)[..., None] * (halo - color)
    part = np.zeros_like(x)
    for layer, line in enumerate(_hill_lines(x), start=1):
        below = y > line
        part = np.where(below, layer, part)
        slope = np.arctan(np.gradient(line, axis=1) * size)
        lean = slope + 0.5 * np.sin(9 * x + 3 * layer) * smoothstep(0.0, 0.12, y - line)
        angle = np.where(below, lean, angle)
        depth = np.exp(-(y - line) / 0.025)
        land = 0.12 + 0.13 * layer * 0.5 + 0.5 * depth * (0.5 + 0.35 * rough) + 0.08 * rough
        color = np.where(below[..., None], ramp(HILLS, np.clip(land, 0, 1)), color)
    return _with_lake(Scene(angle, color, part), x, y, rough)


def _with_lake(scene: Scene, x: Field, y: Field, rough: Field) -> Scene:
    lake = y > SHORE + 0.008 * np.sin(9 * x)
    ripple = np.sin(120 * (y - SHORE) / (0.35 + 2.2 * (y - SHORE)) + 2.5 * rough)
    tone = 0.42 + 0.28 * ripple + 0.15 * rough - 0.4 * (y - SHORE)
    water = ramp(WATER, np.clip(tone, 0, 1))
    for star_x, _, radius in STARS:
        spread = radius * (0.35 + 1.8 * (y - SHORE))
        column = np.exp(-(((x - star_x) / spread) ** 2)) * smoothstep(-0.25, 0.5, ripple)
        strength = np.clip(column * radius * 10, 0, 1)
        water += strength[..., None] * (ramp(GLOW, 0.5 + 0.4 * rough) - water)
    angle = np.where(lake, 0.06 * rough, scene.angle)
    color = np.where(lake[..., None], water, scene.color)
    return Scene(angle, color, np.where(lake, 4, scene.part))


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the night at `size` by `size` pixels."""
    scene = _scene(size, rng)
    ground = scene.color * (0.62 + 0.10 * noise(size, rng, 60, 2)[..., None])
    canvas = Canvas(0.8 * ground + 0.2 * rgb("1d2f66"))
    unit = size / 1024
    for length, width, spread in ((66, 17, 0.9), (48, 12, 0.8), (36, 8.5, 0.75)):
        _pass(canvas, scene, rng, max(4.0, length * unit), max(2.2, width * unit), spread)
    _cores(canvas, rng)
    _windows(canvas, rng, unit)
    return picture(relief(canvas.color, canvas.height, 1.7, 0.12))


def _pass(
    canvas: Canvas,
    scene: Scene,
    rng: np.random.Generator,
    length: float,
    width: float,
    spread: float,
) -> None:
    size = canvas.size
    tool = brush(length, width, rng)
    xs, ys = scattered(size, (length * width / (1.7 * spread)) ** 0.5, rng)
    count = len(xs)
    columns, rows = xs.astype(int), ys.astype(int)
    angles = scene.angle[rows, columns]
    step = length / 3
    ahead_x = np.clip(xs + step * np.cos(angles), 0, size - 1).astype(int)
    ahead_y = np.clip(ys + step * np.sin(angles), 0, size - 1).astype(int)
    turn = scene.angle[ahead_y, ahead_x] - angles
    turn = (turn + np.pi / 2) % np.pi - np.pi / 2
    bends = np.clip(1.5 * turn, -0.9, 0.9)
    bends = np.where(scene.part[ahead_y, ahead_x] == scene.part[rows, columns], bends, 0.0)
    colors = varied(scene.color[rows, columns], rng, 0.13, 0.025, 0.18)
    tilt = angles + 0.10 * rng.standard_normal(count)
    scales = np.clip(rng.normal(0.95, 0.2, count), 0.5, 1.4)
    prints = rng.integers(0, len(tool.cover), count)
    for i in range(count):
        canvas.stroke(
            tool, prints[i], xs[i], ys[i], tilt[i], colors[i], bend=bends[i], scale=scales[i]
        )


def _cores(canvas: Canvas, rng: np.random.Generator) -> None:
    """Press one thick round dab into the middle of every star."""
    for x, y, radius in STARS:
        wide = 0.55 * radius * canvas.size
        tool = brush(1.1 * wide, wide, rng, taper=1.3, ragged=0.3, dry=0.0, bristles=0.4)
        at = (x * canvas.size, y * canvas.size)
        canvas.stroke(tool, 0, *at, rng.random() * 3, rgb("fffbe6"), bend=0.5, body=1.5)


def _windows(canvas: Canvas, rng: np.random.Generator, unit: float) -> None:
    """Light a village between the hills, and its broken reflections on the lake."""
    size = canvas.size
    lamp = brush(max(3.0, 9 * unit), max(2.2, 7 * unit), rng, dry=0.1)
    glint = brush(max(4.0, 26 * unit), max(2.2, 5 * unit), rng)
    for x in np.sort(rng.normal(0.5, 0.16, 26)):
        y = 0.765 + 0.022 * np.sin(7.5 * x + 0.4) - rng.random() * 0.022
        color = GLOW[rng.integers(0, 3)]
        canvas.stroke(lamp, int(rng.integers(0, 12)), x * size, y * size, 1.5, color, body=1.4)
        for _ in range(3):
            down = SHORE + 0.012 + 0.09 * rng.random() ** 1.5
            drift = x + 0.006 * rng.standard_normal()
            canvas.stroke(
                glint,
                int(rng.integers(0, 12)),
                drift * size,
                down * size,
                0.05 * rng.standard_normal(),
                color,
                scale=0.7,
                opacity=0.85,
            )
