"""A comic panel of swinging shapes: flat inks under a screen of dots, blacks, contours in ink.

A shape is cut in two by an arc again and again, and each half gets a tone far from that of the
other. All but the blacks is screened with dots of the next darker ink. They are everywhere and
even: in the darks alone, dots strayed onto faces as moles. Ink keeps to where light and dark meet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .cuts import contours, cut_in_two
from .fields import Field, grain, grid, noise, smoothstep
from .palette import at, palette, rgb
from .strokes import picture

INK = rgb("15111c")
HUES = (
    palette("15111c 86291f c8502f f2ae74 fde2bc"),  # red
    palette("15111c 74461c d08a2e f6cf74 fdeec8"),  # yellow
    palette("15111c 28549a 3f7fb8 9cc8dc e8f0ea"),  # blue
    palette("15111c 2a6664 4f9080 f2c39a fdead0"),  # green, and skin
)
"""Black, dark, middle, light and lightest of every hue."""
TONES = (0.04, 0.24, 0.48, 0.74, 0.92)
"""How light each of the five is."""
SHARES = np.array((1.0, 1.0, 0.7, 1.8, 1.8))
"""How often each is chosen."""
DIRECTIONS = np.radians((25.0, 80.0, 140.0))
SHAPES = 44
LEAST = 0.01
"""Area of a shape, as a share of the picture, below which it is cut no more."""
APART = 0.24
"""How far the tones of the halves of a cut shape are from each other at least."""
BEND = 0.9
"""How far a cut is from straight."""
PITCH = 11.0 / 1024
"""Distance of two dots as a share of the side."""
DOT = 0.33
"""How far dots are from their ground towards the next darker ink."""
SCREENED = 0.2
"""Share of the area that dots take: with more, a smaller picture has a mist of many tones in place
of its inks."""
SLANT = np.pi / 4
"""Radians by which the rows of dots rise."""
LINE = 0.0022
"""Half the width of a contour as a share of the side."""


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the panel at `size` by `size` pixels."""
    hand, press = rng.spawn(2)
    shape, levels = _shapes(size, hand)
    color = _printed(shape, levels, hand)
    tone = np.array([TONES[level] for level in levels], np.float32)[shape]
    line = contours(tone, LINE, 0.10, 0.16)
    color += line[..., None] * (INK - color)
    wear = 0.006 * grain(size, press, 0.8) + 0.008 * noise(size, press, 70, 3)
    return picture(color * (1 + wear[..., None]))


def _shapes(size: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], list[int]]:
    """Return the shapes' numbers per pixel and their tones, as indices of TONES."""

    def across(x: Field, y: Field, angle: float, hand: np.random.Generator) -> Field:
        px, py = x - x.mean(), y - y.mean()
        along = px * np.cos(angle) + py * np.sin(angle)
        bend: Field = BEND * hand.choice([-1, 1]) * np.square(along)
        return py * np.cos(angle) - px * np.sin(angle) + bend

    def other(level: int, hand: np.random.Generator) -> int:
        shares = SHARES * (np.abs(np.array(TONES) - TONES[level]) >= APART)
        return int(hand.choice(len(TONES), p=shares / shares.sum()))

    return cut_in_two(size, SHAPES, LEAST, DIRECTIONS, 3, rng, across, other)


def _printed(shape: NDArray[np.intp], levels: list[int], rng: np.random.Generator) -> Field:
    """Print every shape in its ink, and over it the dots."""
    size = len(shape)
    screen = _screen(size)
    zones = noise(size, rng, 3, 2)
    color = np.zeros((size, size, 3), np.float32)
    for number, level in enumerate(levels):
        where = shape == number
        hue = at(1.5 + 0.9 * zones[where].mean() + 0.8 * rng.standard_normal(), HUES)
        color[where] = hue[level]
        if level:
            dots = screen[where]
            color[where] += DOT * dots[:, None] * (hue[level - 1] - hue[level])
    return color


def _screen(size: int) -> Field:
    """Return the cover, (size, size), of a slanting screen of dots."""
    x, y = grid(size)
    cos, sin = np.cos(SLANT), np.sin(SLANT)
    u, v = (x * cos + y * sin) / PITCH, (y * cos - x * sin) / PITCH
    far = np.hypot(u - np.round(u), v - np.round(v)) * PITCH
    radius = PITCH * np.sqrt(SCREENED / np.pi)
    return smoothstep(0.9, -0.9, (far - radius) * size)
