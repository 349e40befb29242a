"""A leaded window against the light: honey-colored sky, and water in cobalt and emerald below.

Panes are the meshes of two families of curves, long ones that run through and short ones between
them, as a glazier cuts glass. Each pane is of one color, a little streaked, lighter in the middle
and deeper towards the lead. The lead is slender, and the light of bright glass spills over it:
black bars across light glass break up a face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .fields import Field, blur, grid, noise, smoothstep
from .palette import palette, ramp, rgb, varied
from .strokes import picture

GLASS = (
    palette("a8702a d8a248 f0cc80 fae4ac fff2d0"),  # honey
    palette("8c4434 c8785a e8ac86 f6d0ae fde6cc"),  # rose beige
    palette("7c3a0c bc6418 e49428 f6be54 fede90"),  # amber
    palette("0c1c5c 1a4098 3a72c0 7cacd8 bcdce8"),  # cobalt
    palette("08342a 10603e 389060 80bc84 c4deb0"),  # emerald
)
WARM = 3
"""How many of GLASS are warm; they come first."""
ROWS = 12.0
"""Rows of panes over the picture."""
MOST = 32
"""More than there are rows, and than there are panes in a row."""
LEAD = 0.0042
"""Half the width of a lead bar as a share of the picture's side."""
LEAD_COLOR = rgb("14110f")


@dataclass(frozen=True)
class Panes:
    """Numbers of panes, below MOST * MOST, and the distance to the middle of the nearest lead as a
    share of the picture's side, both (size, size)."""

    number: NDArray[np.intp]
    inner: Field


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the window at `size` by `size` pixels."""
    panes = _panes(size, rng)
    return picture(_lit(_glazed(panes.number, rng), panes.inner, rng))


def _panes(size: int, rng: np.random.Generator) -> Panes:
    """Part the picture into rows along waves, and each row into panes."""
    x, y = grid(size)
    wander = noise(size, rng, 3, 2)
    waves = 0.07 * np.sin(4.5 * x + 0.8) + 0.03 * np.sin(8 * x + 3 * y) + 0.012 * wander
    along = ROWS * (y + waves)
    row = np.floor(along).astype(np.intp) + MOST // 4
    shift, pitch = rng.random(MOST), rng.uniform(0.8, 1.3, MOST)
    slant = rng.normal(0, 0.25, MOST)
    across = 0.72 * ROWS * (x + 0.05 * np.sin(5 * y + 1)) * pitch[row]
    across += slant[row] * (along % 1 - 0.5) + shift[row]
    column = np.floor(across).astype(np.intp) + MOST // 4
    inner = np.minimum(_to_whole(along), _to_whole(across)) / size
    return Panes(MOST * row + column, inner.astype(np.float32))


def _to_whole(phase: Field) -> Field:
    """Return the distance in pixels to where `phase` is a whole number."""
    far = np.minimum(phase % 1, 1 - phase % 1)
    slope_y, slope_x = np.gradient(phase)
    distance: Field = far / np.maximum(np.hypot(slope_x, slope_y), 1e-4)
    return distance


def _glazed(pane: NDArray[np.intp], rng: np.random.Generator) -> Field:
    """Choose the glass of every pane and streak it."""
    size = len(pane)
    count = MOST * MOST
    middle_y = _means(grid(size)[1], pane)
    zone = _means(noise(size, rng, 3, 2), pane)
    warm = rng.choice(WARM, count, p=(0.45, 0.33, 0.22))
    cool = np.where(zone > -0.5, WARM, WARM + 1)
    kind = np.where(rng.random(count) < np.where(middle_y > 0.62, 0.62, 0.28), cool, warm)
    tone = 0.66 + 0.10 * zone + 0.16 * rng.standard_normal(count)
    tone = np.clip(tone - np.where(kind < WARM, 0, 0.5 * middle_y), 0, 1)
    sheets = np.stack([ramp(GLASS[k], float(t)) for k, t in zip(kind, tone, strict=True)])
    streaks = [noise(size, rng, 14, 3, stretch=stretch) for stretch in ((0.2, 1.0), (1.0, 0.2))]
    streak = np.choose(rng.integers(0, 2, count)[pane], streaks)
    glass: Field = varied(sheets, rng, 0.03, 0.01)[pane] * (1 + 0.05 * streak)[..., None]
    return glass


def _means(field: Field, pane: NDArray[np.intp]) -> Field:
    """Return the mean of a field over each pane, 0 for numbers that no pane has."""
    total = np.bincount(pane.ravel(), field.ravel(), MOST * MOST)
    mean: Field = total / np.maximum(np.bincount(pane.ravel(), minlength=MOST * MOST), 1)
    return mean


def _lit(glass: Field, inner: Field, rng: np.random.Generator) -> Field:
    """Hold the glass against the light and join it with lead."""
    size = len(inner)
    half = LEAD * (1 + 0.10 * noise(size, rng, 12, 2))
    depth = 1.35 - 0.55 * smoothstep(0.0, 0.034, inner - half)
    lit = np.clip(glass, 0, 1) ** depth[..., None]
    glow = blur(lit, 0.008 * size)
    bar = smoothstep(0.7, -0.7, (inner - half) * size)[..., None]
    lead = LEAD_COLOR + 0.48 * glow**1.3
    leaded: Field = lit + bar * (lead - lit)
    return leaded
