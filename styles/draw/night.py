"""A night sky that turns in spirals over fields in lamplight, in long strokes of thick paint.

One phase field holds the sky together. Vortices add n * angle + k * log(distance) to it, so its
level lines are spirals around them and waves between them; strokes run along those lines and take
their color from the phase, which makes bands of light and dark that wind as the strokes do. Stars
and fields bring the cream, ochre and peach that a face needs to be lit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, grid, noise, scattered, smoothstep
from .palette import palette, ramp, varied
from .strokes import Canvas, brush, picture, relief

SKY = palette("10183a 1d346c 2b5a98 4f88b8 8ebad0 d0dccc f3e8c8")
LIGHT = palette("fffbe8 fdecbe fad49c f0b684 c8b0a8 5a88c0")
FIELD = palette("1e2444 664050 b4704c e2a06c f4c69c fce4c4")

# x, y, winding, pitch: a whole winding keeps the phase free of seams.
VORTICES = (
    (0.40, 0.30, 2, 3.4),
    (0.72, 0.46, -2, 3.0),
    (0.09, 0.52, -1, 2.2),
    (0.97, 0.20, 1, 2.0),
)
# x, y, radius
STARS = (
    (0.14, 0.13, 0.120),
    (0.85, 0.15, 0.170),
    (0.60, 0.08, 0.070),
    (0.57, 0.56, 0.075),
    (0.25, 0.56, 0.090),
)


@dataclass(frozen=True)
class Scene:
    """What every place of the picture asks of a stroke: direction, color, and which part it is."""

    angle: Field
    color: Field
    part: Field


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the night at `size` by `size` pixels."""
    scene = _scene(size, rng)
    canvas = Canvas(scene.color)
    unit = size / 1024
    for length, width in ((170, 42), (140, 34), (100, 26)):
        _pass(canvas, scene, rng, max(6.0, length * unit), max(2.2, width * unit))
    return picture(relief(canvas.color, canvas.height, 1.0, 0.06))


def _scene(size: int, rng: np.random.Generator) -> Scene:
    x, y = grid(size)
    phase, slope_x, slope_y = _sky_phase(x, y)
    rough = noise(size, rng, 5, 3)
    angle = np.arctan2(-slope_x, slope_y)
    bands = 0.7 * np.sin(phase + 0.4 * rough) + 0.3 * np.sin(3 * phase + 0.6 * rough)
    tone = 0.43 + 0.38 * bands + 0.07 * rough + 0.16 * (y - 0.3)
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
        halo = ramp(LIGHT, rings, (0.15, 0.36, 0.54, 0.72, 0.95, 1.2))
        color += smoothstep(1.2, 0.8, far)[..., None] * (halo - color)
    part = np.zeros_like(x)
    for layer, line in enumerate(_hill_lines(x), start=1):
        below = y > line
        part = np.where(below, layer, part)
        slope = np.arctan(np.gradient(line, axis=1) * size)
        lean = slope + 0.6 * np.sin(7 * x + 3 * layer) * smoothstep(0.0, 0.15, y - line)
        angle = np.where(below, lean, angle)
        furrow = np.sin(70 * (y - line) + 2 * np.sin(6 * x + layer) + rough)
        land = 0.68 + 0.16 * furrow + 0.10 * rough - 0.55 * np.exp(-(y - line) / 0.02)
        color = np.where(below[..., None], ramp(FIELD, np.clip(land, 0, 1)), color)
    return Scene(angle, color, part)


def _sky_phase(x: Field, y: Field) -> tuple[Field, Field, Field]:
    """Return the phase of the sky's bands and its slopes along x and y."""
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
    back = 0.720 + 0.045 * np.sin(6.0 * x + 2.0) + 0.018 * np.sin(13 * x)
    front = 0.850 + 0.050 * np.sin(4.6 * x + 4.4) + 0.012 * np.sin(11 * x + 1)
    return [back, front]


def _pass(
    canvas: Canvas, scene: Scene, rng: np.random.Generator, length: float, width: float
) -> None:
    """Cover the canvas with strokes of one brush, `length` by `width` pixels."""
    size = canvas.size
    tool = brush(length, width, rng, ragged=0.25, dry=0.15, bristles=0.14)
    xs, ys = scattered(size, (length * width / 1.6) ** 0.5, rng)
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
    colors = varied(scene.color[rows, columns], rng, 0.12, 0.012, 0.15)
    tilt = angles + 0.06 * rng.standard_normal(count)
    # A stroke that cannot bend with a tight spiral is kept short.
    scales = np.clip(rng.normal(0.95, 0.2, count), 0.5, 1.4) / (1 + np.abs(turn))
    prints = rng.integers(0, len(tool.cover), count)
    for i in range(count):
        canvas.stroke(
            tool, prints[i], xs[i], ys[i], tilt[i], colors[i],
            bend=bends[i], scale=scales[i], streak=0.10,
        )  # fmt: skip
