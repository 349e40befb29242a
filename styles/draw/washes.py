"""Watercolor and ink on rough paper: washes that pool at their edges, granulate and bleed.

A wash is transparent, so it multiplies the color below it. What tells a wash from a flat shape was
taken from Curtis et al., "Computer-Generated Watercolor" (SIGGRAPH 1997): darkened edges, backruns,
granulation in the paper's valleys, flow patterns, glazing.
"""

from __future__ import annotations

import numpy as np

from .fields import Field, blur, grain, grid, noise, smoothstep

EDGE = 0.0012
"""Half the width of the edge of a wash, in units of the side."""


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
        level: Field,
        pigment: Field,
        strength: Field | float,
        *,
        fray: float = 0.004,
        rim: float = 0.55,
        granulation: float = 0.45,
        pooling: float = 0.30,
        draft: int = 0,
    ) -> None:
        """Lay a wash of `pigment`, which is the color that full `strength` 1 leaves of white.

        `level` (size, size) is the distance to the edge of the wash, negative inside, and `fray`
        how far the edge wanders, in units of the side; `pigment` is one color (3,) or one a pixel
        (size, size, 3), `strength` one number or one a pixel (size, size); `rim` is the darkening
        of the edge; `granulation` and `pooling` how unevenly pigment settles in the tooth and in
        puddles. `draft` picks another of the fixed patterns of water.
        """
        cloud, flow = self._clouds[draft % 3], self._clouds[(draft + 1) % 3]
        away = level + fray * (self._frays[draft % 2] + 0.5 * flow)
        inside = smoothstep(EDGE, -EDGE, away)
        band = max(2.2 / self.size, 0.0030)
        pooled = np.exp(-(((away + 0.7 * band) / band) ** 2))
        pooled += 0.35 * np.exp(-np.clip(-away, 0, None) / (5 * band))
        tooth = granulation * (self.valley - 0.5) * 1.5
        settled = 1 + pooling * cloud + rim * pooled + tooth
        amount = np.clip(strength * inside * settled, 0, 1)[..., None]
        self.color *= 1 - amount * (1 - pigment)

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
        # Powers move pigment: bare paper stays as it is, and hues do not turn gray.
        color = self.color[patch]
        color **= 1 - 0.75 * pale
        color **= 1 + 0.8 * rim
        self.color[patch] = color


def edge(
    depth: Field, level: float, rng: np.random.Generator, *, puddles: float, wet: float = 0.0
) -> Field:
    """Return the distance to the edge of a wash over what is deeper than `level`, for `WetPaper`.

    `puddles` is how far the water wanders from there, in units of `depth`. Edges are lost in broad
    gradients where the paper is still wet: here and there, or, with `wet` 1, everywhere.
    """
    size = len(depth)
    wander = puddles * noise(size, rng, 9, 2) + 0.012 * noise(size, rng, 40, 2)
    deep = blur(depth + wander, 1.5 * size / 1024)
    slope = np.hypot(*np.gradient(deep)) * size
    lost = 1 + 9 * np.maximum(smoothstep(-0.3, 0.9, noise(size, rng, 5, 2)), wet)
    away: Field = np.clip((level - deep) / np.maximum(slope, 0.6), -0.05, 0.05) / lost
    return away
