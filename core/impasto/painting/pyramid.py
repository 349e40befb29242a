"""Coarse to fine: at which sizes a picture is painted, and how one size leads to the next.

Strokes longer than the network's receptive field only appear when the picture is painted small
first (Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, section
6). Each level is also a preview, and most of the way is made at a sixteenth of the cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch

from impasto.painting.pictures import MIN_SIDE, resize

COARSEST_SIDE: Final = 100
"""A level is not halved when the root of its area would fall below this."""
MOST_LEVELS: Final = 6
FINEST_SHARE: Final = 1.5
"""Steps at the finest level for each step at any other."""


@dataclass(frozen=True, slots=True)
class Level:
    """One size of the picture and the most steps that are taken there."""

    height: int
    width: int
    steps: int


def plan_levels(size: tuple[int, int], steps: int) -> list[Level]:
    """Levels for a picture of (height, width), coarsest first; their steps add up to `steps`.

    With fewer steps than levels the coarsest levels are left out.
    """
    sizes = [size]
    while len(sizes) < min(MOST_LEVELS, steps):
        height, width = (round(side / 2) for side in sizes[-1])
        if min(height, width) < MIN_SIDE or height * width < COARSEST_SIDE**2:
            break
        sizes.append((height, width))
    sizes.reverse()
    coarse = int(steps / (len(sizes) - 1 + FINEST_SHARE))
    shares = [max(1, coarse)] * (len(sizes) - 1)
    shares.append(steps - sum(shares))
    return [Level(h, w, n) for (h, w), n in zip(sizes, shares, strict=True)]


def carry_up(
    painted: torch.Tensor, start_below: torch.Tensor, start_above: torch.Tensor
) -> torch.Tensor:
    """Where a level starts: its own start picture plus the change that the level below made to its.

    Detail that the level below could not show comes from the photo instead of being blurred.
    All three are 1x3xHxW in [0, 1]: the level below as painted, what it started from, and the
    start picture at the size of the level above.
    """
    size = (start_above.shape[-2], start_above.shape[-1])
    change = resize(painted - start_below, size)
    return (start_above + change).clamp_(0, 1)
