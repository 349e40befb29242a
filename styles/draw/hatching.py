"""Pencil and chalk on toothed paper: single lines, and groups of lines that follow a form.

A line leaves pigment where its pressure reaches the paper's grain: a light one only touches the
peaks, which gives the broken texture of a dry drawing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fields import Field, grain, noise, scattered


@dataclass(frozen=True)
class Pencil:
    """A stick of `color`; `width` is in thousandths of the side, `cover` its greatest opacity."""

    color: Field
    width: float
    cover: float = 0.85


@dataclass(frozen=True)
class Form:
    """What lines follow: their direction in radians, their pressure in [0, 1], the object's number.

    All are (size, size). A line stays within the object in which it began.
    """

    angle: Field
    pressure: Field
    part: NDArray[np.int32]


class Paper:
    """A sheet (size, size, 3) with a tooth (size, size) in [0, 1] that takes pigment."""

    def __init__(self, size: int, tint: Field, rng: np.random.Generator) -> None:
        unit = size / 1024
        tooth = grain(size, rng, 0.75) + 0.7 * grain(size, rng, 1.8 * unit + 0.4)
        laid = noise(size, rng, 160, 1, stretch=(0.08, 1.0))
        self.size = size
        self.tooth = np.clip(0.5 + 0.26 * tooth + 0.08 * laid, 0, 1).astype(np.float32)
        fibers = noise(size, rng, 30, 4, gain=0.7)
        shade = 1 + 0.035 * (self.tooth - 0.5) + 0.018 * fibers
        self.color = (tint * shade[..., None]).astype(np.float32)

    def line(
        self,
        pencil: Pencil,
        x: float,
        y: float,
        angle: float,
        length: float,
        pressure: float,
        *,
        bend: float = 0.0,
        within: tuple[NDArray[np.int32], int] | None = None,
    ) -> None:
        """Draw a line of `length` pixels centered at (x, y), turning by `bend` towards each end.

        `within` keeps it to the pixels of a map of parts that have the given number.
        """
        half = max(length / 2, 1.5)
        thick = max(pencil.width * self.size / 1000, 0.8)
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        sag = abs(bend) * half / 2 + thick + 1
        reach_x = abs(cos) * half + abs(sin) * sag + 1
        reach_y = abs(sin) * half + abs(cos) * sag + 1
        left, right = max(0, int(x - reach_x)), min(self.size, int(x + reach_x) + 2)
        top, bottom = max(0, int(y - reach_y)), min(self.size, int(y + reach_y) + 2)
        if left >= right or top >= bottom:
            return
        dx = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5 - x)
        dy = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - y)
        u = (dx * cos + dy * sin) / half
        v = (dy * cos - dx * sin - bend * half / 2 * (u * u - 0.33)) / thick
        # A hand presses as it sets out and lifts off towards the end.
        press = np.clip(1 - u * u, 0, 1) ** 0.5 * (1.0 - 0.3 * u) * pressure
        touch = np.exp(-1.4 * v * v) * press
        patch = (slice(top, bottom), slice(left, right))
        pigment = np.clip(2.2 * touch - 1.05 * self.tooth[patch] * (1.1 - 0.5 * touch), 0, 1)
        if within is not None:
            parts, number = within
            pigment = pigment * (parts[patch] == number)
        amount = (pencil.cover * pigment)[..., None]
        self.color[patch] += amount * (pencil.color - self.color[patch])


def hatch(
    paper: Paper,
    pencil: Pencil,
    form: Form,
    rng: np.random.Generator,
    *,
    length: float,
    gap: float,
    group: int = 9,
    stray: float = 0.12,
) -> None:
    """Cover a form with groups of parallel lines, `length` long and `gap` apart in pixels.

    Each group is `group` lines set side by side across the form's direction; where the pressure is
    next to nothing a line is left out. `stray` is the share of lines that overrun their object.
    """
    size = paper.size
    xs, ys = scattered(size, (length * gap * group * 0.72) ** 0.5, rng)
    for center_x, center_y in zip(xs, ys, strict=True):
        row, column = min(int(center_y), size - 1), min(int(center_x), size - 1)
        across = form.angle[row, column] + np.pi / 2
        part = form.part[row, column]
        for place in np.arange(group) - (group - 1) / 2 + 0.18 * rng.standard_normal(group):
            slip = 0.10 * length * rng.standard_normal()
            x = center_x + place * gap * np.cos(across) + slip * np.sin(across)
            y = center_y + place * gap * np.sin(across) - slip * np.cos(across)
            if not (0 <= x < size and 0 <= y < size) or form.part[int(y), int(x)] != part:
                continue
            pressure = form.pressure[int(y), int(x)] * (1 + 0.13 * rng.standard_normal())
            if pressure < 0.12:
                continue
            angle = form.angle[int(y), int(x)]
            bend = _turn(form.angle, x, y, angle, length / 3) * 1.5
            paper.line(
                pencil,
                x,
                y,
                angle + 0.035 * rng.standard_normal(),
                length * float(np.clip(rng.normal(1.0, 0.15), 0.6, 1.4)),
                pressure,
                bend=float(np.clip(bend, -0.8, 0.8)),
                within=None if rng.random() < stray else (form.part, int(part)),
            )


def _turn(angles: Field, x: float, y: float, angle: float, step: float) -> float:
    """Return how far the direction turns one `step` ahead, as an axis in (-pi/2, pi/2]."""
    top = len(angles) - 1
    ahead_x = int(np.clip(x + step * np.cos(angle), 0, top))
    ahead_y = int(np.clip(y + step * np.sin(angle), 0, top))
    return float((angles[ahead_y, ahead_x] - angle + np.pi / 2) % np.pi - np.pi / 2)
