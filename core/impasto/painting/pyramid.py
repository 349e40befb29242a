"""From small to full size: with which objective a picture is painted at each of its sizes, when a
size is finished, and how it leads to the next one.

Strokes longer than the network's receptive field only appear when the picture is painted small
first (Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, section
6). Each level is also a preview, and most of the way is made at a sixteenth of the cost.

Painting from small to large alone loses large strokes again: what the objective at full size cannot
see, its steps destroy. So the objectives of the smaller sizes stay in the sum (`Multiscale`), for a
third more work a step, and the losses at half and quarter size come out several times lower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import torch
from PIL import Image

from impasto.contracts import Evaluation, Losses
from impasto.painting.catalogue import Catalogue, Tools
from impasto.painting.network import Network
from impasto.painting.objective import mix
from impasto.painting.plugin_calls import WeightedPicture
from impasto.painting.strips.network import Buffers
from impasto.painting.strips.objective import StripObjective
from impasto.painting.strips.plan import Budget
from impasto.painting.tensors import add_through_shrinking, image_of, resize, shrink
from impasto.sizes import Size

SMALLER_WEIGHTS: Final = (0.2, 0.1, 0.05)
"""At each level, the weights of the objectives of the levels below it; its own has 1."""
PATIENCE: Final = 10
"""A level ends when this number of steps did not pay."""


def size_weights(coarse: float) -> tuple[float, ...]:
    """Weights of a level's own objective and of those of the levels below it, whose usual weights
    are multiplied by `coarse`; at 0 they are left out."""
    return (1.0, *(coarse * weight for weight in SMALLER_WEIGHTS)) if coarse else (1.0,)


class StoppingRule:
    """Whether another step at a level pays: steps are a cap, not a duty.

    Args:
        least_gain: a level ends when its loss fell by less than this share in PATIENCE steps.
    """

    def __init__(self, least_gain: float) -> None:
        self._least_gain = least_gain
        self._last: float | None = None

    def is_due(self, step: int) -> bool:
        """Whether to compare losses after this step; not after each, as a GPU must wait for it."""
        return step % PATIENCE == 0

    def says_stop(self, best_loss: float) -> bool:
        """Whether to stop, given the least loss so far; asked each time a comparison is due."""
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


class Term(Protocol):
    """An objective at one size."""

    def evaluate(self, image: torch.Tensor) -> Evaluation: ...


class Multiscale:
    """sum over sizes of weight * objective(the image, shrunk to that size)

    Args:
        terms: objectives with their (height, width) and weight, largest first.
    """

    def __init__(self, terms: Sequence[tuple[Term, tuple[int, int], float]]) -> None:
        self._terms = terms

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        """Loss and gradient at a 1x3xHxW image of the largest size."""
        images = [image]
        for _, size, _ in self._terms[1:]:
            images.append(shrink(images[-1], size))
        loss: torch.Tensor | None = None
        gradient: torch.Tensor | None = None
        for (term, _, weight), at in zip(reversed(self._terms), reversed(images), strict=True):
            here = term.evaluate(at)
            own = here.gradient.mul_(weight)
            if gradient is not None:  # that of the smaller sizes
                add_through_shrinking(own, gradient)
            gradient = own
            loss = weight * here.loss if loss is None else loss + weight * here.loss
        assert loss is not None  # noqa: S101  (there is at least one term)
        assert gradient is not None  # noqa: S101
        return Evaluation(loss, gradient)


@dataclass(slots=True, kw_only=True)
class Targets:
    """The objectives of one picture under one network, each made when it is first needed.

    Args:
        content, styles: prepared.
        sizes: of the picture, the full one first, each half of the one before.
        budget: how to run the network at the full size.
    """

    catalogue: Catalogue
    tools: Tools
    network: Network
    budget: Budget
    content: Image.Image
    styles: Sequence[WeightedPicture]
    sizes: Sequence[Size]
    _buffers: Buffers = field(default_factory=Buffers, init=False)
    _objectives: dict[Size, StripObjective] = field(default_factory=dict, init=False)

    def at(self, size: Size) -> Multiscale:
        """The objective at one of the sizes, along with those of the smaller ones."""
        weights = size_weights(self.catalogue.settings.painting.coarse_weight)
        first = self.sizes.index(size)
        wanted = self.sizes[first : first + len(weights)]
        kept = self._objectives
        self._objectives = {s: kept[s] if s in kept else self._objective(s) for s in wanted}
        terms = zip(self._objectives.values(), wanted, weights, strict=False)
        return Multiscale(list(terms))

    def losses(self, image: torch.Tensor) -> Losses:
        """Of a 1x3xHxW image, at the size that `at` was last asked for, and that one alone."""
        return self._objectives[image.shape[-2], image.shape[-1]].losses(image)

    def let_go(self) -> None:
        """Gives back the memory of all maps."""
        self._objectives, self._buffers = {}, Buffers()

    def _objective(self, size: Size) -> StripObjective:
        """The loss at one size; styles shrink as the picture does, so strokes keep theirs."""
        halvings = self.sizes.index(size)
        device = self.tools.device
        styles = [
            (self.catalogue.styles.grams(self.network, device, picture, halvings), weight)
            for picture, weight in self.styles
        ]
        return StripObjective(
            self.network,
            image_of(self.content, size, device.torch_device()),
            mix(styles),
            self.tools.style_weight,
            self.budget.plan,
            buffers=self._buffers,
        )
