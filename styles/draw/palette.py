"""Colors: hexadecimal to arrays, ramps, and the small deviations of paint mixed by hand.

Colors are float32 arrays of red, green and blue in [0, 1], sRGB as on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .fields import Field


def rgb(code: str) -> Field:
    """Turn "1b2a6b" into an array of three channels."""
    return np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / np.float32(255)


def palette(codes: str) -> Field:
    """Turn "1b2a6b 2f5fb3" into an array of shape (2, 3)."""
    return np.stack([rgb(code) for code in codes.split()])


def ramp(colors: Field, at: Field | float, stops: Sequence[float] | None = None) -> Field:
    """Interpolate between `colors` (n, 3) at positions `at` of any shape; returns (..., 3).

    The colors sit at `stops`, by default evenly over [0, 1].
    """
    where = np.linspace(0.0, 1.0, len(colors)) if stops is None else np.asarray(stops)
    channels = [np.interp(at, where, colors[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def luminance(colors: Field) -> Field:
    """Return the Rec. 601 luma of colors (..., 3)."""
    return (colors @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.float32)


def of_luminance(colors: Field, wanted: Field) -> Field:
    """Make colors (..., 3) lighter or darker, until they have the wanted luminance (...)."""
    return (colors + (wanted - luminance(colors))[..., None]).astype(np.float32)


def at(place: float, colors: Sequence[Field] | Field) -> Field:
    """Return the color, or the palette, whose number is nearest to a place among several."""
    return colors[int(np.clip(round(place), 0, len(colors) - 1))]


def nearest(steps: Field, values: Field) -> Field:
    """Return the nearest of some steps for each value."""
    chosen: Field = steps[np.abs(values[..., None] - steps).argmin(axis=-1)]
    return chosen


def varied(
    colors: Field, rng: np.random.Generator, value: float, hue: float, vivid: float = 0.0
) -> Field:
    """Vary colors (n, 3) one by one, as mixing on a palette does.

    `value` is the standard deviation of the brightness factor, `hue` that of the shift of each
    channel, `vivid` that of the factor on the distance from grey.
    """
    count = len(colors)
    factor = 1.0 + value * rng.standard_normal((count, 1))
    shift = hue * rng.standard_normal((count, 3))
    grey = luminance(colors)[:, None]
    chroma = 1.0 + vivid * rng.standard_normal((count, 1))
    return np.clip((grey + (colors - grey) * chroma) * factor + shift, 0, 1).astype(np.float32)
