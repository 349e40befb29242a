"""Watercolor and ink on rough paper: washes that pool at their edges, granulate and bleed.

A wash is transparent, so it multiplies the color below it. What tells a wash from a flat shape was
taken from Curtis et al., "Computer-Generated Watercolor" (SIGGRAPH 1997): darkened edges, backruns,
granulation in the paper's valleys, flow patterns, glazing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .fields import Field, grain, grid, noise, smoothstep

Shape = Callable[[Field, Field], Field]
"""Takes x and y on the unit square and returns a level that is negative inside."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom on the unit square."""

SHEET: Box = (0.0, 0.0, 1.0, 1.0)


class WetPaper:
    """A sheet (size, size, 3) of rough paper that takes washes."""

    def __init__(self, size: int, tint: Field, rng: np.random.Generator) -> None:
        unit = size / 1024
        self._x, self._y = grid(size)
        self._clouds = [noise(size, rng, 5, 5, gain=0.62) for _ in range(3)]
        self._frays = [noise(size, rng, 26, 4, gain=0.68) for _ in range(2)]
        bumps = 0.8 * grain(size, rng, 2.6 * unit + 0.3) + 0.5 * grain(size, rng, 0.9 * unit + 0.2)
        self.size = size
        self.valley = np.clip(0.5 + 0.28 * bumps, 0, 1).astype(np.float32)
        slope_y, slope_x = np.gradient(bumps)
        light = 1 - 0.035 * np.tanh(slope_x + slope_y)
        self.color = (tint * light[..., None]).astype(np.float32)

    def wash(
        self,
        shape: Shape,
        pigment: Field,
        strength: float,
        *,
        box: Box = SHEET,
        soft: float = 0.0012,
        fray: float = 0.004,
        rim: float = 0.55,
        granulation: float = 0.45,
        pooling: float = 0.30,
        draft: int = 0,
    ) -> None:
        """Lay a wash of `pigment`, which is the color that full `strength` 1 leaves of white.

        `pigment` is one color (3,) or, for a wash whose box is the sheet, one a pixel
        (size, size, 3); `soft` is the width of the edge and `fray` how far it wanders, in units of
        the side; `rim` the darkening of the edge; `granulation` and `pooling` how unevenly pigment
        settles in the tooth and in puddles. `draft` picks another of the fixed patterns of water.
        """
        left, top, right, bottom = (round(min(max(side, 0.0), 1.0) * self.size) for side in box)
        if left >= right or top >= bottom:
            return
        patch = (slice(top, bottom), slice(left, right))
        cloud = self._clouds[draft % 3][patch]
        flow = self._clouds[(draft + 1) % 3][patch]
        ragged = self._frays[draft % 2][patch]
        level = shape(self._x[patch], self._y[patch]) + fray * (ragged + 0.5 * flow)
        inside = smoothstep(soft, -soft, level)
        band = max(2.2 / self.size, 0.0030)
        edge = np.exp(-(((level + 0.7 * band) / band) ** 2))
        edge += 0.35 * np.exp(-np.clip(-level, 0, None) / (5 * band))
        tooth = granulation * (self.valley[patch] - 0.5) * 1.5
        settled = 1 + pooling * cloud + rim * edge + tooth
        amount = np.clip(strength * inside * settled, 0, 1)[..., None]
        self.color[patch] *= 1 - amount * (1 - pigment)

    def backrun(self, x: float, y: float, radius: float, strength: float, draft: int = 0) -> None:
        """Let a drop of water spread in a wet wash: it pushes pigment out into a crinkled rim."""
        reach = 1.6 * radius
        left, right = (int(np.clip(v, 0, 1) * self.size) for v in (x - reach, x + reach))
        top, bottom = (int(np.clip(v, 0, 1) * self.size) for v in (y - reach, y + reach))
        patch = (slice(top, bottom), slice(left, right))
        far = np.hypot(self._x[patch] - x, self._y[patch] - y) / radius
        far = far + 0.20 * self._frays[draft % 2][patch] + 0.12 * self._clouds[draft % 3][patch]
        pale = strength * smoothstep(1.0, 0.55, far)[..., None]
        rim = strength * np.exp(-(((far - 1.0) / 0.055) ** 2))[..., None]
        color = self.color[patch]
        color += 0.55 * pale * (1 - color)
        color *= 1 - 0.35 * rim * (1 - 0.6 * color)
        self.color[patch] = color


def disk(x: float, y: float, radius: float) -> tuple[Shape, Box]:
    """Return a disk's shape and the box it needs."""

    def level(px: Field, py: Field) -> Field:
        return (np.hypot(px - x, py - y) - radius).astype(np.float32)

    reach = 1.5 * radius + 0.03
    return level, (x - reach, y - reach, x + reach, y + reach)


def blade(
    x: float, y: float, angle: float, length: float, width: float, bend: float
) -> tuple[Shape, Box]:
    """Return a leaf's or petal's shape and its box: it starts at (x, y) and runs along `angle`.

    `bend` moves its middle sideways as a share of the length. It is widest past the middle.
    """
    cos, sin = np.cos(angle), np.sin(angle)

    def level(px: Field, py: Field) -> Field:
        along = ((px - x) * cos + (py - y) * sin) / length
        inner = np.clip(along, 0, 1)
        across = (py - y) * cos - (px - x) * sin - bend * length * np.sin(np.pi * inner)
        half = 0.5 * width * np.sin(np.pi * inner**1.25)
        outside = np.maximum(np.abs(along - 0.5) - 0.5, 0) * length
        edge: Field = np.abs(across) - half + outside + 1e-4
        return edge.astype(np.float32)

    reach = length + 0.5 * width + 0.03
    return level, (x - reach, y - reach, x + reach, y + reach)
