"""A river valley in watercolor: glaze over glaze, from paper white to the darks of the trees.

Each glaze is one pale transparent wash over all that is darker than its level, so every step of
tone ends in an edge where pigment has pooled. Between edges a wash is flat and only granulates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .fields import Field, blur, grid, noise, smoothstep
from .palette import palette, ramp, rgb
from .strokes import picture
from .washes import WetPaper, edge

PAPER = rgb("faf5ea")
SKY = palette("9cc0da b4cde0 e6d3c4 f3d2b4")
HILL = palette("8fa3b8 a9a8b4 c2ac9c")
FIELD = palette("e9b98a efc9a0 e0a878 c9a46a")
TREE = palette("8ba0ba 9ab3a2 b0b47e caa878")
RIVER = palette("8fb4cc a8c4d0 d8c8b8")
LEVELS = (0.10, 0.24, 0.38, 0.52, 0.66, 0.80)
"""Depth of tone, from 0 of the paper to 1 of the darkest place, at which glazes begin."""


@dataclass
class Scene:
    """Pigment (size, size, 3) and depth of tone (size, size) in [0, 1] of the view."""

    pigment: Field
    depth: Field

    def put(self, where: NDArray[np.bool_], pigment: Field, depth: Field) -> None:
        """Draw a shape over what is there."""
        self.pigment = np.where(where[..., None], pigment, self.pigment)
        self.depth = np.where(where, depth, self.depth)


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the valley at `size` by `size` pixels."""
    hand, water = rng.spawn(2)
    paper = WetPaper(size, PAPER, water)
    scene = _scene(size, hand)
    drift = noise(size, hand, 7, 3)[..., None] * np.array([0.03, 0.0, -0.04], np.float32)
    pigment = np.clip(blur(scene.pigment, 0.006 * size) + drift, 0.05, 0.98)
    for number, level in enumerate(LEVELS):
        _glaze(paper, scene.depth, pigment ** (1.0 + 0.15 * number), level, number, hand)
    for k in range(14):
        x, y = hand.random(2)
        paper.backrun(x, y, hand.uniform(0.03, 0.07), hand.uniform(0.3, 0.6), k)
    return picture(paper.color)


def _glaze(
    paper: WetPaper, depth: Field, pigment: Field, level: float, number: int,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Wash over what is deeper than `level`, in puddles whose edges wander from glaze to glaze."""
    away = edge(depth, level, rng, puddles=0.085)
    paper.wash(
        away, pigment, 0.55, rim=0.5, fray=0.0006, granulation=0.20,
        pooling=0.16, draft=number,
    )  # fmt: skip


def _scene(size: int, rng: np.random.Generator) -> Scene:
    x, y = grid(size)
    rough, fine = noise(size, rng, 4, 3), noise(size, rng, 12, 3)
    cloud = smoothstep(-0.2, 0.9, rough)
    scene = Scene(
        ramp(SKY, np.clip(2.2 * y + 0.12 * rough, 0, 1)),
        (0.34 - 0.28 * cloud - 0.25 * y).astype(np.float32),
    )
    for layer, (top, reach, tone) in enumerate(((0.33, 0.09, 0.34), (0.42, 0.07, 0.46))):
        crest = top - reach * np.sin(5.5 * x + 2.4 * layer) - 0.4 * reach * np.sin(13 * x + layer)
        down = y - crest
        scene.put(
            down > 0,
            ramp(HILL, np.clip(0.3 * layer + 4 * down, 0, 1)),
            tone - 1.6 * down + 0.06 * rough,
        )
    meadow = y - 0.50 - 0.03 * np.sin(4 * x)
    rows = np.sin(40 * (meadow + 0.05 * np.sin(5 * x)))
    scene.put(
        meadow > 0,
        ramp(FIELD, np.clip(1.6 * meadow + 0.2 * rough, 0, 1)),
        0.22 + 0.14 * rows + 0.10 * rough + 0.30 * meadow,
    )
    bend = x - 0.52 - 0.16 * np.sin(9 * y) - 0.05 * fine * (y - 0.5)
    wide = 0.02 + 0.30 * np.clip(y - 0.52, 0, 1)
    water = (np.abs(bend) < wide) & (y > 0.52)
    ripple = np.sin(70 * y + 2 * rough)
    scene.put(
        water, ramp(RIVER, np.clip(0.4 + 0.3 * ripple, 0, 1)), 0.16 + 0.16 * ripple + 0.10 * rough
    )
    for cx, foot, broad, tall in (
        (0.16, 0.64, 0.15, 0.30),
        (0.86, 0.70, 0.17, 0.38),
        (0.36, 0.52, 0.08, 0.13),
        (0.68, 0.53, 0.07, 0.12),
        (0.05, 0.95, 0.20, 0.22),
        (0.93, 0.99, 0.16, 0.18),
    ):
        u, v = (x - cx) / broad, (foot - tall / 2 - y) / (tall / 2)
        crown = np.hypot(u, v) + 0.12 * fine + 0.06 * rough
        shade = 0.62 + 0.20 * u - 0.26 * v + 0.16 * fine
        scene.put(crown < 1, ramp(TREE, np.clip(0.5 + 0.3 * u + 0.2 * rough, 0, 1)), shade)
    return scene
