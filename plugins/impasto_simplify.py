"""A picture that painting can begin with: less detail and, for a print or a comic, fewer tones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageChops

from impasto import PictureContext, Preprocessor, hookimpl
from impasto.contracts import Role
from impasto.settings import Settings

PATCH: Final = 0.007
"""Radius of the patches of color that slight detail gives way to, of the root of the picture's
area: about that of a stroke."""
BESIDE: Final = 8
"""Neighborhoods around a pixel, of which it takes the color of the most even ones."""
EVEN: Final = 1e-4
"""Variance of colors below which neighborhoods are equally even: that of noise."""
STANDING_OUT: Final = (0.04, 0.12)
"""Mean difference between a picture and its patches: up to the first it is slight detail, from the
second on something that people look at, such as eyes and letters."""
PIXELS_AT_ONCE: Final = 100_000
"""Pixels that patches are computed of at once."""

SHADES: Final = np.arange(256)
MOST_TONES: Final = 6
"""That are looked for in a style: a print of three to six inks has so many with its paper."""
NEAR: Final = 4
"""How far, of 255, the pixels of one ink are from its tone: paper has fibers, and JPEG its
noise."""
SCARCE: Final = 0.02
"""Share of a style's pixels below which they are no ink."""
FLAT: Final = (0.5, 0.6)
"""Share of the pixels around a tone that are near it, mean of all tones: up to the first a style is
painted, from the second on drawn in flat inks. Paintings have 0.3 to 0.45, prints 0.75."""
STEPS: Final = (20, 76)
"""From one tone to the next: what is closer to a commoner one is no tone, and where they are
farther apart there are others between. A drawing in black on white must not leave a face in
halves."""
RISE: Final = 0.25
"""Share of such a step within which one tone turns into the next: edges are not jagged."""


class Simplify:
    """Turns slight detail, such as grain and strands of hair, into patches of color in the picture
    that painting begins with, so that the strokes of the style show. Edges stay sharp, and what
    stands out, such as eyes and letters, stays as it is.

    That is a Kuwahara filter, by which a pixel takes the color of the most even of the
    neighborhoods beside it, with weights in place of a choice (Papari, Petkov and Campisi,
    "Artistic Edge and Corner Enhancing Smoothing", IEEE Transactions on Image Processing, 2007).

    For a style in a few flat inks, as prints and comics are, patches are twice as wide, and they
    have no other tones than the style.
    """

    name = "simplify"
    order = 70
    roles: frozenset[Role] = frozenset({"start"})

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image:
        strength = context.options.simplify or 0
        inks = _Inks(context.styles)
        radius = PATCH * strength * (1 + inks.share) * math.sqrt(picture.width * picture.height)
        if round(radius) == 0:
            return picture
        return inks.printed(_in_patches(picture, round(radius)), min(1.0, strength))


