"""How large a picture is painted, and in which smaller sizes and how many steps before that. The
painting process paints by it, and the bot promises by it, so it needs no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from impasto.contracts import PaintOptions
from impasto.settings import PaintingSettings

MIN_SIDE: Final = 32
"""Least width and height: below it the networks' pooled maps vanish."""
PHOTO_SIZE: Final = (4032, 3024)
"""Width and height of the photos of most phones: 4:3."""
SMALLEST_SIDE: Final = 100
"""A level is not halved when the root of its area would fall below this."""
MOST_LEVELS: Final = 8
LARGE_PIXELS: Final = 350_000
"""A level above this many pixels is large: what it shows was decided at smaller ones, and it only
brings sharpness: three steps of 50 do, five look the same, nine add a fine grain."""


class StepShares(NamedTuple):
    """How steps are shared out between the levels of a picture."""

    smallest: int
    between: int
    """Of each level between."""
    largest: int
    """Of the largest level that is not large."""
    below_large: int
    """Of the same where a large one follows. What it gets less is not spent: what that would bring
    cannot be seen in the larger picture."""
    large: int
    """Of each large level."""


STEP_SHARES: Final = StepShares(smallest=9, between=6, largest=9, below_large=6, large=2)
SHARES_FOR_FULL_SIZE: Final = StepShares(smallest=1, between=1, largest=8, below_large=6, large=8)
"""The same where the objectives of smaller sizes are left out at full size: much of what was
painted at smaller sizes is undone there, so they only serve as a start."""

Size = tuple[int, int]
"""Height and width."""


def size_within(
    size: tuple[int, int], max_pixels: int, max_side: int | None = None, *, most_scale: float = 1.0
) -> tuple[int, int]:
    """The largest size of the same aspect ratio with at most `max_pixels` and, if it is given, no
    side above `max_side`; sides at least 32.

    At most `most_scale` times as long and high as `size`. Very long pictures keep their shorter
    side at 32 pixels even where this breaks the cap: below it nothing can be painted.
    """
    width, height = size
    scale = min(most_scale, (max_pixels / (width * height)) ** 0.5)
    if max_side is not None:
        scale = min(scale, max_side / max(size))
    # The longer side may be its limit exactly, which division misses by a rounding error.
    return max(MIN_SIDE, int(width * scale + 1e-6)), max(MIN_SIDE, int(height * scale + 1e-6))


def result_size(photo: tuple[int, int], options: PaintOptions) -> tuple[int, int]:
    """The (width, height) of the painting of a photo of this size, within the options' limits;
    without a pixel cap the photo's own pixels are the cap."""
    cap = options.max_pixels or math.prod(photo)
    return size_within(photo, cap, options.max_side, most_scale=options.enlarge or 1.0)


def limited(
    options: PaintOptions, painting: PaintingSettings, max_pixels: int, *, on_cpu: bool
) -> PaintOptions:
    """The options with all limits of the result's size; `max_pixels` is the usual pixel cap of the
    device. Where a number of pixels is asked for, the usual longer side and enlargement do not
    hold."""
    if options.max_pixels is not None:
        return options
    usual_side = painting.long_side_cpu if on_cpu else painting.long_side_gpu
    limits = {
        "max_pixels": max_pixels,
        "max_side": options.max_side or usual_side,
        "enlarge": options.enlarge or painting.enlarge,
    }
    return options.model_copy(update=limits)


@dataclass(frozen=True, slots=True)
class Level:
    """One size of the picture and the limit of the steps that are taken there."""

    height: int
    width: int
    steps: int
    is_fine: bool = False
    """Whether its steps are made on the network for fine pictures."""
    cost: float = 1.0
    """Cost of evaluating a pixel, relative to the levels that are not fine."""

    @property
    def size(self) -> Size:
        return self.height, self.width

    @property
    def work(self) -> float:
        """Cost of painting it, in pixels evaluated."""
        return self.height * self.width * self.steps * self.cost


def plan_levels(size: Size, steps: int, shares: StepShares = STEP_SHARES) -> list[Level]:
    """Levels for a picture of (height, width), smallest first; `steps` are shared out as `shares`
    says. Where none is large, they add up to `steps`.

    With fewer steps than levels the smallest levels are left out.
    """
    sizes = [size]
    while len(sizes) < min(MOST_LEVELS, steps):
        height, width = (round(side / 2) for side in sizes[-1])
        if min(height, width) < MIN_SIDE or height * width < SMALLEST_SIDE**2:
            break
        sizes.append((height, width))
    sizes.reverse()
    large = min(sum(h * w > LARGE_PIXELS for h, w in sizes), len(sizes) - 1)
    usual = len(sizes) - large
    usual_weights = [shares.smallest, *[shares.between] * (usual - 2), shares.largest][-usual:]
    weights = usual_weights + [shares.large] * large
    total = sum(weights)
    if large:
        weights[usual - 1] = shares.below_large
    counts = [max(1, steps * weight // total) for weight in weights]
    if not large:
        counts[-1] += steps - sum(counts)
    return [Level(h, w, n) for (h, w), n in zip(sizes, counts, strict=True)]


def with_fine_finish(levels: Sequence[Level], steps: int, cost: float) -> list[Level]:
    """A plan that goes on at full size with `steps` steps on the network for fine pictures, each of
    which costs `cost` times as much as another step there."""
    return [*levels, replace(levels[-1], steps=steps, is_fine=True, cost=cost)]


def step_shares(coarse: float) -> StepShares:
    """The shares for `plan_levels` that go with `size_weights` of the same `coarse`, see
    `impasto.painting.pyramid`."""
    return STEP_SHARES if coarse else SHARES_FOR_FULL_SIZE
