"""A river at evening in dots: every color is split into its neighbors and its complement.

The scene is painted flat first and then only looked at: each dot takes the color under it apart,
as the divisionists did, into a purer tone, a tone of the light, and a tone opposite on the color
wheel, which mix again in the eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, grain, grid, noise, scattered, smoothstep
from .palette import luminance, palette, ramp, rgb, varied
from .strokes import Canvas, brush, picture, relief

SKY = palette("2b74bd 4fa3d6 97cfcf f3d67f f6a45a e8706c")
HILL = palette("4b4a9a 7a62b0 b583b0")
FOLIAGE = palette("123a4a 1f6a4a 4d9a3f a9c23f f2dc5a")
BANK = palette("2a3f7a 2f7a4a 6fb03a d0cf4a f6e27a")
SAIL = palette("fff3d8 f6b98a")
LIGHT = rgb("ffc94a")
SHADE = rgb("3a3fa8")
HORIZON = 0.455

# x, foot, height, half width
POPLARS = (
    (0.575, 0.465, 0.235, 0.022),
    (0.640, 0.470, 0.315, 0.027),
    (0.715, 0.475, 0.375, 0.031),
    (0.805, 0.480, 0.430, 0.036),
    (0.910, 0.485, 0.470, 0.042),
)
BUSHES = ((0.04, 0.40, 0.11), (0.16, 0.42, 0.075), (0.255, 0.437, 0.045), (0.49, 0.447, 0.03))
SUN = (0.335, 0.345)


@dataclass(frozen=True)
class View:
    """What is seen: color, the way dots lean, how much light falls, (size, size)."""

    color: Field
    angle: Field
    light: Field


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the river at `size` by `size` pixels."""
    view = _view(size, rng)
    x, y = grid(size)
    weave = np.sin(x * 2 * np.pi * 256) * np.sin(y * 2 * np.pi * 256)
    primed = rgb("efe4c8") * (1 + 0.03 * (grain(size, rng, 0.7) + weave))[..., None]
    canvas = Canvas(0.45 * primed + 0.55 * view.color)
    for diameter, pack in ((27.0, 1.0), (20.0, 0.95), (17.5, 0.90), (15.0, 0.92), (11.0, 0.55)):
        _dots(canvas, view, rng, max(2.5, diameter * size / 1024), pack)
    return picture(relief(canvas.color, canvas.height + 0.04 * weave, 0.85, 0.10))


def _view(size: int, rng: np.random.Generator) -> View:
    x, y = grid(size)
    rough = noise(size, rng, 6, 4)
    above, angle, light = _far_shore(x, y, rough)
    # The river shows the far shore upside down, stretched and broken by ripples.
    depth = np.clip(y - HORIZON, 0, None)
    ripple = np.sin(150 * depth / (0.25 + 2.2 * depth) + 3 * rough)
    mirror_y = np.clip(HORIZON - 0.95 * depth + 0.010 * ripple, 0, 1)
    mirror_x = np.clip(x + 0.010 * ripple * (0.3 + depth * 3), 0, 1)
    rows, columns = ((c * size).astype(int).clip(0, size - 1) for c in (mirror_y, mirror_x))
    water = above[rows, columns] * 0.70 + 0.30 * ramp(palette("173f98 5fb4d8"), 0.5 + 0.5 * ripple)
    column = np.exp(-(((x - SUN[0]) / (0.018 + 0.16 * depth)) ** 2))
    glitter = column * smoothstep(-0.1, 0.7, ripple)
    water += 0.7 * glitter[..., None] * (rgb("fff0a8") - water)
    river = y > HORIZON
    color = np.where(river[..., None], water, above)
    angle = np.where(river, 0.0, angle)
    light = np.where(river, 0.35 + 0.3 * ripple, light)
    color, light = _boat(color, light, x, y)
    color, angle, light = _near_bank(color, angle, light, x, y, rough)
    return View(color.astype(np.float32), angle.astype(np.float32), light.astype(np.float32))


def _far_shore(x: Field, y: Field, rough: Field) -> tuple[Field, Field, Field]:
    color = ramp(SKY, np.clip(y / HORIZON + 0.05 * rough, 0, 1))
    far = np.hypot(x - SUN[0], y - SUN[1])
    halo = np.exp(-((far / 0.12) ** 1.3))
    color += (0.85 * halo)[..., None] * (rgb("ffd85a") - color)
    cloud = smoothstep(0.2, 1.3, rough + 0.7 * np.sin(34 * y + 5 * x + rough)) * (y < 0.36)
    color += 0.55 * cloud[..., None] * (ramp(palette("f08fa0 ffd9b8"), 0.5 + 0.4 * rough) - color)
    color[far < 0.045] = rgb("fffbe8")
    angle = 2.0 * rough + np.where(far < 0.2, np.arctan2(x - SUN[0], SUN[1] - y), 0)
    light = 0.65 + 0.2 * halo
    ridge = 0.405 + 0.022 * np.sin(8 * x + 1) + 0.010 * np.sin(21 * x)
    hill = y > ridge
    color = np.where(hill[..., None], ramp(HILL, np.clip(2.2 * (y - ridge) / 0.09, 0, 1)), color)
    light = np.where(hill, 0.35, light)
    for bx, by, radius in BUSHES:
        round_x, round_y = (x - bx) / radius, (y - by) / (radius * 0.9)
        inside = np.hypot(round_x, round_y) * (1 + 0.09 * rough) < 1
        lit = np.clip(0.36 + 0.33 * round_x - 0.30 * round_y + 0.13 * rough, 0, 1)
        color = np.where(inside[..., None], ramp(FOLIAGE, lit), color)
        light = np.where(inside, lit, light)
    shore = y > 0.447 + 0.006 * np.sin(13 * x)
    color = np.where(shore[..., None], ramp(BANK, np.clip(0.45 + 0.2 * rough, 0, 1)), color)
    for tx, foot, height, half in POPLARS:
        along = np.clip((foot - y) / height, 0, 1)
        width = half * np.clip(np.sin(np.pi * along**0.62), 0, 1) ** 0.75 * (1 + 0.13 * rough)
        side = (x - tx) / np.maximum(width, 1e-4)
        inside = (np.abs(side) < 1) & (y < foot) & (along < 1)
        lit = np.clip(0.45 - 0.38 * side + 0.14 * rough, 0, 1)
        color = np.where(inside[..., None], ramp(FOLIAGE, lit), color)
        light = np.where(inside, lit, light)
        angle = np.where(inside, np.pi / 2 + 0.5 * side, angle)
    return color, angle, light


