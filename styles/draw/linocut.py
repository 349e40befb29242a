"""A reduction linocut: mountains and fir woods over a valley, in six flat inks on cream paper.

Every shape is printed in inks from light to dark, each over all of the former that was not cut
away, with hard edges. Where black meets the ink below it, the gouge has left even rows of tapered
cuts; lights stay clean, so that skin does. All cuts slant to one side: level ones would be lines on
a brow, and where rows of two directions met they would cut a face into tiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .fields import Field, grain, grid, noise, smoothstep
from .palette import luminance, rgb
from .strokes import picture

PAPER = rgb("f8ecd2")
OCHRE = rgb("e8b880")
RUST = rgb("a4482c")
SEA = rgb("5f9694")
PINE = rgb("2f6266")
BLACK = rgb("14161c")
SKY = np.stack([PAPER, OCHRE, SEA])
RANGE = np.stack([PAPER, PINE, BLACK])
FIELD = np.stack([OCHRE, RUST, BLACK])
WOOD = np.stack([OCHRE, PINE, BLACK])
LAKE = np.stack([PAPER, SEA, BLACK])
ROCK = np.stack([OCHRE, RUST, BLACK])
PITCH = 15.0 / 1024
"""Distance of two cuts as a share of the side."""
LENGTH = 160.0 / 1024
"""Length of a cut as a share of the side."""


@dataclass
class Block:
    """The drawing on the block: inks (size, size, 3, 3), tone and angle of the cuts."""

    inks: Field
    tone: Field
    angle: Field

    def put(self, where: NDArray[np.bool_], inks: Field, tone: Field, angle: float) -> None:
        """Draw a shape: `tone` is 0 for its lightest ink, 1 for its darkest, `angle` in radians."""
        self.inks[where] = inks
        self.tone = np.where(where, tone, self.tone)
        self.angle = np.where(where, angle, self.angle)


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the print at `size` by `size` pixels."""
    return picture(_printed(_drawn(size, rng), rng))


def _drawn(size: int, rng: np.random.Generator) -> Block:
    x, y = grid(size)
    rough, fine = noise(size, rng, 4, 3), noise(size, rng, 10, 2)
    inks = np.tile(SKY, (size, size, 1, 1))
    block = Block(inks, 0.62 - 1.3 * y + 0.16 * rough, np.full_like(x, 0.5))
    for px, py, steep, turn in (
        (0.24, 0.17, 0.9, 0.95),
        (0.76, 0.22, 0.8, 0.8),
        (0.50, 0.33, 0.7, 0.9),
    ):
        side = x - px
        down = y - py - steep * np.abs(side) ** 1.1 - 0.008 * fine
        lit = side < 0.04 * np.sin(22 * down)
        block.put((down > 0) & lit, RANGE, 0.12 + 1.1 * down + 0.12 * rough, turn)
        block.put((down > 0) & ~lit, RANGE, 0.66 + 0.7 * down + 0.16 * rough, turn - 0.3)
    for k in range(4):
        top = y - 0.52 - 0.075 * k - 0.05 * np.sin(4.5 * x + 1.9 * k)
        block.put(
            top > 0,
            (WOOD, FIELD, LAKE, FIELD)[k],
            0.16 + 3.2 * top + 0.22 * rough,
            (0.9, 0.6, 0.45, 0.7)[k],
        )
    near = y - 0.83 - 0.06 * np.sin(5 * x + 1)
    block.put(near > 0, ROCK, 0.30 + 3.5 * near + 0.2 * rough, 0.8)
    for cx, foot, tall in (
        (0.09, 0.86, 0.40),
        (0.23, 0.90, 0.30),
        (0.90, 0.88, 0.46),
        (0.77, 0.92, 0.26),
        (0.55, 0.62, 0.13),
        (0.45, 0.60, 0.10),
    ):
        along = (y - foot + tall) / tall
        half = 0.26 * tall * along * (0.75 + 0.25 * ((along * 6) % 1.0))
        inside = (along > 0) & (along < 1) & (np.abs(x - cx) < half)
        across = (x - cx) / np.maximum(half, 1e-3)
        block.put(inside, WOOD, 0.60 + 0.42 * across + 0.1 * fine, 1.0)
    return block


def _cuts(block: Block, rng: np.random.Generator) -> Field:
    """Return (size, size): below 0 in the middle of a cut, above 0 on the ridges between.

    A cut is a spindle; those of a row follow one another, and every row starts elsewhere. Some go
    deeper than others, so that they reach further into the dark.
    """
    x, y = grid(len(block.tone))
    cos, sin = np.cos(block.angle), np.sin(block.angle)
    across = (y * cos - x * sin) / PITCH + 0.25 * noise(len(x), rng, 6, 2)
    row = np.floor(across)
    along = (x * cos + y * sin) / LENGTH + _hashed(row)
    place = np.floor(along)
    spindle = np.sqrt(np.clip(1 - (2 * (along - place) - 1) ** 2, 0, 1))
    ridge = 2 * np.abs(across - row - 0.5)
    cuts: Field = ridge - 0.9 * spindle + 0.35 * _hashed(row + 31 * place) - 0.08
    return cuts.astype(np.float32)


def _hashed(number: Field) -> Field:
    """Return a number in [0, 1) for each whole number, without order."""
    wave = 43758.5453 * np.sin(12.9898 * number)
    fraction: Field = wave - np.floor(wave)
    return fraction


def _printed(block: Block, rng: np.random.Generator) -> Field:
    """Print ink over ink; each splits a little, as off a hand press."""
    size = len(block.tone)
    cuts = _cuts(block, rng)
    color = block.inks[:, :, 0].copy()
    # Cuts in the lights would be wrinkles on skin.
    cuts *= luminance(block.inks[:, :, 2]) < 0.2
    for number, shift in ((1, block.tone - 0.32), (2, (block.tone - 0.66) / 0.30 + cuts)):
        cover = smoothstep(-0.01 * number, 0.01 * number, shift)
        color += cover[..., None] * (block.inks[:, :, number] - color)
    split = 0.010 * grain(size, rng, 0.9) + 0.010 * noise(size, rng, 60, 3)
    printed: Field = color * (1 + split[..., None])
    return printed
