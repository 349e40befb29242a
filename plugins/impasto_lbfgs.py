"""L-BFGS for images: preconditioned, projected on bounds, one evaluation a step.

Nocedal and Wright, "Numerical Optimization" (2nd ed.), algorithms 7.4 and 7.5, with the problem's
preconditioner as initial inverse Hessian. Departures from the book, because an evaluation costs a
hundred times the rest of a step:

- no line search: the full step is tried, and cut only where the loss grows by more than a third;
- the history is kept in bfloat16, at a quarter of the memory that float32 pairs of it would take;
- bounds are kept by projection: values that the gradient pushes out of them stand still for a step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Annotated, Final

import torch
from pydantic import BaseModel, ConfigDict, Field

from impasto import Evaluation, Iterate, Optimizer, Problem, hookimpl
from impasto.settings import Settings

FIRST_STEP: Final = 0.02
"""Root mean square of the first change of the image, whose values are within [0, 1]."""
MOST_GROWTH: Final = 1.3
"""A step is taken when the loss grows at most by this factor: the pictures' losses are not convex,
and a small rise often leads on."""
CUT: Final = 0.3
LEAST_STEP: Final = 0.05
"""When a step was cut below this share, the history is forgotten."""
LEAST_CURVATURE: Final = 1e-6
"""Least cosine between a step and the change of gradient along it for the pair to be kept."""

Precondition = Callable[[torch.Tensor], torch.Tensor]


class LbfgsSettings(BaseModel):
    """`[plugins.lbfgs]`"""

    model_config = ConfigDict(extra="forbid")

    history: Annotated[int, Field(ge=1, le=50)] = 6
    """Pairs of steps and gradient changes that are remembered; each costs 12 bytes a pixel."""


def _dot(a: torch.Tensor, b: torch.Tensor) -> float:
    return torch.dot(a.flatten().float(), b.flatten().float()).item()


@dataclass(frozen=True, slots=True)
class _Pair:
    step: torch.Tensor  # s, bfloat16
    change: torch.Tensor  # y, bfloat16
    curvature: float  # s . y


class _History:
    """The inverse Hessian as far as it is known."""

    def __init__(self, size: int) -> None:
        self._pairs: deque[_Pair] = deque(maxlen=size)

    def learn(self, step: torch.Tensor, change: torch.Tensor) -> None:
        """Remembers a pair unless its curvature is negative or lost in rounding."""
        curvature = _dot(step, change)
        if curvature > LEAST_CURVATURE * (_dot(step, step) * _dot(change, change)) ** 0.5:
            self._pairs.append(_Pair(step.bfloat16(), change.bfloat16(), curvature))

    def forget(self) -> None:
        self._pairs.clear()

    def direction(self, gradient: torch.Tensor, precondition: Precondition) -> torch.Tensor:
        """Minus the inverse Hessian times the gradient: the two-loop recursion."""
        q = -gradient
        shares = []
        for pair in reversed(self._pairs):
            share = _dot(pair.step, q) / pair.curvature
            q = q.sub_(pair.change.float(), alpha=share)
            shares.append(share)
        q = precondition(q)
        if not self._pairs:
            return q.mul_(FIRST_STEP / q.square().mean().sqrt().clamp_min(1e-20))
        newest = self._pairs[-1]
        change = newest.change.float()
        q = q.mul_(newest.curvature / max(_dot(change, precondition(change)), 1e-30))
        for pair, share in zip(self._pairs, reversed(shares), strict=True):
            back = _dot(pair.change, q) / pair.curvature
            q = q.add_(pair.step.float(), alpha=share - back)
        return q


class Lbfgs:
    """The `lbfgs` optimizer."""

    name = "lbfgs"

    def __init__(self, history: int) -> None:
        self._history_size = history

    def minimize(self, problem: Problem, steps: int) -> Generator[Iterate, None, None]:
        """Yields after every evaluation; the first is that of the start itself."""
        history = _History(self._history_size)
        image = problem.start.clone()
        here = problem.evaluate(image)
        yield Iterate(1, here.loss, image)
        direction, share = _descent(history, problem, image, here), 1.0
        for number in range(2, steps + 1):
            trial = (image + share * direction).clamp_(problem.lower, problem.upper)
            there = problem.evaluate(trial)
            # Also where the step is refused: the pair holds at `image` all the same.
            history.learn(trial - image, there.gradient - here.gradient)
            if there.loss <= MOST_GROWTH * here.loss:
                image, here, share = trial, there, 1.0
                direction = _descent(history, problem, image, here)
            else:
                share *= CUT
                if share < LEAST_STEP:
                    history.forget()
                    direction, share = _descent(history, problem, image, here), CUT
            yield Iterate(number, here.loss, image)


def _descent(
    history: _History, problem: Problem, image: torch.Tensor, here: Evaluation
) -> torch.Tensor:
    """A direction of descent that leaves values alone that are pushed against their bounds."""
    gradient = here.gradient
    blocked = (image <= problem.lower) & (gradient > 0)
    blocked |= (image >= problem.upper) & (gradient < 0)
    free = gradient.masked_fill(blocked, 0)
    direction = history.direction(free, problem.precondition).masked_fill_(blocked, 0)
    if _dot(direction, gradient) >= 0:
        history.forget()
        direction = history.direction(free, problem.precondition).masked_fill_(blocked, 0)
    return direction


@hookimpl
def impasto_settings() -> type[BaseModel]:
    return LbfgsSettings


@hookimpl
def impasto_optimizers(settings: Settings) -> list[Optimizer]:
    return [Lbfgs(settings.plugin("lbfgs").history)]
