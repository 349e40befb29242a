"""A canvas broken into planes: straight cuts, large flat facets, light against dark.

A facet is cut in two again and again until its pieces are small enough, and each half gets a tone
far from that of the other. A contour is drawn where light and dark meet, and only there: between
facets of nearly one tone a line would be a scar on a cheek.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .cuts import contours, cut_in_two
from .fields import Field, grain, noise
from .palette import of_luminance, palette, ramp
from .strokes import picture

HUES = (
    palette("20140e 7a4a24 c8924e ecc88e fff0d2"),  # ochre
    palette("240f0c 7c2f20 c4683e eeb48c ffe8d4"),  # rust
    palette("2a221c 80694e c8ac80 efdcb8 fff6e4"),  # cream
    palette("0c1a24 244e62 5c8ea0 a8cccc ecf2e8"),  # teal
)
DIRECTIONS = np.radians((20.0, 75.0, 140.0))
"""Few, since a painter of statistics keeps lines straight only where they run in few directions."""
FACETS = 90
LEAST = 0.005
"""Area of a facet, as a share of the picture, below which it is cut no more: on foreheads slivers
would be scars."""
TONES = (0.16, 0.34, 0.56, 0.76, 0.92)
"""From dark to light."""
APART = 0.3
"""How far the tones of the halves of a cut facet are from each other at least."""
CONTOUR = 0.0016
"""Half the width of a contour, in units of the side."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the canvas at `size` by `size` pixels."""
    hand, paint = rng.spawn(2)
    facet, tones = _facets(size, hand)
    tone = np.array(tones, np.float32)[facet]
    color = _painted(facet, tone, hand, paint)
    color *= 1 - 0.4 * contours(tone, CONTOUR, 0.07, 0.14)[..., None]
    weave = 0.008 * grain(size, paint, 0.7) + 0.006 * noise(size, paint, 60, 2)
    return picture(color * (1 + weave[..., None]))


def _facets(size: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], list[float]]:
    """Return the facets' numbers per pixel and their tones."""

    def across(x: Field, y: Field, angle: float) -> Field:
        angle += 0.02 * rng.standard_normal()
        return y * np.cos(angle) - x * np.sin(angle)

    def other(tone: float) -> float:
        return float(rng.choice([t for t in TONES if abs(t - tone) >= APART]))

    return cut_in_two(size, FACETS, LEAST, DIRECTIONS, 0.56, rng, across, other)


def _painted(
    facet: NDArray[np.intp], tone: Field, rng: np.random.Generator, paint: np.random.Generator
) -> Field:
    """Paint every facet in one color, flat."""
    size = len(facet)
    zones = noise(size, paint, 3, 2)
    color = np.zeros((size, size, 3), np.float32)
    for number in range(FACETS):
        where = facet == number
        hue = HUES[_hue(float(zones[where].mean()), rng)]
        color[where] = of_luminance(ramp(hue, tone[where]), tone[where])
    return color


def _hue(zone: float, rng: np.random.Generator) -> int:
    """Return the index of a hue near that of the zone, which is about -2 to 2."""
    place = 1.5 + 0.8 * zone + 0.8 * rng.standard_normal()
    return int(np.clip(round(place), 0, len(HUES) - 1))
