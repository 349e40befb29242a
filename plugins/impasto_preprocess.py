"""What happens to pictures before and after painting: EXIF turn, sizes, colors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

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
WeightedColors = tuple[NDArray[np.float64], float]
"""A style's colors, as `_colors` gives them, and its weight."""

MUTED: Final = 0.2
"""Difference of a pixel's largest and least channel up to which its color is muted in any picture;
in a colorful one, up to the median."""
GRAY: Final = np.ones(3) / math.sqrt(3)
"""The direction of lightness among colors."""
HUES: Final = np.array([[2, -1, -1], [0, 3**0.5, -(3**0.5)]], np.float32).T / np.float32(6**0.5)
"""3x2: axes of the plane of colors of one lightness, towards red and, at a right angle to it, from
blue to green."""
MOST_GAIN: Final = 3.0
"""A photo of few hues has slight ones, as of a skin, which a colorful style would turn into magenta
and green."""
ENDS: Final = (0.05, 0.95)
"""Quantiles of lightness that say where a picture's darks and lights are."""
LIGHTEST: Final = 0.85
"""A match raises lights no further than so, or than the photo's own: else skin is bleached in a
portrait of somebody in dark clothes."""
MOST_CONTRAST: Final = 0.8
"""Of lights and darks: below that a photo has no less of it after a match than before. A style
without darks would make black clothes gray."""
ROWS_OF_PIXELS: Final = 100_000
"""Pixels that hues are computed of at once."""
WARM: Final = np.array([0.866, 0.5], np.float32)
"""Hue of skin, hair and wood, 30 degrees from red towards green."""
WARMTH: Final = (0.5, 0.87)
"""Cosine of the angle to it: below these hues are not warm, above they are."""
COLORED: Final = 0.05
"""Distance from gray at which a pixel has a hue that can be seen."""
GAPS: Final = 0.05
"""What is less wide, of the root of the picture's area, and surrounded by what is warm counts as
warm, such as gloss on a forehead."""
WARM_SHARE: Final = 0.1
"""The warmest tenth of a style says how warm it is."""
KEPT_WARMTH: Final = (0.3, 0.8)
"""Share of their own color that warm colors keep, if the style has such: where the match takes half
of their warmth or more, and where it takes none. A style in blue may cool a table and a little of a
face, but one in red does not redden cheeks."""
MOST_WARMTH: Final = 1.6
"""How many times as far from gray as the style's warm colors those of the photo may stay: with
less, a red cup is brown."""
ONE_TONE: Final = (0.03, 0.06)
"""Deviations of hues, among a style's pixels of one lightness, from their mean: below the first it
may be drawn in one color, as with chalk or ink, above the second it is not."""
ONE_HUE: Final = (0.05, 0.1)
"""The same of their deviations from gray and all shades of the main hue."""
TONE_STRIDE: Final = 7
"""One in this many pixels of a style is looked at for its tones."""
SHADES: Final = 2.0
"""How far a painting's hues may be from those of a style drawn in one color, in the style's own
standard deviations."""
TONES: Final = 32
"""Steps of lightness that hues are told apart by."""
TINY: Final = 1e-9
"""Least of what is divided by."""
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
            return _to_picture(_recolored(picture, _statistics(_colors(context.content))))
        if context.role == "style" or not context.styles:
            return picture
        styles = [(_colors(style), weight) for style, weight in context.styles if weight]
        matched = _not_bleached(picture, _recolored(picture, _mixed_statistics(styles)))
        tones = _Tones(styles)
        if tones.share < 1:
            matched = _kept_warm(picture, matched, _warmth(styles))
        for rows in _rows(matched):
            tones.apply(matched[rows])
        return _to_picture(matched)


class OneColor:
    """Removes all other colors from a painting in a style that is drawn in one, as with chalk or
    ink: lips and flags would keep a tinge of theirs."""

    name = "one_color"
    order = 40

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image:
        styles = [(_colors(style), weight) for style, weight in context.styles if weight]
        if context.options.keep_colors or not styles:
            return picture
        tones = _Tones(styles)
        if not tones.share:
            return picture
        before = np.asarray(picture)
        after = np.empty_like(before)
        for rows in _rows(before):
            part = before[rows].astype(np.float32) / np.float32(255)
            tones.apply(part, SHADES)
            after[rows] = (part.clip(0, 1) * 255).round()
        return Image.fromarray(after)


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


