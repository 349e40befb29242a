"""A reduction linocut: sun, mountains, firs and a lake, carved in gouge cuts, printed in colors.

What stays of the block to the last prints black, so light is carved: a gouge cut is a tapered
groove that runs along the form and is as wide as the place is bright. The printing adds what a hand
press does: ink that splits, inks that miss each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .curves import Sheet
from .fields import Field, grain, grid, noise, scattered, smoothstep
from .palette import palette, ramp, rgb
from .strokes import picture

PAPER = rgb("f4e9d0")
KEY = rgb("191a26")
SUN = palette("fbd45a f7a531 ee6a2c")
SKY = palette("f6c65b f19a4a dd5f43 a83a4c")
SNOW = palette("f7e3c0 e9a98a b5566a")
HILL = palette("1f7a72 2f9c86 8fc48f")
FIR = palette("176a5e 2b8a6a d9b44a")
LAKE = palette("f2b04c d9623f 25788a 1a5a7c")
SUN_AT = (0.63, 0.285, 0.118)
SHORE = 0.665


@dataclass
class Block:
    """The drawing on the block: base color, run of the cuts, brightness, number of the shape."""

    color: Field
    angle: Field
    light: Field
    part: NDArray[np.int32]

    def put(
        self, number: int, where: NDArray[np.bool_], color: Field, angle: Field, light: Field
    ) -> None:
        """Draw a shape over what is there."""
        self.color = np.where(where[..., None], color, self.color)
        self.angle = np.where(where, angle, self.angle)
        self.light = np.where(where, light, self.light)
        self.part = np.where(where, number, self.part).astype(np.int32)


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the print at `size` by `size` pixels."""
    block = _drawn(size, rng)
    grooves = Sheet(np.zeros((size, size, 3), np.float32))
    for gap, length in ((17.0, 66.0), (11.0, 40.0)):
        _carve(grooves, block, rng, gap / 1024, length / 1024)
    return picture(_printed(block, grooves.color()[..., 0], rng))


def _drawn(size: int, rng: np.random.Generator) -> Block:
    x, y = grid(size)
    rough = noise(size, rng, 5, 3)
    dx, dy = x - SUN_AT[0], y - SUN_AT[1]
    far, around = np.hypot(dx, dy), np.arctan2(dy, dx)
    rays = np.cos(26 * around + 0.5 * rough)
    bands = np.cos(2 * np.pi * (far / 0.085) + 0.6 * rough)
    tint = ramp(SKY, np.clip(1.25 * far - 0.10 + 0.05 * rough, 0, 1))
    light = 0.62 + 0.30 * rays * smoothstep(0.10, 0.20, far) + 0.16 * bands - 0.45 * far
    block = Block(tint, around, light, np.zeros(x.shape, np.int32))
    disk = far < SUN_AT[2]
    block.put(1, disk, ramp(SUN, far / SUN_AT[2]), around + np.pi / 2, 1.15 - 3.0 * far)
    _clouds(block, x, y, rough)
    _mountains(block, x, y, rough)
    _lake(block, x, y, rough)
    for layer, (level, height, count, seed) in enumerate(
        ((SHORE - 0.01, 0.12, 19, 0.0), (SHORE + 0.055, 0.20, 9, 0.5), (1.04, 0.52, 3, 0.15))
    ):
        _firs(block, x, y, rng, 20 + layer, level, height, count, seed)
    return block


def _clouds(block: Block, x: Field, y: Field, rough: Field) -> None:
    for number, (cx, cy, wide) in enumerate(
        ((0.20, 0.13, 0.19), (0.86, 0.10, 0.15), (0.36, 0.245, 0.10), (0.93, 0.335, 0.11))
    ):
        along = (x - cx) / wide
        puffs = 0.036 * np.abs(np.sin(2.6 * np.pi * along + cx * 9)) + 0.028 * (1 - along**2)
        inside = (np.abs(along) < 1) & (y < cy + 0.012) & (y > cy - puffs * (1 - along**2) - 0.004)
        angle = 0.9 * along + 0.2 * rough
        light = 0.55 + 5.5 * (cy - y)
        block.put(2 + number, inside, np.broadcast_to(PAPER, block.color.shape), angle, light)