def _boat(color: Field, light: Field, x: Field, y: Field) -> tuple[Field, Field]:
    """Set a small sailing boat and its reflection on the river."""
    mast, deck = 0.455, 0.565
    for flip in (1.0, -1.0):
        up = (deck - y) * flip
        drift = 0.004 * np.sin(220 * y) * (flip < 0)
        reach = 0.060 * (1 - up / 0.15)
        main = (up > 0.006) & (up < 0.15) & (x + drift > mast) & (x + drift < mast + reach)
        jib = (up > 0.006) & (up < 0.12) & (x + drift < mast - 0.006)
        jib &= x + drift > mast - 0.042 * (1 - up / 0.12)
        fade = 1.0 if flip > 0 else 0.62
        tint = ramp(SAIL, np.clip((x - mast) / 0.05, 0, 1))
        color = np.where(main[..., None], color + fade * (tint - color), color)
        color = np.where(jib[..., None], color + fade * (rgb("e2603f") - color), color)
        hull = (np.abs(up + 0.006 * flip) < 0.010) & (np.abs(x - mast) < 0.062 - 0.5 * np.abs(up))
        color = np.where(hull[..., None], rgb("57265a"), color)
        light = np.where(main | jib, 0.8, light)
    return color, light


def _near_bank(
    color: Field, angle: Field, light: Field, x: Field, y: Field, rough: Field
) -> tuple[Field, Field, Field]:
    edge = 0.80 + 0.10 * x - 0.05 * np.sin(4.2 * x + 0.5) + 0.006 * rough
    bank = y > edge
    cast = smoothstep(0.3, 0.8, np.sin(11 * x - 13 * (y - 0.8) + 0.9) + 0.25 * rough)
    lit = np.clip(0.80 - 0.68 * cast + 0.13 * rough, 0, 1)
    color = np.where(bank[..., None], ramp(BANK, lit), color)
    light = np.where(bank, lit, light)
    angle = np.where(bank, np.pi / 2 + 0.6 * np.sin(7 * x + 5 * rough), angle)
    reeds = (np.abs(y - edge) < 0.010 + 0.007 * np.sin(90 * x)) & (np.sin(31 * x) > -0.4)
    color = np.where(reeds[..., None], rgb("1f4f5f"), color)
    flowers = bank & (noise_dots(x, y) > 0.93) & (y > edge + 0.02)
    tint = ramp(palette("e8403a f58a2f ffd84a f29ac0"), 0.5 + 0.5 * np.sin(40 * x + 31 * y))
    return np.where(flowers[..., None], tint, color), angle, light


def noise_dots(x: Field, y: Field) -> Field:
    """Return a field in [-1, 1] with many small separate peaks, for flowers in grass."""
    field: Field = np.sin(190 * x + 9 * np.sin(23 * y)) * np.sin(170 * y + 8 * np.sin(19 * x))
    return field


def _divided(color: Field, light: Field, rng: np.random.Generator) -> Field:
    """Split colors (n, 3) into pure, light, shade and complementary tones, one each."""
    value = luminance(color)[:, None]
    pure = 0.97 * value + 1.6 * (color - value)
    opposite = 0.84 * value + 1.25 * (value - color)
    warm = 0.62 * color + 0.38 * LIGHT * (0.6 + 0.55 * value)
    cool = 0.60 * color + 0.40 * SHADE * (0.5 + 1.1 * value)
    chance = rng.random(len(color))[:, None]
    lit = np.clip(light, 0, 1)[:, None]
    tone = np.where(chance < 0.56, pure, opposite)
    tone = np.where(chance > 0.68, warm, tone)
    tone = np.where(chance > 0.68 + 0.34 * lit, cool, tone)
    return varied(np.clip(tone, 0, 1).astype(np.float32), rng, 0.11, 0.03, 0.15)


def _dots(
    canvas: Canvas, view: View, rng: np.random.Generator, diameter: float, pack: float
) -> None:
    size = canvas.size
    tool = brush(1.1 * diameter, diameter, rng, taper=1.4, ragged=0.12, dry=0.0, bristles=0.4)
    xs, ys = scattered(size, diameter / pack, rng)
    rows, columns = (c.astype(int).clip(0, size - 1) for c in (ys, xs))
    colors = _divided(view.color[rows, columns], view.light[rows, columns], rng)
    angles = view.angle[rows, columns] + 0.25 * rng.standard_normal(len(xs))
    scales = np.clip(rng.normal(0.92, 0.13, len(xs)), 0.55, 1.25)
    prints = rng.integers(0, len(tool.cover), len(xs))
    for i in range(len(xs)):
        canvas.stroke(
            tool, prints[i], xs[i], ys[i], angles[i], colors[i], scale=scales[i], streak=0.12
        )
