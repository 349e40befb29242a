"""A garden in watercolor, wet in wet: poppies, cornflowers and leaves over running washes."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .fields import Field
from .palette import palette, rgb, varied
from .strokes import picture
from .washes import WetPaper, blade, disk

PAPER = rgb("fbf7ec")
REDS = palette("e8352c f2603a d81f4f f58a4a")
BLUES = palette("2f55c4 4a3fb0 3a8fd0 6a5fc8")
PINKS = palette("f08ab0 d85a9a f6b0a0 c77ad0")
GREENS = palette("2f7a4a 6fa03a 1f5f5a a8b83f 4a8a6a")
GROUNDS = palette("8fc4e8 b9a6e0 f9d98a f6b79a a9d49a 6fb8a8")
DARK = rgb("2a2048")

# x, y, radius, petals, kind
FLOWERS = (
    (0.30, 0.36, 0.165, 5, "red"), (0.68, 0.28, 0.140, 5, "red"), (0.52, 0.62, 0.150, 5, "pink"),
    (0.84, 0.55, 0.115, 5, "red"), (0.16, 0.66, 0.105, 9, "blue"), (0.49, 0.16, 0.090, 9, "blue"),
    (0.76, 0.78, 0.095, 9, "blue"), (0.12, 0.17, 0.090, 5, "pink"), (0.91, 0.13, 0.090, 5, "pink"),
    (0.30, 0.84, 0.100, 5, "red"),
)  # fmt: skip
KINDS = {"red": REDS, "pink": PINKS, "blue": BLUES}


def draw(size: int, rng: np.random.Generator) -> Image.Image:
    """Draw the garden at `size` by `size` pixels."""
    hand, water = rng.spawn(2)
    paper = WetPaper(size, PAPER, water)
    _ground(paper, hand)
    _leaves(paper, hand, 36, 0.36)
    for flower in FLOWERS:
        _stem(paper, hand, flower[0], flower[1])
    for flower in FLOWERS:
        _flower(paper, hand, *flower)
    _leaves(paper, hand, 24, 0.65)
    _splashes(paper, hand)
    return picture(paper.color)


def _ground(paper: WetPaper, rng: np.random.Generator) -> None:
    """Flood the sheet with colors that run into each other, then let water drop into them."""
    for k in range(26):
        x, y = rng.random(2)
        cool = y < 0.45 or rng.random() < 0.25
        ink = GROUNDS[rng.choice([0, 1, 3] if cool else [2, 4, 5])]
        shape, box = disk(x, y, rng.uniform(0.10, 0.24))
        paper.wash(
            shape, ink, rng.uniform(0.3, 0.6), box=box, second=GROUNDS[rng.integers(0, 6)],
            soft=0.05, fray=0.03, rim=0.15, granulation=0.35, pooling=0.2, draft=k,
        )  # fmt: skip
    for k in range(9):
        x, y = rng.random(2)
        paper.backrun(x, y, rng.uniform(0.04, 0.11), rng.uniform(0.5, 1.0), k)
    for k in range(26):
        x, y = rng.random(2)
        shape, box = disk(x, y, rng.uniform(0.015, 0.07))
        ink = GROUNDS[rng.integers(0, 6)]
        paper.wash(shape, ink, 0.28, box=box, soft=0.006, fray=0.02, rim=0.7, draft=k)


def _leaves(paper: WetPaper, rng: np.random.Generator, count: int, strength: float) -> None:
    for k in range(count):
        x, y = rng.random(2) * np.array([1.1, 0.95]) + np.array([-0.05, 0.12])
        angle = -np.pi / 2 + rng.normal(0, 0.85)
        length = rng.uniform(0.09, 0.24)
        shape, box = blade(x, y, angle, length, 0.24 * length, rng.normal(0, 0.12))
        first, second = GREENS[rng.choice(5, 2, replace=False)]
        ink = varied(first[None], rng, 0.08, 0.03)[0]
        paper.wash(shape, ink, strength, box=box, second=second, fray=0.0025, rim=0.7, draft=k)
        vein, box = blade(x, y, angle, 0.92 * length, 0.012 * length + 0.001, 0.0)
        paper.wash(vein, GREENS[2], 0.5 * strength, box=box, fray=0.0012, rim=0.2, draft=k)


def _stem(paper: WetPaper, rng: np.random.Generator, x: float, y: float) -> None:
    length = 0.45 + 0.2 * rng.random()
    lean = np.pi / 2 + rng.normal(0, 0.12)
    shape, box = blade(x, y, lean, length, 0.011, rng.normal(0, 0.10))
    paper.wash(shape, GREENS[0], 0.7, box=box, second=GREENS[3], fray=0.0015, rim=0.6)


def _flower(
    paper: WetPaper, rng: np.random.Generator, x: float, y: float, radius: float, petals: int,
    kind: str,
) -> None:  # fmt: skip
    """Glaze petal over petal, feed darker pigment into the wet heart, dot the stamens."""
    inks = KINDS[kind]
    turn = rng.random() * 2 * np.pi
    # White of the paper is kept under a flower by lifting the ground first.
    paper.backrun(x, y, 1.05 * radius, 1.0, petals)
    paper.backrun(x, y, 0.75 * radius, 1.0, petals + 1)
    for ring, reach in enumerate((1.0, 0.72)):
        for k in range(petals):
            angle = turn + 2 * np.pi * (k + 0.5 * ring) / petals + rng.normal(0, 0.10)
            length = reach * radius * rng.uniform(0.88, 1.12)
            width = length * (1.05 if petals == 5 else 0.46)
            shape, box = blade(x, y, angle, length, width, rng.normal(0, 0.05), tip=1.7)
            first, second = inks[rng.choice(4, 2, replace=False)]
            paper.wash(
                shape, varied(first[None], rng, 0.05, 0.02)[0], rng.uniform(0.40, 0.70), box=box,
                second=second, fray=0.0045, rim=0.65, pooling=0.34, draft=k + ring,
            )  # fmt: skip
            for _ in range(3):
                fold, box = blade(
                    x, y, angle + rng.normal(0, 0.22), 0.8 * length, 0.03 * length, 0.0
                )
                paper.wash(fold, inks[2], 0.35, box=box, fray=0.0015, rim=0.2, draft=k)
    heart, box = disk(x, y, 0.20 * radius)
    paper.wash(heart, DARK, 0.8, box=box, soft=0.012, fray=0.010, rim=0.3)
    for k in range(26):
        angle, far = 2.4 * k, radius * rng.uniform(0.18, 0.38)
        dot, box = disk(x + far * np.cos(angle), y + far * np.sin(angle), rng.uniform(0.002, 0.005))
        paper.wash(dot, DARK, 0.8, box=box, fray=0.0008, rim=0.4)


def _splashes(paper: WetPaper, rng: np.random.Generator) -> None:
    """Flick the loaded brush over the sheet."""
    inks: list[Field] = [REDS[0], BLUES[0], GREENS[1], PINKS[1], GROUNDS[5]]
    for k in range(150):
        x, y = rng.random(2)
        spot, box = disk(x, y, 0.0015 + 0.010 * rng.random() ** 4)
        paper.wash(spot, inks[k % 5], rng.uniform(0.35, 0.8), box=box, fray=0.0010, draft=k)