def _mountains(block: Block, x: Field, y: Field, rough: Field) -> None:
    peaks = ((0.17, 0.335, 0.30), (0.44, 0.415, 0.20), (0.83, 0.385, 0.28), (0.62, 0.475, 0.16))
    for number, (px, py, wide) in enumerate(peaks):
        side = (x - px) / wide
        edge = py + (0.62 - py) * np.abs(side) ** 0.85 + 0.012 * rough * (np.abs(side) + 0.1)
        ridge = px + 0.055 * np.sin(26 * (y - py)) * smoothstep(0.0, 0.15, y - py)
        lit = x > ridge + 0.012 * rough
        snow = y < py + 0.115 + 0.035 * np.sin(46 * x) + 0.02 * rough
        tint = np.where(snow[..., None], SNOW[0], ramp(SNOW, np.clip(0.45 + 2.2 * (y - py), 0, 1)))
        angle = np.where(lit, 0.95 + 0.25 * rough, np.pi - 0.85 + 0.25 * rough)
        light = np.where(lit, 0.92, 0.22) - 0.9 * (y - py) + 0.10 * rough
        block.put(6 + number, (y > edge) & (y < SHORE), tint, angle, light)
    for layer in range(2):
        top = 0.575 + 0.045 * layer + 0.028 * np.sin(7 * x + 2.6 * layer) + 0.01 * np.sin(19 * x)
        down = y - top
        light = 0.85 - 13 * down + 0.12 * rough
        tint = ramp(HILL, np.clip(1.0 - 10 * down, 0, 1))
        angle = 0.5 * np.cos(7 * x + 2.6 * layer) + 6 * down
        block.put(10 + layer, (down > 0) & (y < SHORE), tint, angle, light)


def _lake(block: Block, x: Field, y: Field, rough: Field) -> None:
    depth = np.clip(y - SHORE, 0, None)
    ripple = np.sin(165 * depth / (0.30 + 2.0 * depth) + 1.6 * rough)
    glint = np.exp(-(((x - SUN_AT[0]) / (0.085 + 0.32 * depth)) ** 2))
    at = np.clip(0.85 - 0.85 * glint + 0.22 * ripple - 0.25 * (ripple > 0.55), 0, 1)
    light = 0.40 + 0.40 * ripple + 0.45 * glint - 0.55 * depth
    block.put(15, y > SHORE, ramp(LAKE, at), 0.10 * rough + 0.12 * ripple, light)


def _firs(
    block: Block,
    x: Field,
    y: Field,
    rng: np.random.Generator,
    number: int,
    level: float,
    height: float,
    count: int,
    offset: float,
) -> None:
    """Plant a row of firs whose tiers of branches hang like combs, lit from the sun's side."""
    for k in range(count):
        foot_x = (k + offset) / max(count - 1, 1) + 0.25 * rng.standard_normal() / count
        if number == 22 and 0.30 < foot_x < 0.80:
            foot_x = 0.90 if foot_x > 0.5 else 0.12
        tall = height * rng.uniform(0.65, 1.1)
        along = (y - (level - tall)) / tall
        tiers = 9 if number > 20 else 7
        saw = (along * tiers) % 1.0
        half = 0.23 * tall * along * (0.55 + 0.45 * saw) * (0.9 + 0.1 * np.sin(90 * y + k))
        side = (x - foot_x) / np.maximum(half, 1e-4)
        inside = (along > 0) & (along < 1) & (np.abs(side) < 1)
        facing = np.sign(SUN_AT[0] - foot_x) * side
        light = 0.18 + 0.50 * facing + 0.42 * saw
        angle = np.where(side > 0, 0.95, np.pi - 0.95) + 0.25 * side
        tint = ramp(FIR, np.clip(0.25 + 0.55 * facing + 0.25 * saw, 0, 1))
        block.put(number, inside, tint, angle, light)


