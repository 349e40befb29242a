"""What happens to pictures before and after painting: EXIF turn, sizes, colors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from impasto import PictureContext, Postprocessor, Preprocessor, hookimpl
from impasto.contracts import Role
from impasto.settings import Settings
from impasto.sizes import MIN_SIDE, result_size, size_within

STATISTICS_PIXELS: Final = 250_000
SIZES_PER_OCTAVE: Final = 4
"""Styles' areas are rounded to such steps below the pixel cap: sides to some 9 %. Photos of 4:3 and
of 3:2 come to the same one."""
Statistics = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean (3) and covariance (3x3) of a picture's RGB values in [0, 1]."""

MUTED: Final = 0.2
"""Difference of a pixel's largest and least channel up to which its color is muted in any picture;
in a colorful one, up to the median."""
GRAY: Final = np.ones(3) / math.sqrt(3)
"""The direction of lightness among colors."""
RED_AXIS: Final = np.array([2, -1, -1], np.float32) / np.float32(math.sqrt(6))
GREEN_AXIS: Final = np.array([0, 1, -1], np.float32) / np.float32(math.sqrt(2))
"""With GRAY, axes of colors: the second at a right angle to red, towards green."""
MOST_GAIN: Final = 3.0
"""A photo of few hues has slight ones, as of a skin, which a colorful style would turn into magenta
and green."""
ROWS_OF_PIXELS: Final = 100_000
"""Pixels that hues are computed of at once."""
WARM: Final = 35.0
"""Hue of skin, hair and wood, in degrees from red towards green."""
WARM_WITHIN: Final = 60.0
"""Hues that are farther from it are not warm."""
MOST_TURN: Final = 10.0
"""By so many degrees a style may turn a warm hue towards green."""
TO_GREEN: Final = (90.0, 110.0)
"""A hue that is turned by more is turned to blue, as a style does that has no other: between these
degrees less and less is taken back."""
COLORED: Final = 0.04
"""Distance from gray at which a pixel has a hue that can be seen."""
LEAST_VARIANCE: Final = 1e-5
"""Variances below this are taken as this: a one-color picture must not blow up rounding noise."""


class ExifTurn:
    """Turns a picture as its EXIF orientation says, so that it stands as it was taken."""

    name = "exif"
    order = 10
    roles: frozenset[Role] = frozenset({"content", "style"})

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image:
        return ImageOps.exif_transpose(picture)


class PixelCap:
    """Scales the photo to the size of the result."""

    name = "pixel_cap"
    order = 50
    roles: frozenset[Role] = frozenset({"content"})

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image:
        return _resized(picture, result_size(picture.size, context.options))


class BrushSize:
    """Scales each style, in its own shape, to as many pixels as the photo has, times the square of
    the brush size: at 1 strokes come out as large as a viewer of the style picture sees them, at 2
    twice as large.

    A photo just below the pixel cap counts as one at the cap, so that a style's Gram matrices,
    once computed, serve for most photos.
    """

    name = "brush_size"
    order = 50
    roles: frozenset[Role] = frozenset({"style"})

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image:
        if context.content is None:
            return picture
        cap = _cap(picture, context)
        share = context.content.width * context.content.height / cap
        pixels = cap * 2 ** (round(math.log2(share) * SIZES_PER_OCTAVE) / SIZES_PER_OCTAVE)
        scale = math.sqrt(pixels / (picture.width * picture.height))
        scale *= context.options.brush_size or 1.0
        width, height = (max(MIN_SIDE, round(side * scale)) for side in picture.size)
        return _resized(picture, (width, height))


class ColorMatch:
    """Matches mean and covariance of colors, so that painting begins in the palette it will have.

    Usually the start takes the styles' colors. To keep the photo's own, the styles take the
    photo's instead (Gatys et al., "Preserving Color in Neural Artistic Style Transfer",
    arXiv:1606.05897, section 3).
    """

    name = "color_match"
    order = 60
    roles: frozenset[Role] = frozenset({"start", "style"})

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image:
        if context.options.keep_colors:
            if context.role == "start" or context.content is None:
                return picture
            return _recolored(picture, _statistics(context.content))
        if context.role == "style" or not context.styles:
            return picture
        return _kept_warm(picture, _recolored(picture, _mixed_statistics(context.styles)))


class KeepColors:
    """Gives the painting the photo's hues (Cb, Cr) where the request asks to keep colors."""

    name = "keep_colors"
    order = 50

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image:
        if not context.options.keep_colors or context.content is None:
            return picture
        lightness, _, _ = picture.convert("YCbCr").split()
        _, blue, red = context.content.convert("YCbCr").split()
        return Image.merge("YCbCr", (lightness, blue, red)).convert("RGB")


def _cap(picture: Image.Image, context: PictureContext) -> int:
    return context.options.max_pixels or picture.width * picture.height


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture.resize(size, Image.Resampling.LANCZOS) if size != picture.size else picture


