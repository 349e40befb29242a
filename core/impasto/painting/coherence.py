"""Colors stay where they belong: a term of the objective that Gram matrices cannot give.

A Gram matrix says which colors and marks a style has, not where they go, so patches of its colors
land anywhere: a red nose, a green cheek. With A the means over the cells of a coarse grid (by color
channel), X the image and S the color-matched picture that painting starts from, the term is

    weight * mean((A X - A S)^2)

It holds the broad colors and leaves all that is smaller than a cell, the strokes, to the style.

Eyes and teeth are smaller than a cell. So there is the same term with a finer grid, which weighs
each cell by how much the photo has to show there: what is drawn in the photo stays drawn, and
smooth surfaces are for the marks of the style.

There marks must not grow too strong: what a style may not put into eyes it would put into the sky
and onto cheeks, as folds and hard lines. So where the photo is smooth, pixels are held, too. That
takes hardly anything of slight marks, as it grows with the square.
"""

from __future__ import annotations

import math
from typing import Final

import torch
import torch.nn.functional as F

from impasto.contracts import Evaluation
from impasto.painting.pyramid import Term

CELLS: Final = 20
"""Cells of the coarse grid along the root of the picture's area."""
FINE_CELLS: Final = 60
"""The same of the fine grid."""
DRIFT: Final = 0.1
"""RMS drift of the cells' colors at which the term, with a strength of 1, is as large as the loss
that a level begins with."""

NEIGHBORS: Final = 5
"""Fine cells across which the photo's contrast is looked at."""
NO_DETAIL, FULL_DETAIL = 0.01, 0.05
"""Standard deviations of their lightness between which the weight of a fine cell rises."""
LEAST_WEIGHT, MOST_WEIGHT = 0.25, 3.0
"""Of a fine cell without detail, where with none the style would put what it may not put elsewhere,
and of one full of it, such as an eye; a coarse cell's is 1."""
HOLD: Final = 0.15
"""Weight of a pixel where the photo is smooth, of that of a cell of the coarse grid."""
HOLD_NEIGHBORS: Final = 3
"""Fine cells across which it is to be so."""
SMOOTH, ROUGH = 0.02, 0.08
"""Standard deviations of their lightness between which a pixel is held less and less."""

_LIGHTNESS: Final = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""


class CoherentColors:
    """An objective with coherent colors.

    Args:
        objective: what is minimised besides.
        start: 1x3xHxW in [0, 1], the picture whose colors are kept.
        strength: 0 or more. The weight follows from it and from the objective's value at the first
            image that is evaluated, so that a strength means the same for all styles and sizes.
    """

    def __init__(self, objective: Term, start: torch.Tensor, strength: float) -> None:
        self._objective = objective
        self._coarse, self._fine = _Grid(start, CELLS), _Grid(start, FINE_CELLS)
        contrast = _contrast(self._fine.wanted, NEIGHBORS)
        detail = _rise(contrast, NO_DETAIL, FULL_DETAIL)
        self._detail = detail.mul_(MOST_WEIGHT).clamp_(min=LEAST_WEIGHT)
        self._strength = strength
        self._weight: torch.Tensor | None = None

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        """Loss and gradient at a 1x3xHxW image."""
        loss, gradient = self._objective.evaluate(image)
        if self._weight is None:
            self._weight = self._strength * loss / DRIFT**2
        for grid, share in ((self._coarse, 1.0), (self._fine, self._detail)):
            drift = grid.means(image) - grid.wanted
            weighted = drift * (self._weight * share)
            loss = loss + (weighted * drift).mean()
            grid.add_slope(weighted.mul_(2 / drift.numel()), gradient)
        return Evaluation(loss, gradient)


class CalmSurfaces:
    """An objective with marks that are slight where the photo is smooth.

    Args:
        objective: what is minimised besides.
        start, strength: as those of `CoherentColors`.
    """

    def __init__(self, objective: Term, start: torch.Tensor, strength: float) -> None:
        self._objective = objective
        contrast = _contrast(_Grid(start, FINE_CELLS).wanted, HOLD_NEIGHBORS)
        held = HOLD * (1 - _rise(contrast, SMOOTH, ROUGH))
        size = (start.shape[-2], start.shape[-1])
        # The outermost cells are half as wide: their middles count as the edges of the picture.
        held = F.interpolate(held, size=size, mode="bilinear", align_corners=True)
        # Kept through the level, so as small as may be: pictures have 256 values of each color.
        self._root = held.sqrt_().bfloat16()
        self._start = (start * 255).round_().byte()
        self._strength = strength
        self._weight: torch.Tensor | None = None

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        """Loss and gradient at a 1x3xHxW image."""
        loss, gradient = self._objective.evaluate(image)
        if self._weight is None:
            self._weight = self._strength * loss / (DRIFT**2 * image.numel())
        drift = self._start.to(image.dtype).div_(-255).add_(image).mul_(self._root)
        loss = loss + self._weight * torch.linalg.vector_norm(drift).square()
        gradient.addcmul_(drift.mul_(self._root), 2 * self._weight)
        return Evaluation(loss, gradient)


class _Grid:
    """Cells of about the same size that a picture is divided into."""

    def __init__(self, start: torch.Tensor, cells: int) -> None:
        height, width = start.shape[-2:]
        side = max(1.0, math.sqrt(height * width) / cells)
        self._down = _averages(height, max(1, round(height / side))).to(start)
        self._across = _averages(width, max(1, round(width / side))).to(start).T
        self.wanted = self.means(start)

    def means(self, image: torch.Tensor) -> torch.Tensor:
        """The means over the cells, 1x3 x rows x columns."""
        return self._down @ image @ self._across

    def add_slope(self, slope: torch.Tensor, gradient: torch.Tensor) -> None:
        """Adds to the gradient of a loss by the image what follows from that by the means."""
        gradient.add_(self._down.T @ slope @ self._across.T)


def _averages(length: int, cells: int) -> torch.Tensor:
    """(cells + 1) x length: its product with a column of values is the means of the column's cells.

    The outermost are half as wide as the others. Maps go on beyond the picture as they end there,
    so the network sees a mark at the edge as larger than it is: held by a whole cell, the edge
    would get the style's strongest colors, and what lies beside it in the cell their opposites.
    """
    matrix = torch.zeros(cells + 1, length)
    for cell, row in enumerate(matrix):
        first = max(0, (2 * cell - 1) * length // (2 * cells))
        end = min(length, -(-(2 * cell + 1) * length // (2 * cells)))
        row[first:end] = 1 / (end - first)
    return matrix


def _contrast(colors: torch.Tensor, neighbors: int) -> torch.Tensor:
    """1x1 x rows x columns: the standard deviation of lightness across that many cells."""
    light = F.conv2d(colors, colors.new_tensor(_LIGHTNESS).view(1, 3, 1, 1))

    def around(values: torch.Tensor) -> torch.Tensor:
        padded = F.pad(values, (neighbors // 2,) * 4, mode="replicate")
        return F.avg_pool2d(padded, neighbors, stride=1)

    return (around(light.square()) - around(light).square()).clamp(min=0).sqrt()


def _rise(values: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """0 up to `low`, 1 from `high` on."""
    return ((values - low) / (high - low)).clamp(0, 1)
