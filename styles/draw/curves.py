"""Curves through points, and shapes with clean edges drawn at twice the size.

A curve is an array of shape (n, 2) of x and y on the unit square.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from .fields import Field

OVERSAMPLING = 2

Point = tuple[float, float]


def through(points: Sequence[Point], samples: int = 160) -> Field:
    """Return a Catmull-Rom spline through `points`, evenly sampled in its parameter."""
    given = np.asarray(points, np.float32)
    ends = np.concatenate([2 * given[:1] - given[1:2], given, 2 * given[-1:] - given[-2:-1]])
    at = np.linspace(0, len(given) - 1, samples)
    piece = np.minimum(at.astype(int), len(given) - 2)
    t = (at - piece)[:, None]
    a, b, c, d = (ends[piece + k] for k in range(4))
    square, cube = 2 * a - 5 * b + 4 * c - d, 3 * b - a - 3 * c + d
    curve: Field = 0.5 * (2 * b + (c - a) * t + square * t**2 + cube * t**3)
    return curve.astype(np.float32)


def normals(curve: Field) -> Field:
    """Return unit normals (n, 2), to the left of the way the curve runs as seen on the page."""
    along = np.gradient(curve, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    return np.stack([along[:, 1], -along[:, 0]], axis=1).astype(np.float32)


class Sheet:
    """A picture that takes filled shapes in unit coordinates and smooths their edges."""

    def __init__(self, color: Field) -> None:
        self.size = color.shape[0]
        self._scale = self.size * OVERSAMPLING
        flat = Image.fromarray((np.clip(color, 0, 1) * 255 + 0.5).astype(np.uint8))
        self._image = flat.resize((self._scale, self._scale), Image.Resampling.BICUBIC)
        self._pen = ImageDraw.Draw(self._image)

    def polygon(self, outline: Field, color: Field) -> None:
        """Fill the inside of a closed outline (n, 2)."""
        self._pen.polygon([tuple(p) for p in (outline * self._scale).tolist()], fill=_ink(color))

    def line(self, curve: Field, width: Field | float, color: Field) -> None:
        """Draw a line whose width, in units of the picture's side, may change along the curve."""
        half = 0.5 * np.broadcast_to(np.asarray(width, np.float32), len(curve))[:, None]
        side = normals(curve) * np.maximum(half, 0.35 / self._scale)
        self.polygon(np.concatenate([curve + side, (curve - side)[::-1]]), color)

    def disks(self, disks: Iterable[tuple[float, float, float]], color: Field) -> None:
        """Fill disks given as x, y and radius."""
        ink = _ink(color)
        for x, y, radius in disks:
            r = max(radius * self._scale, 0.6)
            px, py = x * self._scale, y * self._scale
            self._pen.ellipse((px - r, py - r, px + r, py + r), fill=ink)

    def color(self) -> Field:
        """Return what was drawn as color (size, size, 3)."""
        small = self._image.resize((self.size, self.size), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float32) / np.float32(255)


def _ink(color: Field) -> tuple[int, int, int]:
    red, green, blue = (int(255 * float(c) + 0.5) for c in np.clip(color, 0, 1))
    return red, green, blue
