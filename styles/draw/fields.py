"""Scalar fields on the unit square: coordinates, noise, blur, distance.

A field is a float32 array of shape (size, size); x runs right and y runs down, both in [0, 1].
Noise comes from lattices whose dimensions do not depend on the picture's size, so one seed gives
the same composition at every size.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field: TypeAlias = NDArray[Any]


def grid(size: int) -> tuple[Field, Field]:
    """Return the x and y coordinates of the pixel centers, each (size, size) in (0, 1)."""
    axis = ((np.arange(size) + 0.5) / size).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def scattered(size: int, spacing: float, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return x and y pixel positions about `spacing` apart, even but random, in random order."""
    cells = max(1, round(size / spacing))
    row, column = np.divmod(rng.permutation(cells * cells), cells)
    jitter = rng.random((2, cells * cells))
    x, y = (np.stack([column, row]) + jitter) * (size / cells)
    return x.astype(np.float32), y.astype(np.float32)


def resized(field: Field, width: int, height: int) -> Field:
    """Resample a field bicubically to (height, width)."""
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def noise(
    size: int,
    rng: np.random.Generator,
    cells: int,
    octaves: int = 4,
    *,
    stretch: tuple[float, float] = (1.0, 1.0),
    gain: float = 0.5,
) -> Field:
    """Return fractal value noise with mean near 0 and standard deviation 1.

    `cells` lattice cells span the picture in the first octave and twice as many in each next one,
    whose amplitude is `gain` times the former's. `stretch` multiplies the cells along x and y:
    (0.1, 1) gives marks ten times longer across than down.
    """
    total = np.zeros((size, size), np.float32)
    amplitude = 1.0
    for octave in range(octaves):
        across = max(2, round(cells * stretch[0] * 2**octave)) + 3
        down = max(2, round(cells * stretch[1] * 2**octave)) + 3
        lattice = rng.standard_normal((down, across)).astype(np.float32)
        total += amplitude * resized(lattice, size, size)
        amplitude *= gain
    scaled: Field = (total - total.mean()) / max(float(total.std()), 1e-6)
    return scaled.astype(np.float32)


def grain(size: int, rng: np.random.Generator, radius: float = 0.0) -> Field:
    """Return per-pixel Gaussian noise of standard deviation 1, blurred by `radius` pixels."""
    field = rng.standard_normal((size, size)).astype(np.float32)
    if radius > 0:
        field = blur(field, radius)
    return (field / max(float(field.std()), 1e-6)).astype(np.float32)


def blur(field: Field, radius: float) -> Field:
    """Blur by a separable Gaussian of standard deviation `radius` in pixels, edges repeated.

    Takes (height, width) or (height, width, channels).
    """
    reach = max(1, int(np.ceil(2.5 * radius)))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(radius, 1e-3)) ** 2)
    taps /= taps.sum()
    out = field
    for axis in (0, 1):
        widths = [(reach, reach) if a == axis else (0, 0) for a in range(out.ndim)]
        padded = np.pad(out, widths, mode="edge")
        length = out.shape[axis]
        total = np.zeros_like(out, dtype=np.float32)
        for shift, tap in enumerate(taps):
            window = [slice(None)] * out.ndim
            window[axis] = slice(shift, shift + length)
            total += np.float32(tap) * padded[tuple(window)]
        out = total
    return out.astype(np.float32)


def smoothstep(low: float, high: float, field: Field) -> Field:
    """Return 0 below `low`, 1 above `high`, and a cubic with level ends between them."""
    t = np.clip((field - low) / (high - low), 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)


def distance(seeds: NDArray[np.bool_], reach: int) -> Field:
    """Return the distance in pixels to the nearest seed pixel, exact or nearly so up to `reach`.

    Jump flooding (Rong and Tan, 2006): every pixel asks neighbors at halving strides which seed is
    theirs and keeps the nearest. Pixels that no seed reaches get 2 * reach.
    """
    height, width = seeds.shape
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    far = -4 * (height + width)
    own_y, own_x = np.where(seeds, rows, far), np.where(seeds, columns, far)
    best = np.where(seeds, 0.0, 1e12).astype(np.float32)
    stride = 1 << max(0, int(np.ceil(np.log2(max(1, reach)))))
    while stride >= 1:
        for dy in (-stride, 0, stride):
            for dx in (-stride, 0, stride):
                if dy == dx == 0 or abs(dy) >= height or abs(dx) >= width:
                    continue
                to = (_span(-dy, height), _span(-dx, width))
                source = (_span(dy, height), _span(dx, width))
                y, x = own_y[source], own_x[source]
                d = ((rows[to] - y) ** 2 + (columns[to] - x) ** 2).astype(np.float32)
                closer = d < best[to]
                best[to] = np.where(closer, d, best[to])
                own_y[to] = np.where(closer, y, own_y[to])
                own_x[to] = np.where(closer, x, own_x[to])
        stride //= 2
    return np.minimum(np.sqrt(best), 2.0 * reach).astype(np.float32)


def _span(shift: int, length: int) -> slice:
    return slice(max(0, shift), length + min(0, shift))


class StrokeRows(NamedTuple):
    """A picture that is covered with rows of strokes; each array is (size, size)."""

    row: NDArray[np.intp]
    """Number of a place's row."""
    stroke: NDArray[np.intp]
    """Number of its stroke within the row."""
    side: Field
    """How far it is from the middle of its row, 0 to 1."""
    end: Field
    """How far it is from the middle of its stroke, 0 to 1."""


def stroke_rows(
    slant: Field, gap: float, length: float, wander: Field, count: int, rng: np.random.Generator
) -> StrokeRows:
    """Lay rows of strokes along `slant` radians, each beginning its strokes where chance has it.

    `gap`, between the middles of rows, and `length`, of a stroke, are shares of the picture's side;
    `wander` bends the rows, in gaps. Rows have numbers below `count`, the middle of which is half
    of it.
    """
    x, y = grid(len(slant))
    across = (np.cos(slant) * y - np.sin(slant) * x) / gap + wander + count // 2
    along = (np.cos(slant) * x + np.sin(slant) * y) / length + 16
    row = np.floor(across).astype(np.intp)
    run = along + rng.random(count)[row]
    stroke = np.floor(run).astype(np.intp)
    return StrokeRows(row, stroke, np.abs(2 * (across - row) - 1), np.abs(2 * (run - stroke) - 1))