def _rows(picture: NDArray[Any]) -> Iterator[slice]:
    """The rows of an HxWx3 picture in parts, each of which takes some temporary memory."""
    step = max(1, ROWS_OF_PIXELS // picture.shape[1])
    return (slice(top, top + step) for top in range(0, len(picture), step))


def _rise(values: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """0 up to `low`, 1 from `high` on."""
    return ((values - low) / (high - low)).clip(0, 1)


def _cap(picture: Image.Image, context: PictureContext) -> int:
    return context.options.max_pixels or picture.width * picture.height


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture.resize(size, Image.Resampling.LANCZOS) if size != picture.size else picture


def _colors(picture: Image.Image) -> NDArray[np.float64]:
    """Nx3: the colors in [0, 1] of a smaller copy where the picture is large: they are the same."""
    small = picture.resize(size_within(picture.size, STATISTICS_PIXELS), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64).reshape(-1, 3) / 255


def _statistics(values: NDArray[np.float64]) -> Statistics:
    """All pixels count alike for lightness, but colors for less the less muted they are: else a
    bright jacket would decide about the color of a face."""
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


def _mixed_statistics(styles: Sequence[WeightedColors]) -> Statistics:
    """Statistics of all pixels of all styles, each style counting by its weight."""
    total = sum(weight for _, weight in styles)
    each = [(*_statistics(values), weight / total) for values, weight in styles]
    mean: NDArray[np.float64] = sum((m * share for m, _, share in each), np.zeros(3))
    spread = np.zeros((3, 3))
    for own_mean, covariance, share in each:
        offset = own_mean - mean
        spread += share * (covariance + np.outer(offset, offset))
    return mean, spread


def _recolored(picture: Image.Image, wanted: Statistics) -> NDArray[np.float32]:
    """The picture as HxWx3 with other color statistics: whitened, then colored again, with no
    difference between colors raised by more than MOST_GAIN."""
    values = np.asarray(picture, dtype=np.float32) / 255
    mean, covariance = _statistics(_colors(picture))
    transform = _power(wanted[1], 0.5) @ _power(covariance, -0.5)
    left, gains, right = np.linalg.svd(transform)
    transform = (left * gains.clip(max=MOST_GAIN)) @ right
    values -= mean.astype(np.float32)
    matched: NDArray[np.float32] = values @ transform.T.astype(np.float32)
    matched += wanted[0].astype(np.float32)
    return matched


def _to_picture(values: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray((values.clip(0, 1) * 255).round().astype(np.uint8))


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    result: NDArray[np.float64] = (vectors * values.clip(LEAST_VARIANCE) ** exponent) @ vectors.T
    return result


class _Tones:
    """The hues of styles by lightness: all the color that a drawing in chalk or ink has."""

    def __init__(self, styles: Sequence[WeightedColors]) -> None:
        some = [(values[::TONE_STRIDE], weight) for values, weight in styles]
        pixels = np.concatenate([values for values, _ in some])
        weights = np.concatenate([np.full(len(v), weight / len(v)) for v, weight in some])
        weights /= weights.sum()
        hues = pixels @ HUES
        tone = self._tone(pixels.mean(axis=1)).round().astype(np.intp)
        amounts = np.bincount(tone, weights, TONES)
        seen = np.flatnonzero(amounts)
        self._hues = []
        """For each of the axes HUES, TONES values."""
        for values in hues.T:
            means = np.bincount(tone, weights * values, TONES)[seen] / amounts[seen]
            self._hues.append(np.interp(np.arange(TONES), seen, means))
        main = (weights * np.hypot(*hues.T)) @ hues
        main /= np.hypot(*main) + TINY
        shades = np.outer((hues @ main).clip(0), main)

        def deviation(expected: NDArray[np.float64]) -> float:
            return math.sqrt(weights @ ((hues - expected) ** 2).sum(axis=1))

        self._deviation = deviation(np.stack(self._hues, axis=-1)[tone])
        of_tone = _rise(np.array(self._deviation), *ONE_TONE)
        of_hue = _rise(np.array(deviation(shades)), *ONE_HUE)
        self.share = 1 - float(max(of_tone, of_hue))
        """From 0 to 1: how far the styles are drawn in one color."""

    def apply(self, part: NDArray[np.float32], kept: float = 0) -> None:
        """Gives rows of a picture, HxWx3, the styles' hues as far as these are drawn in one color.

        Args:
            kept: what its hues may differ from them, in the styles' own deviations.
        """
        if not self.share:
            return
        tone = self._tone(part.mean(axis=-1))
        wanted = np.stack([np.interp(tone, range(TONES), hue) for hue in self._hues], axis=-1)
        change = wanted - part @ HUES
        size = np.hypot(change[..., 0], change[..., 1])[..., None] + TINY
        change *= self.share * (1 - kept * self._deviation / size).clip(0)
        part += (change @ HUES.T).astype(np.float32)

    @staticmethod
    def _tone(lightness: NDArray[Any]) -> NDArray[Any]:
        return lightness.clip(0, 1) * (TONES - 1)


@hookimpl
def impasto_preprocessors(settings: Settings) -> list[Preprocessor]:
    return [ExifTurn(), PixelCap(), BrushSize(), ColorMatch()]


@hookimpl
def impasto_postprocessors(settings: Settings) -> list[Postprocessor]:
    return [OneColor(), KeepColors()]


def _not_bleached(picture: Image.Image, matched: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matched picture, HxWx3, no lighter and no less clear than it may be."""
    own = np.quantile(np.asarray(picture.reduce(4)).mean(axis=-1) / 255, ENDS)
    dark, light = np.quantile(matched[::4, ::4].mean(axis=-1), ENDS)
    contrast = max(light - dark, min(own[1] - own[0], MOST_CONTRAST))
    lightest = min((light + dark + contrast) / 2, max(own[1], LIGHTEST))
    darkest = max(lightest - contrast, min(own[0], dark))
    gain = (lightest - darkest) / max(light - dark, 1e-3)
    change = (gain - 1) * matched.mean(axis=-1, keepdims=True) + (darkest - gain * dark)
    matched += change.astype(np.float32)
    return matched


def _warmth(styles: Sequence[WeightedColors]) -> float:
    """How far from gray the warm colors of the styles are, each style counting by its weight."""
    total = sum(weight for _, weight in styles)
    return sum(
        max(0.0, float(np.quantile(values @ HUES @ WARM, 1 - WARM_SHARE))) * weight / total
        for values, weight in styles
    )


def _kept_warm(
    picture: Image.Image, matched: NDArray[np.float32], warmth: float
) -> NDArray[np.float32]:
    """The matched picture, HxWx3, in which what is warm in the photo has most of its own color, not
    much farther from gray than the style's warm colors are: a match moves all hues alike, which
    turns hair green and a cheek in warm light blue, and people do not mind it in a sky."""
    least, most = (kept * min(1, warmth / COLORED) for kept in KEPT_WARMTH)
    filled = _filled(picture)
    before = np.asarray(picture)
    for part in _rows(before):
        was, now = before[part] @ (HUES / np.float32(255)), matched[part] @ HUES
        size, warm = _warm_share(was)
        was *= np.minimum(1, np.float32(MOST_WARMTH * warmth) / size)[..., None]
        cooled = _rise(1 - now @ WARM / np.maximum(was @ WARM, TINY), 0, 0.5)
        cooled *= warm * _rise(size, COLORED, 2 * COLORED)  # gloss on skin would become blue first
        share = (most - (most - least) * cooled) * np.maximum(warm, filled[part])
        matched[part] += (share[..., None] * (was - now)) @ HUES.T
    return matched


def _warm_share(hues: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How far from gray places in the plane of HUES are, and from 0 to 1 how warm."""
    size = np.hypot(hues[..., 0], hues[..., 1]) + np.float32(1e-6)
    cosine = hues @ WARM / size
    warm = _rise(cosine, *WARMTH)
    warm *= (size / COLORED).clip(0, 1)
    return size, warm


def _filled(picture: Image.Image) -> NDArray[np.float32]:
    """HxW: from 0 to 1 how far a place is surrounded by what is warm."""
    small = picture.reduce(4)
    _, warm = _warm_share(np.asarray(small) @ (HUES / np.float32(255)))
    mask = Image.fromarray((255 * warm).astype(np.uint8))
    around = mask.filter(ImageFilter.BoxBlur(GAPS * math.sqrt(small.width * small.height)))
    values = np.asarray(around.resize(picture.size, Image.Resampling.BILINEAR), dtype=np.float32)
    return (values / np.float32(102) - 1).clip(0, 1)