class _Inks:
    """The tones of styles that are drawn in a few flat inks."""

    def __init__(self, styles: Sequence[tuple[Image.Image, float]]) -> None:
        amounts = np.zeros(256)
        total = sum(weight for _, weight in styles)
        for picture, weight in styles:
            share = weight / total / (picture.width * picture.height)
            amounts += share * np.array(picture.convert("L").histogram())
        tones, flatness = _tones(amounts)
        least, most = FLAT
        self.share = min(1.0, max(0.0, (flatness - least) / (most - least)))
        """From 0 to 1: how far the styles are drawn so."""
        self._tones = _spaced(tones)

    def printed(self, picture: Image.Image, strength: float) -> Image.Image:
        """The picture with these tones alone between the darkest and the lightest of them, as far
        as the styles are drawn so, times a strength from 0 to 1."""
        if not self.share:
            return picture
        numbers = np.arange(len(self._tones))
        place = np.interp(SHADES, self._tones, numbers)
        rise = ((place % 1 - 0.5) / RISE + 0.5).clip(0, 1)
        stepped = np.interp(place // 1 + rise, numbers, self._tones)
        change = (stepped - SHADES) * self.share * strength
        change[(self._tones[0] > SHADES) | (self._tones[-1] < SHADES)] = 0
        light = picture.convert("L")
        for sign, combine in ((1, ImageChops.add), (-1, ImageChops.subtract)):
            by = light.point([max(0, round(sign * amount)) for amount in change])
            picture = combine(picture, Image.merge("RGB", [by] * 3))
        return picture


def _tones(amounts: NDArray[np.float64]) -> tuple[list[int], float]:
    """The commonest of 256 shades, in ascending order, and what FLAT says of them.

    Args:
        amounts: the share of the pixels that have each shade.
    """
    near = np.convolve(amounts, np.ones(2 * NEAR + 1), "same")
    tones: list[int] = []
    left = near.copy()
    while len(tones) < MOST_TONES and left.max() > SCARCE:
        tones.append(int(left.argmax()))
        left[np.abs(SHADES - tones[-1]) <= STEPS[0]] = 0
    if not tones:
        return [], 0.0
    tones.sort()
    nearest = np.abs(SHADES[:, None] - tones).argmin(axis=1)
    around = np.bincount(nearest, amounts, len(tones))
    return tones, float((near[tones] / around).mean())


def _spaced(tones: Sequence[int]) -> list[float]:
    """Tones in ascending order with others between those that are too far apart."""
    spaced = [float(tone) for tone in tones[:1]]
    for tone in tones[1:]:
        parts = math.ceil((tone - spaced[-1]) / STEPS[1])
        spaced += np.linspace(spaced[-1], tone, parts + 1)[1:].tolist()
    return spaced


def _in_patches(picture: Image.Image, radius: int) -> Image.Image:
    """The picture with patches of this radius in pixels in place of slight detail."""
    before = np.asarray(picture)
    after = np.empty_like(before)
    around = max(1, radius // 3)
    reach = 2 * radius + around
    step = max(reach, PIXELS_AT_ONCE // (picture.width + 2 * reach))
    for top in range(0, picture.height, step):
        bottom = min(top + step, picture.height)
        rows = np.arange(top - reach, bottom + reach).clip(0, picture.height - 1)
        detailed = torch.from_numpy(before[rows]).permute(2, 0, 1).float().div_(255)
        detailed = F.pad(detailed, (reach, reach), mode="replicate")
        patches = _patches(detailed, radius)
        lost = detailed[:, 2 * radius : -2 * radius, 2 * radius : -2 * radius] - patches
        standing_out = _box(lost.abs().mean(0, keepdim=True), around)
        least, most = STANDING_OUT
        kept = standing_out.sub_(least).div_(most - least).clamp_(0, 1)
        inner = slice(around, -around)
        values = patches[:, inner, inner].addcmul_(lost[:, inner, inner], kept)
        after[top:bottom] = values.permute(1, 2, 0).mul_(255).round_().clamp_(0, 255).byte()
    return Image.fromarray(after)


def _patches(colors: torch.Tensor, radius: int) -> torch.Tensor:
    """3xHxW: what a Kuwahara filter makes of them, `2 * radius` pixels less on each side."""
    mean = _box(colors, radius)
    variance = (_box(colors.square(), radius) - mean.square()).clamp_(0).sum(0, keepdim=True)
    weight = variance.add_(EVEN).reciprocal_().square_().square_()
    weighted = torch.cat([mean.mul_(weight), weight])
    height, width = (length - 2 * radius for length in weighted.shape[-2:])
    total = torch.zeros_like(weighted[:, :height, :width])
    for number in range(BESIDE):
        angle = 2 * math.pi * number / BESIDE
        top, left = (round(radius * (1 + f(angle))) for f in (math.sin, math.cos))
        total += weighted[:, top : top + height, left : left + width]
    return total[:3].div_(total[3:])


def _box(values: torch.Tensor, radius: int) -> torch.Tensor:
    """CxHxW: the means over squares of 2 * radius + 1 pixels, `radius` less on each side."""
    side = 2 * radius + 1
    for axis in (-1, -2):
        zero = torch.zeros_like(values.narrow(axis, 0, 1), dtype=torch.float64)
        sums = torch.cat([zero, values.cumsum(axis, dtype=torch.float64)], axis)
        count = values.shape[axis] + 1 - side
        values = (sums.narrow(axis, side, count) - sums.narrow(axis, 0, count)).div_(side).float()
    return values


@hookimpl
def impasto_preprocessors(settings: Settings) -> list[Preprocessor]:
    return [Simplify()]