def _statistics(picture: Image.Image) -> Statistics:
    """Of a smaller copy where the picture is large: its colors are the same. All pixels count alike
    for lightness, but colors for less the less muted they are: else a bright jacket would decide
    about the color of a face."""
    small = picture.resize(size_within(picture.size, STATISTICS_PIXELS), Image.Resampling.BOX)
    values = np.asarray(small, dtype=np.float64).reshape(-1, 3) / 255
    chroma = values.max(axis=1) - values.min(axis=1)
    muted = max(MUTED, float(np.median(chroma)))
    mean, covariance = _weighted(values, 1 / (1 + (chroma / muted) ** 2))
    lightness = values @ GRAY
    mean += GRAY * (lightness.mean() - GRAY @ mean)
    spread = math.sqrt(lightness.var() / max(LEAST_VARIANCE, GRAY @ covariance @ GRAY))
    scale = np.eye(3) + (spread - 1) * np.outer(GRAY, GRAY)
    return mean, scale @ covariance @ scale


def _weighted(values: NDArray[np.float64], weights: NDArray[np.float64]) -> Statistics:
    weights = weights / weights.sum()
    mean: NDArray[np.float64] = weights @ values
    from_mean = values - mean
    return mean, (from_mean * weights[:, None]).T @ from_mean


def _mixed_statistics(styles: Sequence[tuple[Image.Image, float]]) -> Statistics:
    """Statistics of all pixels of all styles, each style counting by its weight."""
    total = sum(weight for _, weight in styles)
    each = [(*_statistics(picture), weight / total) for picture, weight in styles]
    mean: NDArray[np.float64] = sum((m * share for m, _, share in each), np.zeros(3))
    spread = np.zeros((3, 3))
    for own_mean, covariance, share in each:
        offset = own_mean - mean
        spread += share * (covariance + np.outer(offset, offset))
    return mean, spread


def _recolored(picture: Image.Image, wanted: Statistics) -> Image.Image:
    """The picture with other color statistics: whitened, then colored again, with no difference
    between colors raised by more than MOST_GAIN."""
    values = np.asarray(picture, dtype=np.float32) / 255
    mean, covariance = _statistics(picture)
    transform = _power(wanted[1], 0.5) @ _power(covariance, -0.5)
    left, gains, right = np.linalg.svd(transform)
    transform = (left * gains.clip(max=MOST_GAIN)) @ right
    values -= mean.astype(np.float32)
    matched = values @ transform.T.astype(np.float32)
    matched += wanted[0].astype(np.float32)
    return Image.fromarray((matched.clip(0, 1) * 255).round().astype(np.uint8))


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    result: NDArray[np.float64] = (vectors * values.clip(LEAST_VARIANCE) ** exponent) @ vectors.T
    return result


@hookimpl
def impasto_preprocessors(settings: Settings) -> list[Preprocessor]:
    return [ExifTurn(), PixelCap(), BrushSize(), ColorMatch()]


@hookimpl
def impasto_postprocessors(settings: Settings) -> list[Postprocessor]:
    return [KeepColors()]


def _kept_warm(picture: Image.Image, matched: Image.Image) -> Image.Image:
    """The matched picture without the green that skin and hair have got: a color match moves all
    hues alike, and people do not mind it in a sky."""
    before, after = (
        np.asarray(each, dtype=np.float32) / np.float32(255) for each in (picture, matched)
    )
    rows = max(1, ROWS_OF_PIXELS // picture.width)  # each takes some temporary memory
    turned = [
        _turned_back(before[top : top + rows], after[top : top + rows])
        for top in range(0, picture.height, rows)
    ]
    return Image.fromarray((np.concatenate(turned).clip(0, 1) * 255).round().astype(np.uint8))


def _turned_back(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """HxWx3 in [0, 1]: `after` with warm hues of `before` turned to green by MOST_TURN at most.

    Hues are angles in the plane of colors of the same lightness, from red towards green.
    """
    was, now = _in_hue_plane(before), _in_hue_plane(after)
    turn = np.degrees(np.angle(now * was.conj()))
    distance = np.abs(np.degrees(np.angle(was * np.exp(-1j * np.radians(WARM)))))
    share = (2 - 2 * distance / WARM_WITHIN).clip(0, 1) * (np.abs(was) / COLORED).clip(0, 1)
    share *= ((TO_GREEN[1] - turn) / (TO_GREEN[1] - TO_GREEN[0])).clip(0, 1)
    back = np.radians((turn - MOST_TURN).clip(0) * share)
    now = now * np.exp(-1j * back)
    gray = after.mean(axis=-1, keepdims=True)
    turned: NDArray[np.float32] = (
        gray + now.real[..., None] * RED_AXIS + now.imag[..., None] * GREEN_AXIS
    )
    return turned


def _in_hue_plane(colors: NDArray[np.float32]) -> NDArray[np.complex64]:
    return (colors @ RED_AXIS + 1j * (colors @ GREEN_AXIS)).astype(np.complex64)
