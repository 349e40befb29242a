"""Coarse to fine: at which sizes a picture is painted, and how one size leads to the next.

Strokes longer than the network's receptive field only appear when the picture is painted small
first (Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, section
6). Each level is also a preview, and most of the way is made at a sixteenth of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch

from impasto.painting.pictures import MIN_SIDE, resize

COARSEST_SIDE: Final = 100
"""A level is not halved when the root of its area would fall below this."""
MOST_LEVELS: Final = 8
STEP_SHARES: Final = (3, 2, 3)
"""How steps are shared out between the coarsest level, each level between, and the finest."""
SHARES_FOR_FULL_SIZE: Final = (1, 1, 8)
"""The same where coarser sizes have no say at full size: what they came to is largely undone there,
and a start is all that is wanted of them."""
COARSER_WEIGHTS: Final = (0.2, 0.1, 0.05)
"""At each level, the weights of the objectives of the levels below it; its own has 1."""
PATIENCE: Final = 10
"""A level ends when so many steps did not pay."""


@dataclass(frozen=True, slots=True)
class Level:
    """One size of the picture and the most steps that are taken there."""

    height: int
    width: int
    steps: int
    is_fine: bool = False
    """Whether its steps are made on the network for fine pictures."""
    cost: float = 1.0
    """Of evaluating a pixel, against the levels that are not fine."""

    @property
    def size(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def work(self) -> float:
        """What painting it costs, in pixels evaluated."""
        return self.height * self.width * self.steps * self.cost


def plan_levels(
    size: tuple[int, int], steps: int, shares: tuple[int, int, int] = STEP_SHARES
) -> list[Level]:
    """Levels for a picture of (height, width), coarsest first; their steps add up to `steps` and
    are shared out as `shares` says, in the order of STEP_SHARES.

    With fewer steps than levels the coarsest levels are left out.
    """
    sizes = [size]
    while len(sizes) < min(MOST_LEVELS, steps):
        height, width = (round(side / 2) for side in sizes[-1])
        if min(height, width) < MIN_SIDE or height * width < COARSEST_SIDE**2:
            break
        sizes.append((height, width))
    sizes.reverse()
    first, between, last = shares
    weights = [first, *[between] * (len(sizes) - 2), last][-len(sizes) :]
    counts = [max(1, steps * weight // sum(weights)) for weight in weights]
    counts[-1] += steps - sum(counts)
    return [Level(h, w, n) for (h, w), n in zip(sizes, counts, strict=True)]


def with_fine_finish(levels: Sequence[Level], steps: int, cost: float) -> list[Level]:
    """A plan that goes on at full size with so many steps on the network for fine pictures, each of
    which costs `cost` times as much as another there."""
    return [*levels, replace(levels[-1], steps=steps, is_fine=True, cost=cost)]


def size_weights(coarse: float) -> tuple[float, ...]:
    """Weights of a level's own objective and of those of the levels below it, whose usual weights
    are multiplied by `coarse`; at 0 they are left out."""
    return (1.0, *(coarse * weight for weight in COARSER_WEIGHTS)) if coarse else (1.0,)


def step_shares(coarse: float) -> tuple[int, int, int]:
    """What `plan_levels` shares steps out by, where `size_weights` is given that `coarse`."""
    return STEP_SHARES if coarse else SHARES_FOR_FULL_SIZE


class StoppingRule:
    """Whether another step at a level pays: steps are a cap, not a duty.

    Args:
        least_gain: a level ends when its loss fell by less than this share in PATIENCE steps.
    """

    def __init__(self, least_gain: float) -> None:
        self._least_gain = least_gain
        self._last: float | None = None

    def is_due(self, step: int) -> bool:
        """The loss is only asked for now and then: a GPU must wait for the answer."""
        return step % PATIENCE == 0

    def says_stop(self, best_loss: float) -> bool:
        """Told the least loss so far, each time it is due."""
        last, self._last = self._last, best_loss
        return last is not None and best_loss > (1 - self._least_gain) * last


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
