"""A canvas broken into planes: straight cuts, facets that turn from light to dark, dark contours.

A facet is cut in two again and again until its pieces are small enough. Each piece is shaded
from one of its sides to the opposite, as if the canvas were folded along every cut, and brushed in
a direction of its own. Some of the cuts are then drawn as contours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .curves import Sheet
from .fields import Field, grain, grid, noise, smoothstep
from .palette import luminance, palette, ramp, rgb
from .strokes import picture, relief

HUES = (
    palette("2a1e14 6e5030 b08c58 dec294 f4e6c8"),  # ochre
    palette("2c1812 6e4230 a87654 d8b08c f2dec8"),  # rust
    palette("3a2c1e 8c7350 c9b184 ecdcb4 faf2dc"),  # cream
    palette("14232a 345660 708f94 acc2bc e2e6d8"),  # teal
)
BLACK = rgb("000000")
DIRECTIONS = np.radians((20.0, 95.0, 140.0))
"""Few, since a painter of statistics keeps lines straight only where they run in few directions."""
FACETS = 160
LONG_CUTS = 30
"""The first cuts, which run over much of the canvas."""
REACH = (0.12, 0.20)
"""How far a facet turns from light to dark, the least and the most; light ones turn less."""
LEAST = 0.0016
"""Area of a facet, as a share of the picture, below which it is cut no more."""


@dataclass(frozen=True)
class Cut:
    """A straight cut from one end to the other, on the unit square."""

    start: tuple[float, float]
    end: tuple[float, float]


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the canvas at `size` by `size` pixels."""
    hand, paint = rng.spawn(2)
    facet, cuts = _facets(size, hand)
    color = _shaded(facet, hand, paint)
    # Ink lets the paint shine through: black on dark facets, brown on light ones.
    ink = _contours(size, cuts, hand)[..., None]
    color += ink * (color * (0.40 + 0.45 * luminance(color)[..., None]) - color)
    return picture(_brushed(color, facet, hand, paint))


def _facets(size: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], list[Cut]]:
    """Cut facets in two until there are enough; returns their numbers per pixel and the cuts."""
    x, y = grid(size)
    facet = np.zeros((size, size), np.intp)
    cuts: list[Cut] = []
    areas = [1.0]
    while len(areas) < FACETS:
        # A large one, though not always the largest, so that sizes differ widely.
        weights = np.square(np.array(areas)) * (np.array(areas) > LEAST)
        chosen = int(rng.choice(len(areas), p=weights / weights.sum()))
        where = facet == chosen
        px, py = x[where], y[where]
        # Across a long facet rather than along it, which would leave slivers.
        fit = np.square(np.sin(DIRECTIONS - _spread(px, py)))
        angle = float(rng.choice(DIRECTIONS, p=fit**2 / np.sum(fit**2)))
        angle += 0.02 * rng.standard_normal()
        cos, sin = np.cos(angle), np.sin(angle)
        across = py * cos - px * sin
        at = float(np.quantile(across, rng.uniform(0.3, 0.7)))
        beyond = across > at
        facet[where] = np.where(beyond, len(areas), chosen)
        share = float(beyond.mean())
        areas.append(areas[chosen] * share)
        areas[chosen] *= 1 - share
        along = (px * cos + py * sin)[np.abs(across - at) < 1.5 / size]
        ends = [(a * cos - at * sin, a * sin + at * cos) for a in (along.min(), along.max())]
        cuts.append(Cut(*ends))
    return facet, cuts


def _spread(x: Field, y: Field) -> float:
    """Return the direction in radians in which points spread most."""
    dx, dy = x - x.mean(), y - y.mean()
    return float(0.5 * np.arctan2(2 * (dx * dy).mean(), (dx * dx).mean() - (dy * dy).mean()))


def _shaded(facet: NDArray[np.intp], rng: np.random.Generator, paint: np.random.Generator) -> Field:
    """Color every facet from a light side to a dark one."""
    size = len(facet)
    x, y = grid(size)
    zones = noise(size, paint, 3, 2)
    lights = noise(size, paint, 3, 2)
    color = np.zeros((size, size, 3), np.float32)
    for number in range(FACETS):
        where = facet == number
        px, py = x[where], y[where]
        angle = rng.choice(DIRECTIONS) + np.pi / 2 * rng.choice([-1, 1])
        along = px * np.cos(angle) + py * np.sin(angle)
        along = (along - along.min()) / (along.max() - along.min())
        middle = 0.58 + 0.16 * float(lights[where].mean()) + 0.10 * rng.standard_normal()
        reach = rng.uniform(*REACH) * (1.25 - 0.9 * max(middle - 0.3, 0))
        tone = middle + reach * (0.5 - along**0.8) * 2
        hue = HUES[_hue(float(zones[where].mean()), rng)]
        color[where] = ramp(hue, np.clip(tone, 0.06, 1))
    return color


def _hue(zone: float, rng: np.random.Generator) -> int:
    """Return the index of a hue near that of the zone, which is about -2 to 2."""
    place = 1.5 + 0.8 * zone + 1.0 * rng.standard_normal()
    return int(np.clip(round(place), 0, len(HUES) - 1))


def _contours(size: int, cuts: list[Cut], rng: np.random.Generator) -> Field:
    """Draw nearly half of the cuts, firm at one end and thin at the other; returns the ink."""
    sheet = Sheet(np.ones((size, size, 3), np.float32))
    share = np.linspace(0, 1, 24, dtype=np.float32)[:, None]
    for rank, cut in enumerate(cuts):
        start, end = np.array(cut.start), np.array(cut.end)
        if rng.random() < 0.5:
            start, end = end, start
        heavy = rng.uniform(0.0050, 0.0095) * (1.15 if rank < LONG_CUTS else 0.85)
        width = heavy * np.linspace(1.0, rng.uniform(0.25, 0.9), 24)
        if rng.random() < 0.45:
            sheet.line((start + share * (end - start)).astype(np.float32), width, BLACK)
    return 1 - sheet.color()[..., 0]


def _brushed(
    color: Field,
    facet: NDArray[np.intp],
    rng: np.random.Generator,
    paint: np.random.Generator,
) -> Field:
    """Give each facet the marks of a flat brush in its own direction, and the paint its grain."""
    size = len(color)
    x, y = grid(size)
    streaks = noise(size, paint, 150, 3, stretch=(0.12, 1.0), gain=0.7)
    turn = rng.choice(DIRECTIONS, FACETS)[facet]
    cos, sin = np.cos(turn), np.sin(turn)
    columns = (((x * cos + y * sin) % 1) * size).astype(int) % size
    rows = (((y * cos - x * sin) % 1) * size).astype(int) % size
    marks = streaks[rows, columns]
    tone = 1 + 0.045 * marks + 0.015 * grain(size, paint, 0.6)
    worn = smoothstep(1.2, 2.4, marks)[..., None] * 0.06
    painted = color * tone[..., None]
    return relief(painted + worn * (1 - painted), 0.2 * marks, 0.25, 0.03)
