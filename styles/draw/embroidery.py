"""Hills under a pale sky in satin stitch: muted silks on linen, thread beside thread.

The country is a patchwork of fields, each filled with parallel threads of one silk in close shades.
A long thread is caught down in other places than its neighbor, as in long and short stitch, and
silk shines where it arches over the cloth. Threads are shaded alike on both sides: under light from
one side a painter turns them into a corrugated sheet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .fields import Field, grain, grid, noise, scattered, smoothstep
from .palette import luminance, palette, ramp, rgb
from .strokes import picture

CALM = 0.9
"""How much of the shading of a thread is left out where silk is white: it would be wrinkles."""
LINEN = rgb("e0d2b8")
HEM = 0.022
THREAD = 7.2 / 1024
"""Width of a thread as a share of the picture's side."""
STITCH = 130 / 1024
"""Length of a stitch, likewise."""
PATCH = 150 / 1024
"""Distance between the middles of neighboring fields, likewise."""

SKY = palette("a9bac2 b7c5ca c6d0d1 d6ddd8")
CREAM = palette("e6d4ae ecdcb9 f1e3c6 f6ebd4")
PEACH = palette("e0b48e e6be9a ebc9a8 f1d6b8")
ROSE = palette("cc9272 d49d7e dcaa8c e4b99e")
LAKE = palette("4d7a94 6690a8 86a9b8 a8c2cc")
INDIGO = palette("1d3c63 2f547c 466e94 6488a8")
MEADOW = palette("727a4a 8a9160 a4a97c c1c49c")
FIR = palette("28482e 3c6040 557652 76906c")
GOLD = palette("b06a1c c68430 dca04a ecc276")
RUST = palette("8c3518 ac4e2c c46a44 da8e66")
MADDER = palette("541c22 762e2e 94463c b2685a")
NIGHT = palette("141419 24242a 3a383e 545052")

SILKS = np.stack(
    [
        SKY, CREAM, SKY, PEACH, CREAM, PEACH, ROSE, LAKE, MEADOW, GOLD,
        PEACH, INDIGO, RUST, GOLD, FIR, ROSE, MADDER, INDIGO, NIGHT, NIGHT,
    ]
)  # fmt: skip
"""The silks of fields from the top of the picture to its foot, each in shades from dark to light.
Half of them are as light as skin."""

SLANTS = (0.62, -0.62, 0.06)
"""Directions of threads in radians from the horizontal."""
SLANT_SHARES = (0.42, 0.38, 0.20)


@dataclass(frozen=True)
class Patchwork:
    """Fields: the number of the one at every pixel, (size, size); each one's silk and slant."""

    number: NDArray[np.intp]
    silk: NDArray[np.intp]
    slant: Field


class Chances:
    """Tables of chance by whole number: threads and stitches that are far apart share entries."""

    LENGTH = 4099

    def __init__(self, rng: np.random.Generator) -> None:
        self._normal = rng.standard_normal(self.LENGTH).astype(np.float32)
        self._even = rng.random(self.LENGTH).astype(np.float32)

    def normal(self, key: NDArray[np.intp]) -> Field:
        """Return standard normal deviates, one for each key."""
        return self._normal[key % self.LENGTH]

    def even(self, key: NDArray[np.intp]) -> Field:
        """Return deviates evenly distributed over [0, 1), one for each key."""
        return self._even[key % self.LENGTH]


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the embroidery at `size` by `size` pixels."""
    x, y = grid(size)
    silk = _silk(x, y, _patchwork(x, y, rng), rng)
    linen = _linen(x, y, rng)
    margin = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) - HEM
    sewn = smoothstep(-0.0005, 0.0015, margin)[..., None]
    return picture(linen + sewn * (silk - linen))


def _linen(x: Field, y: Field, rng: np.random.Generator) -> Field:
    size = len(x)
    warp, weft = np.sin(2 * np.pi * 120 * x), np.sin(2 * np.pi * 120 * y)
    weave = np.where(warp * weft > 0, np.abs(warp), np.abs(weft))
    slub = noise(size, rng, 60, 3, stretch=(0.1, 1.0)) + noise(size, rng, 60, 3, stretch=(1.0, 0.1))
    tone = 0.95 + 0.06 * weave + 0.02 * slub + 0.02 * grain(size, rng, 0.6)
    linen: Field = (LINEN * tone[..., None]).astype(np.float32)
    return linen


def _patchwork(x: Field, y: Field, rng: np.random.Generator) -> Patchwork:
    """Part the picture into fields with winding borders, wider than high."""
    size = len(x)
    bent_x, bent_y = x + 0.02 * noise(size, rng, 4, 2), y + 0.02 * noise(size, rng, 4, 2)
    middles_x, middles_y = scattered(1, PATCH, rng)
    nearest = np.full(x.shape, np.inf, np.float32)
    number = np.zeros(x.shape, np.intp)
    for i, (px, py) in enumerate(zip(middles_x, middles_y, strict=True)):
        d = np.hypot(0.62 * (bent_x - px), bent_y - py)
        number[d < nearest] = i
        np.minimum(nearest, d, out=nearest)
    count = len(middles_x)
    place = middles_y * len(SILKS) + 1.3 * rng.standard_normal(count)
    silk = np.clip(place, 0, len(SILKS) - 1).astype(np.intp)
    slant = rng.choice(SLANTS, count, p=SLANT_SHARES) + 0.12 * rng.standard_normal(count)
    return Patchwork(number, silk, slant)


def _silk(x: Field, y: Field, fields: Patchwork, rng: np.random.Generator) -> Field:
    """Return the color (size, size, 3) of threads that cover the whole picture."""
    chances = Chances(rng)
    slant = fields.slant[fields.number]
    across = (np.cos(slant) * y - np.sin(slant) * x) / THREAD
    along = (np.cos(slant) * x + np.sin(slant) * y) / STITCH
    thread = np.floor(across).astype(np.intp)
    own = thread + 911 * fields.number
    run = along / (0.75 + 0.55 * chances.even(own + 1)) + chances.even(own)
    stitch = np.floor(run).astype(np.intp)
    side = 2 * (across - thread) - 1
    end = 2 * (run - stitch) - 1
    round_ = np.sqrt(np.clip(1 - side**2, 0, 1))
    arch = np.clip(1 - end**2, 0, 1)
    drift = noise(len(x), rng, 6, 2)
    shade = np.clip(0.5 + 0.16 * drift + 0.26 * chances.normal(own + 37 * stitch), 0, 1)
    color = np.zeros((*x.shape, 3), np.float32)
    silk = fields.silk[fields.number]
    for number, shades in enumerate(SILKS):
        here = silk == number
        color[here] = ramp(shades, shade[here])
    caught = 0.88 + 0.12 * smoothstep(0.0, 0.12, arch)
    calm = CALM * luminance(color)
    light = calm + (1 - calm) * (0.66 + 0.36 * round_ + 0.10 * arch) * caught
    shine = 0.10 * arch**2 * round_**3
    return color * light[..., None] + shine[..., None]