def _carve(
    grooves: Sheet, block: Block, rng: np.random.Generator, gap: float, length: float
) -> None:
    """Cut grooves along the forms: spindles, wide where it is bright, none where it is dark."""
    size = grooves.size
    # The grid of cuts is the same at every size, as a carver's is.
    xs, ys = scattered(1024, 1024 * (0.66 * gap * length) ** 0.5, rng)
    t = np.linspace(-1, 1, 9, dtype=np.float32)
    spindle = np.sqrt(np.clip(1 - t * t, 0, 1)) * (1 - 0.35 * t)
    white = np.ones(3, np.float32)
    for x, y in zip(xs / 1024, ys / 1024, strict=True):
        row, column = min(int(y * size), size - 1), min(int(x * size), size - 1)
        light = float(block.light[row, column]) + 0.07 * rng.standard_normal()
        angle = float(block.angle[row, column]) + 0.05 * rng.standard_normal()
        if light < 0.14:
            continue
        reach = 0.5 * length * rng.uniform(0.7, 1.25) * (0.65 + 0.5 * min(light, 1.0))
        curve = _followed(block, x, y, angle, reach, t)
        wide = gap * min(0.14 + 0.72 * light, 0.80)
        grooves.line(curve, wide * spindle, white)


def _followed(block: Block, x: float, y: float, angle: float, reach: float, t: Field) -> Field:
    """Return a curve (n, 2) through (x, y) that bends as the cuts around it do, within a shape."""
    size = len(block.part)
    top = size - 1
    ends = []
    part = block.part[min(int(y * size), top), min(int(x * size), top)]
    for sign in (-1.0, 1.0):
        step = reach
        for _ in range(3):
            end_x, end_y = x + sign * step * np.cos(angle), y + sign * step * np.sin(angle)
            row, column = int(np.clip(end_y * size, 0, top)), int(np.clip(end_x * size, 0, top))
            if block.part[row, column] == part:
                break
            step *= 0.55
        turn = (float(block.angle[row, column]) - angle + np.pi / 2) % np.pi - np.pi / 2
        ends.append((step, np.clip(turn, -0.5, 0.5)))
    (back, turn_back), (ahead, turn_ahead) = ends
    along = np.where(t < 0, t * back, t * ahead)
    bend = np.where(t < 0, -turn_back * back, turn_ahead * ahead) * 0.4 * t * t
    cos, sin = np.cos(angle), np.sin(angle)
    curve = np.stack([x + along * cos - bend * sin, y + along * sin + bend * cos], axis=1)
    return curve.astype(np.float32)


def _printed(block: Block, grooves: Field, rng: np.random.Generator) -> Field:
    """Print the colors, each a little off, and the key block over them."""
    size = len(grooves)
    unit = size / 1024
    fibers = noise(size, rng, 60, 3, gain=0.8)
    color = PAPER * (1 + 0.03 * fibers + 0.02 * grain(size, rng))[..., None]
    miss = max(1, round(2.5 * unit))
    split = 0.5 * grain(size, rng, 0.9 * unit) + 0.5 * grain(size, rng, 2.0 * unit)
    under = np.roll(block.color, (miss, -miss), axis=(0, 1))
    mottled = 0.90 + 0.10 * split + 0.05 * noise(size, rng, 30, 2)
    ink = np.clip(mottled, 0, 1) * (split > -1.9)
    # Light cuts of the first block leave paper in the brightest grooves.
    bright = smoothstep(0.62, 0.95, grooves) * smoothstep(0.80, 1.10, block.light)
    color += (ink * (1 - 0.55 * bright))[..., None] * (under - color)
    slope = np.hypot(*np.gradient(block.part.astype(np.float32)))
    seam = smoothstep(0.2, 0.6, np.minimum(slope, 1.0))
    left = 1 - grooves + 0.9 * seam * (1 - 0.7 * grooves)
    key = smoothstep(0.28, 0.72, left - 0.10 * noise(size, rng, 150, 2))
    cover = key * np.clip(0.96 + 0.08 * split, 0, 1) * (split > -2.05)
    worn: Field = color + cover[..., None] * (KEY * (1 + 0.25 * split[..., None]) - color)
    return worn
