"""Pictures that nobody photographed: dead leaves, brush strokes, cells and 1/f noise.

Paintings lie far from photographs: flat patches, hard edges, strokes that follow a flow, strong
color. These stand for them in the training. Every texture is H x W x 3 in uint8 and depends only
on the generator that it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Texture = NDArray[np.uint8]


def _palette(random: np.random.Generator, size: int) -> Texture:
    """A few related colors: a random ellipsoid in RGB, often strongly saturated."""
    center = random.uniform(40, 215, 3)
    axes = random.normal(0, 1, (3, 3)) * random.uniform(10, 90)
    colors = center + random.normal(0, 1, (size, 3)) @ axes
    if random.random() < 0.5:
        colors[: size // 4] = random.uniform(0, 255, (size // 4, 3))
    return colors.clip(0, 255).astype(np.uint8)


def _fill(colors: Texture, random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in random.choice(colors))
    return red, green, blue


def fractal_noise(random: np.random.Generator, size: int) -> Texture:
    """Noise with an amplitude spectrum of 1/f^p, p between 0.5 and 2, in correlated colors."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]) + 1 / size
    spectrum = np.fft.rfft2(random.normal(0, 1, (3, size, size)))
    noise = np.fft.irfft2(spectrum * frequency ** -random.uniform(0.5, 2.0), s=(size, size))
    noise /= noise.std()
    mixed = np.tensordot(random.normal(0, 1, (3, 3)), noise, axes=1) * random.uniform(20, 60)
    mixed += random.uniform(60, 195, 3)[:, None, None]
    if random.random() < 0.3:
        step = random.integers(24, 80)
        mixed = np.round(mixed / step) * step
    return mixed.clip(0, 255).astype(np.uint8).transpose(1, 2, 0)


def dead_leaves(random: np.random.Generator, size: int) -> Texture:
    """Opaque shapes thrown on one another, with the power law of sizes of natural pictures."""
    colors = _palette(random, 24)
    picture = Image.new("RGB", (size, size), _fill(colors, random))
    draw = ImageDraw.Draw(picture)
    smallest, largest = random.uniform(1.5, 5), random.uniform(15, 60)
    corners = int(random.integers(3, 9))
    for _ in range(int(random.integers(300, 1200))):
        # Inverse transform of the density r^-3 between the two radii.
        share = random.random()
        radius = (smallest**-2 + share * (largest**-2 - smallest**-2)) ** -0.5
        x, y = random.uniform(-10, size + 10, 2)
        angles = np.sort(random.uniform(0, 2 * math.pi, corners))
        stretch = random.uniform(0.4, 1.0)
        points = [
            (x + radius * math.cos(a), y + radius * stretch * math.sin(a)) for a in angles.tolist()
        ]
        draw.polygon(points, fill=_fill(colors, random))
    return np.asarray(picture)


def brush_strokes(random: np.random.Generator, size: int) -> Texture:
    """Short thick strokes along a smooth flow, lighter or darker than what they cover."""
    colors = _palette(random, 24)
    picture = Image.new("RGB", (size, size), _fill(colors, random))
    draw = ImageDraw.Draw(picture)
    wave, phase = random.normal(0, 4 / size, (2, 2)), random.uniform(0, 2 * math.pi, 2)
    length, width = random.uniform(4, 22), int(random.integers(1, 7))
    for _ in range(int(random.integers(500, 2000))):
        x, y = random.uniform(0, size, 2)
        turns = np.sin(2 * math.pi * (wave @ np.array([x, y])) + phase).sum()
        angle = math.pi * turns + random.normal(0, 0.15)
        bend = angle + random.normal(0, 0.4)
        middle = (x + length * math.cos(angle), y + length * math.sin(angle))
        end = (middle[0] + length * math.cos(bend), middle[1] + length * math.sin(bend))
        draw.line([(x, y), middle, end], fill=_fill(colors, random), width=width, joint="curve")
    return np.asarray(picture)


def cells(random: np.random.Generator, size: int) -> Texture:
    """A mosaic: each pixel has the color of its nearest seed, with or without dark joints."""
    colors = _palette(random, 24)
    count = int(random.integers(30, 200))
    seeds = random.uniform(0, size, (count, 2, 1, 1)).astype(np.float32)
    rows, columns = np.ogrid[:size, :size]
    nearest = np.zeros((size, size), dtype=int)
    first = np.full((size, size), np.inf, dtype=np.float32)
    second = first.copy()
    for number, (row, column) in enumerate(seeds):
        distance = np.hypot(rows - row, columns - column)
        closer = distance < first
        second = np.where(closer, first, np.minimum(second, distance))
        first = np.where(closer, distance, first)
        nearest[closer] = number
    picture = colors[random.integers(0, len(colors), count)][nearest]
    if random.random() < 0.6:
        picture[second - first < random.uniform(1, 3)] = random.choice(colors)
    return picture


MAKERS: tuple[Callable[[np.random.Generator, int], Texture], ...] = (
    fractal_noise,
    dead_leaves,
    brush_strokes,
    brush_strokes,
    cells,
)


def textures(seed: int, count: int, size: int) -> list[Texture]:
    """`count` textures of every kind in turn; some get soft noise on top, as canvas has."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        texture = MAKERS[number % len(MAKERS)](random, size)
        if random.random() < 0.4:
            grain = random.normal(0, random.uniform(2, 16), texture.shape)
            texture = (texture + grain).clip(0, 255).astype(np.uint8)
        made.append(texture)
    return made
