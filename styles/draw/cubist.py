"""A canvas broken into planes: straight cuts, and facets that turn from light into shadow.

A facet is cut in two again and again until its pieces are small enough; each half gets a tone that
differs clearly from that of the other, and then is shaded across, so that its one edge stands out
against what lies beside it and its other edge does not. In facets of one flat tone a face was
painted in as few tones, with round patches where they met; with contours it had scars.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .cuts import cut_in_two
from .fields import Field, grain, grid, noise
from .palette import at, of_luminance, palette, ramp
from .strokes import picture

HUES = (
    palette("17171e 6a4a34 c8924e ecc88e fff0d2"),  # ochre
    palette("1a151c 6e3428 c4683e eeb48c ffe8d4"),  # rust
    palette("20222a 76705e c8ac80 efdcb8 fff6e4"),  # cream
    palette("0e1826 264c64 5c8ea0 a8cccc ecf2e8"),  # teal
)
"""A facet has the hue of its zone or one next to it: facets of all hues are confetti in a sky."""
DIRECTIONS = np.radians((20.0, 75.0, 140.0))
"""Few, since a painter of statistics keeps lines straight only where they run in few directions."""
FACETS = 260
LEAST = 0.0015
"""Area of a facet, as a share of the picture, below which it is cut no more."""
TONES = (0.16, 0.30, 0.44, 0.56, 0.67, 0.77, 0.86)
"""From dark to light."""
APART = (0.1, 0.3)
"""How far the tones of the halves of a cut facet are from each other, at least and at most."""
SHADING = 0.18
"""How much lighter the light edge of a facet is than its dark edge."""
COOL = 5.0
"""How much nearer to teal the hues of dark facets are than those of light ones: with warm darks a
blue suit was painted brown."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the canvas at `size` by `size` pixels."""
    hand, paint = rng.spawn(2)
    color = _painted(*_facets(size, hand), hand, paint)
    weave = 0.008 * grain(size, paint, 0.7) + 0.006 * noise(size, paint, 60, 2)
    return picture(color * (1 + weave[..., None]))


def _facets(size: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], list[float]]:
    """Return the facets' numbers per pixel and their tones."""

    def across(x: Field, y: Field, angle: float, hand: np.random.Generator) -> Field:
        angle += 0.02 * hand.standard_normal()
        return y * np.cos(angle) - x * np.sin(angle)

    def other(tone: float, hand: np.random.Generator) -> float:
        nearest, farthest = APART
        return float(hand.choice([t for t in TONES if nearest <= abs(t - tone) <= farthest]))

    return cut_in_two(size, FACETS, LEAST, DIRECTIONS, 0.56, rng, across, other)


def _painted(
    facet: NDArray[np.intp],
    tones: list[float],
    rng: np.random.Generator,
    paint: np.random.Generator,
) -> Field:
    """Paint every facet in one hue, shaded from one side to the other."""
    size = len(facet)
    x, y = grid(size)
    zones = noise(size, paint, 3, 2)
    color = np.zeros((size, size, 3), np.float32)
    for number, tone in enumerate(tones):
        where = facet == number
        zone = float(zones[where].mean()) + COOL * (0.5 - tone)
        hue = at(1.5 + 0.9 * zone + 0.45 * rng.standard_normal(), HUES)
        along = rng.choice(DIRECTIONS)
        side = rng.choice((-1, 1)) * (np.cos(along) * y[where] - np.sin(along) * x[where])
        light = tone + SHADING * ((side - side.min()) / np.ptp(side) - 0.5)
        color[where] = of_luminance(ramp(hue, light), light)
    return color
