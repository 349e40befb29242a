"""Colors stay where they belong: a term of the objective that Gram matrices cannot give.

A Gram matrix says which colors and marks a style has, not where they go, so patches of its colors
land anywhere: a red nose, a green cheek. With A the means over the cells of a coarse grid (by color
channel), X the image and S the color-matched picture that painting starts from, the term is

    weight * mean((A X - A S)^2)

It holds the broad colors and leaves all that is smaller than a cell, the strokes, to the style.
"""

from __future__ import annotations

import math
from typing import Final

import torch

from impasto.contracts import Evaluation
from impasto.painting.pyramid import Term

CELLS: Final = 20
"""Cells along the root of the picture's area."""
DRIFT: Final = 0.1
"""RMS drift of the cells' colors at which the term, with a strength of 1, is as large as the loss
that a level begins with."""


class CoherentColors:
    """An objective with coherent colors.

    Args:
        objective: what is minimised besides.
        start: 1x3xHxW in [0, 1], the picture whose broad colors are kept.
        strength: 0 or more. The weight follows from it and from the objective's value at the first
            image that is evaluated, so that a strength means the same for all styles and sizes.
    """

    def __init__(self, objective: Term, start: torch.Tensor, strength: float) -> None:
        self._objective = objective
        height, width = start.shape[-2:]
        cell = math.sqrt(height * width) / CELLS
        rows, columns = max(1, round(height / cell)), max(1, round(width / cell))
        self._down = _averages(height, rows).to(start)
        self._across = _averages(width, columns).to(start).T
        self._wanted = self._cells(start)
        self._strength = strength
        self._weight: torch.Tensor | None = None

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        """Loss and gradient at a 1x3xHxW image."""
        loss, gradient = self._objective.evaluate(image)
        if self._weight is None:
            self._weight = self._strength * loss / DRIFT**2
        drift = self._cells(image) - self._wanted
        term = self._weight * drift.square().mean()
        slope = drift.mul_(2 * self._weight / drift.numel())
        gradient.add_(self._down.T @ slope @ self._across.T)
        return Evaluation(loss + term, gradient)

    def _cells(self, image: torch.Tensor) -> torch.Tensor:
        """The means over the cells of the grid, 1x3 x rows x columns."""
        return self._down @ image @ self._across


def _averages(length: int, cells: int) -> torch.Tensor:
    """cells x length: its product with a column of values is the means of the column's cells."""
    matrix = torch.zeros(cells, length)
    for cell, row in enumerate(matrix):
        first, end = cell * length // cells, -(-(cell + 1) * length // cells)
        row[first:end] = 1 / (end - first)
    return matrix
