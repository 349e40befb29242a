"""L-BFGS for images: preconditioned, projected on bounds, one evaluation a step.

Nocedal and Wright, "Numerical Optimization" (2nd ed.), algorithms 7.4 and 7.5, with the problem's
preconditioner as initial inverse Hessian. Departures from the book, because an evaluation costs a
hundred times the rest of a step:

- no line search: the full step is tried, and cut only where the loss grows by more than a third;
- the history is kept in bfloat16, at half of the memory that float32 pairs of it would take;
- bounds are kept by projection: values that the gradient pushes out of them stand still for a step.

Decisions are taken by `torch.where`, never by `if`: a GPU would have to finish all its work before
Python knew the condition.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import torch
from pydantic import BaseModel, Field

from impasto import Iterate, Optimizer, Problem, hookimpl
from impasto.settings import Section, Settings

FIRST_STEP: Final = 0.04
"""Root mean square of the first change of the image, whose values are within [0, 1]."""
MOST_GROWTH: Final = 1.3
"""A step is taken when the loss grows at most by this factor: the pictures' losses are not convex,
and a small rise often leads on."""
CUT: Final = 0.3
LEAST_STEP: Final = 0.05
"""When a step was cut below this share, the history is forgotten."""
LEAST_CURVATURE: Final = 1e-6
"""Least cosine between a step and the change of gradient along it for the pair to be kept."""

PAIR_BYTES: Final = 12
"""Of a step and a gradient change for each pixel: three channels of two bytes, twice."""
BLOCK: Final = 2**18
"""Values that are taken to float32 at once: memory for larger blocks comes from the system each
time, which clears it page by page."""

Precondition = Callable[[torch.Tensor], torch.Tensor]


class LbfgsSettings(Section):
    """`[plugins.lbfgs]`"""

    history: Annotated[int, Field(ge=1, le=50)] = 6
    """Pairs of steps and gradient changes that are remembered, 12 bytes a pixel each; fewer where
    the memory for painting is short."""


@dataclass(frozen=True, slots=True)
class _Pair:
    step: torch.Tensor  # s, bfloat16
    change: torch.Tensor  # y, bfloat16
    curvature: torch.Tensor  # s . y, a scalar; infinite for a pair that has no say


class _History:
    """The inverse Hessian as far as it is known."""

    def __init__(self, size: int, unknown: torch.Tensor) -> None:
        self._pairs: deque[_Pair] = deque(maxlen=size)
        self._scale = unknown

    def learn(self, step: torch.Tensor, change: torch.Tensor) -> None:
        """Remembers a bfloat16 pair; it has no say if its curvature is negative or lost in
        rounding."""
        curvature = _dot(step, change)
        least = LEAST_CURVATURE * (_dot(step, step) * _dot(change, change)).sqrt()
        curvature = torch.where(curvature > least, curvature, torch.inf)
        self._pairs.append(_Pair(step, change, curvature))

    def forget(self, wanted: torch.Tensor) -> None:
        """Where `wanted` (a scalar) is true, no pair has a say any more."""
        for pair in self._pairs:
            pair.curvature.masked_fill_(wanted, torch.inf)
        self._scale = torch.where(wanted, torch.inf, self._scale)

    def direction(self, downhill: torch.Tensor, precondition: Precondition) -> torch.Tensor:
        """The inverse Hessian times minus the gradient, which is overwritten: the two-loop
        recursion."""
        q = downhill
        shares = []
        for pair in reversed(self._pairs):
            share = _dot(pair.step, q) / pair.curvature
            _add(q, pair.change, -share)
            shares.append(share)
        q = precondition(q).contiguous()
        q *= self._initial_scale(q, precondition)
        for pair, share in zip(self._pairs, reversed(shares), strict=True):
            back = _dot(pair.change, q) / pair.curvature
            _add(q, pair.step, share - back)
        return q

    def _initial_scale(self, q: torch.Tensor, precondition: Precondition) -> torch.Tensor:
        """What makes the preconditioner an inverse Hessian: as the newest pair says (Nocedal and
        Wright, equation 7.20), or so that the first step has the size that it should."""
        if self._pairs:
            change = self._pairs[-1].change.float()
            says = self._pairs[-1].curvature / _dot(change, precondition(change))
            self._scale = torch.where(says.isfinite(), says, self._scale)
        first = FIRST_STEP / (_dot(q, q) / q.numel()).sqrt().clamp_min(1e-20)
        return torch.where(self._scale.isfinite(), self._scale, first)


class Lbfgs:
    """The `lbfgs` optimizer."""

    name = "lbfgs"

    def __init__(self, history: int) -> None:
        self._history_size = history

    def minimize(self, problem: Problem, steps: int) -> Generator[Iterate, None, None]:
        """Yields after every evaluation; the first is that of the start itself."""
        image = problem.start.clone()
        history = _History(self._pairs_within(problem), image.new_full((), torch.inf))
        loss, gradient = problem.evaluate(image)
        share = torch.ones_like(loss)
        yield Iterate(1, loss, image)
        for number in range(2, steps + 1):
            direction = _descent(history, problem, image, gradient)
            trial = direction.mul_(share).add_(image).clamp_(problem.lower, problem.upper)
            there = problem.evaluate(trial)
            # Also where the step is refused: the pair holds at `image` all the same.
            history.learn(_difference(trial, image), _difference(there.gradient, gradient))
            taken = there.loss <= MOST_GROWTH * loss
            torch.where(taken, trial, image, out=image)
            torch.where(taken, there.gradient, gradient, out=gradient)
            loss = torch.where(taken, there.loss, loss)
            share = torch.where(taken, 1.0, share * CUT)
            lost = share < LEAST_STEP
            history.forget(lost)
            share = torch.where(lost, CUT, share)
            yield Iterate(number, loss, image)

    def _pairs_within(self, problem: Problem) -> int:
        """As many pairs as the settings and the memory allow, at least two."""
        if problem.memory is None:
            return self._history_size
        pixels = problem.start.shape[-2] * problem.start.shape[-1]
        return max(
            min(2, self._history_size),
            min(self._history_size, problem.memory // (PAIR_BYTES * pixels)),
        )


def _descent(
    history: _History, problem: Problem, image: torch.Tensor, gradient: torch.Tensor
) -> torch.Tensor:
    """A direction of descent that leaves values alone that are pushed against their bounds."""
    blocked = (image <= problem.lower) & (gradient > 0)
    blocked |= (image >= problem.upper) & (gradient < 0)
    downhill = gradient.neg().contiguous().masked_fill_(blocked, 0)
    direction = history.direction(downhill, problem.precondition)
    direction.masked_fill_(blocked, 0)
    uphill = _dot(direction, gradient) > 0
    history.forget(uphill)
    return direction.mul_(torch.where(uphill, -1.0, 1.0))


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The inner product of two images, a float32 scalar."""
    return torch.stack([torch.dot(x.float(), y.float()) for x, y in _blocks(a, b)]).sum()


def _difference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a - b, bfloat16."""
    difference = torch.empty_like(a, dtype=torch.bfloat16)
    for into, x, y in _blocks(difference, a, b):
        into.copy_(x - y)
    return difference


def _add(total: torch.Tensor, image: torch.Tensor, factor: torch.Tensor) -> None:
    """total += factor * image, whatever the precision of the image."""
    for into, part in _blocks(total, image):
        into.addcmul_(part.float(), factor)


def _blocks(*images: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
    """The same values of all, BLOCK at a time; what is written to is contiguous."""
    return zip(*(torch.split(image.reshape(-1), BLOCK) for image in images), strict=True)


@hookimpl
def impasto_settings() -> type[BaseModel]:
    return LbfgsSettings


@hookimpl
def impasto_optimizers(settings: Settings) -> list[Optimizer]:
    return [Lbfgs(settings.plugin("lbfgs").history)]
