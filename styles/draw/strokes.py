"""Brush strokes on a canvas that has color and relief.

A brush holds a few prints of its bristles: how much paint each spot of a stroke carries and how
high it stands. A stroke bends such a print along a parabola, mixes its color into the canvas and
leaves its ridges in the height map, which `relief` lights from the upper left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .fields import Field, resized, smoothstep

PRINTS = 12
"""Different prints per brush: enough that no two neighboring strokes look stamped."""


@dataclass(frozen=True)
class Brush:
    """Prints of a brush whose stroke is `length` by `width` pixels.

    `cover` and `ridge` have the shape (PRINTS, along, across), both in [0, 1], with a border of
    uncovered samples.
    """

    length: float
    width: float
    cover: Field
    ridge: Field


def brush(
    length: float,
    width: float,
    rng: np.random.Generator,
    *,
    taper: float = 0.35,
    ragged: float = 0.35,
    dry: float = 0.3,
    bristles: float = 0.6,
) -> Brush:
    """Make a brush for strokes of `length` by `width` pixels.

    `taper` is how much shorter a stroke is at its sides (1.45 makes its ends round), `ragged` how
    unevenly bristles touch down and lift off, `dry` how much canvas shows through
    towards the end, `bristles` their number per pixel of width.
    """
    length, width = max(length, 2.0), max(width, 2.0)
    along, across = int(2 * length) + 2, int(2 * width) + 2
    u = np.linspace(-1, 1, along, dtype=np.float32)[:, None]
    v = np.linspace(-1, 1, across, dtype=np.float32)[None, :]
    hairs = max(3, round(bristles * width))
    covers, ridges = [], []
    for _ in range(PRINTS):
        hair = _profile(rng, hairs, across)
        wobble = resized(rng.standard_normal((5, max(3, hairs // 2))), across, along)
        start = -1 + taper * (1 - np.sqrt(1 - 0.9 * v * v)) + 0.25 * ragged * np.abs(hair)
        stop = 1 - taper * (1 - np.sqrt(1 - 0.9 * v * v)) - 0.55 * ragged * np.abs(np.roll(hair, 2))
        soft = 2.0 / along
        touched = smoothstep(-soft, soft, u - start) * smoothstep(-soft, soft, stop - u)
        edge = 1 - np.abs(v) + 0.06 * wobble
        sides = smoothstep(0.0, 2.4 / across, edge)
        load = 1.25 + hair * 0.6 + wobble * 0.35 - dry * (u + 1) * 1.2
        covers.append(touched * sides * smoothstep(-0.35, 0.35, load))
        rim = np.exp(-(((np.abs(v) - 0.8) / 0.16) ** 2)) + 0.8 * np.exp(-(((u - 0.85) / 0.1) ** 2))
        ridges.append(np.clip(0.5 + 0.22 * hair + 0.1 * wobble + 0.25 * rim, 0, 1))
    pad = ((0, 0), (1, 1), (1, 1))
    cover = np.pad(np.stack(covers), pad).astype(np.float32)
    ridge = np.pad(np.stack(ridges), pad, mode="edge").astype(np.float32)
    return Brush(length, width, cover, ridge)


def _profile(rng: np.random.Generator, hairs: int, samples: int) -> Field:
    profile = resized(rng.standard_normal((1, hairs)), samples, 1)
    return (profile / max(float(profile.std()), 1e-6)).astype(np.float32)


class Canvas:
    """A square of color (size, size, 3) and of relief (size, size), in pixels."""

    def __init__(self, color: Field, height: Field | None = None) -> None:
        self.color = color.astype(np.float32).copy()
        self.size = color.shape[0]
        self.height = np.zeros(color.shape[:2], np.float32) if height is None else height.copy()

    def stroke(
        self,
        tool: Brush,
        print_index: int,
        x: float,
        y: float,
        angle: float,
        color: Field,
        *,
        bend: float = 0.0,
        scale: float = 1.0,
        opacity: float = 1.0,
        streak: float = 0.25,
        body: float = 1.0,
    ) -> None:
        """Lay one stroke centered at (x, y) pixels, running along `angle` in radians.

        `bend` is the turn of direction from the middle to an end in radians, `scale` the stroke's
        size relative to the brush's, `streak` how far bristles change the color's brightness,
        `body` the paint's thickness.
        """
        half_length, half_width = tool.length * scale / 2, tool.width * scale / 2
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        sag = abs(bend) * half_length / 2
        reach_x = abs(cos) * half_length + abs(sin) * (half_width + sag) + 1
        reach_y = abs(sin) * half_length + abs(cos) * (half_width + sag) + 1
        left, right = max(0, int(x - reach_x)), min(self.size, int(x + reach_x) + 2)
        top, bottom = max(0, int(y - reach_y)), min(self.size, int(y + reach_y) + 2)
        if left >= right or top >= bottom:
            return
        dx = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5 - x)
        dy = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - y)
        u = (dx * cos + dy * sin) / half_length
        v = (dy * cos - dx * sin) / half_width
        if bend:
            v = v - (bend * half_length / (2 * half_width)) * (u * u - 0.33)
        along, across = tool.cover.shape[1:]
        at_u = np.clip((u + 1) * (along / 2), 0, along - 1).astype(np.intp)
        at_v = np.clip((v + 1) * (across / 2), 0, across - 1).astype(np.intp)
        cover = tool.cover[print_index, at_u, at_v] * np.float32(opacity)
        ridge = tool.ridge[print_index, at_u, at_v]
        patch = (slice(top, bottom), slice(left, right))
        tone = color * (1 + streak * (ridge[..., None] - 0.5))
        self.color[patch] += cover[..., None] * (tone - self.color[patch])
        self.height[patch] += cover * (body * ridge - 0.75 * self.height[patch])


def relief(color: Field, height: Field, depth: float = 1.0, gloss: float = 0.15) -> Field:
    """Light a height map from the upper left; returns the lit color, (size, size, 3).

    Slopes towards the light gain brightness, slopes away lose it; `gloss` adds a highlight on the
    steepest lit slopes as wet oil has.
    """
    slope_y, slope_x = np.gradient(height)
    facing = np.tanh(depth * (slope_x * 0.65 + slope_y * 0.76) * 2.2)
    shine = gloss * np.clip(facing - 0.35, 0, 1) ** 2 * 2.0
    lit = color * (1 + 0.42 * facing[..., None]) + shine[..., None]
    clipped: Field = np.clip(lit, 0, 1)
    return clipped


def picture(color: Field) -> Image.Image:
    """Turn color in [0, 1] into an 8-bit RGB image."""
    return Image.fromarray((np.clip(color, 0, 1) * 255 + 0.5).astype(np.uint8))
