"""The objective at several sizes of one image at once.

Painting coarse to fine alone lets go of large strokes again: what the finest level's objective
cannot see, its steps destroy. Here the coarser levels' objectives stay in the sum, for a third more
work a step, and the losses at half and quarter size come out several times lower.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F

from impasto.contracts import Evaluation


class Term(Protocol):
    """An objective at one size."""

    def evaluate(self, image: torch.Tensor) -> Evaluation: ...


class Multiscale:
    """sum over sizes of weight * objective(the image, shrunk to that size)

    Args:
        terms: objectives with their (height, width) and weight, finest first.
    """

    def __init__(self, terms: Sequence[tuple[Term, tuple[int, int], float]]) -> None:
        self._terms = terms

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        """Loss and gradient at a 1x3xHxW image of the finest size."""
        images = [image]
        for _, size, _ in self._terms[1:]:
            images.append(shrink(images[-1], size))
        loss: torch.Tensor | None = None
        gradient: torch.Tensor | None = None
        for (term, _, weight), at in zip(reversed(self._terms), reversed(images), strict=True):
            here = term.evaluate(at)
            own = here.gradient.mul_(weight)
            # What the coarser sizes want arrives through the shrinking.
            gradient = own if gradient is None else own.add_(_shrink_back(gradient, at))
            loss = weight * here.loss if loss is None else loss + weight * here.loss
        assert loss is not None  # noqa: S101  (there is at least one term)
        assert gradient is not None  # noqa: S101
        return Evaluation(loss, gradient)


def shrink(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """A 1x3xHxW tensor at a smaller (height, width), each pixel the mean of those it covers."""
    return F.adaptive_avg_pool2d(image, size)


def _shrink_back(gradient: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """The gradient at an image from that at its shrunk copy."""
    with torch.enable_grad():
        image = image.detach().requires_grad_()
        # Not `grad(..., gradient)`: torch would import sympy to check shapes, for 40 MB.
        product = (shrink(image, (gradient.shape[-2], gradient.shape[-1])) * gradient).sum()
    (back,) = torch.autograd.grad(product, image)
    return back
