"""Steepest descent by fixed steps, in the place of L-BFGS."""

from __future__ import annotations

from collections.abc import Generator

from impasto import Iterate, Optimizer, Problem, Settings, hookimpl

STEP = 0.02
"""Root mean square of each change of the image."""


class Steepest:
    name = "steepest"

    def minimize(self, problem: Problem, steps: int) -> Generator[Iterate, None, None]:
        image = problem.start.clone()
        for number in range(1, steps + 1):
            here = problem.evaluate(image)
            yield Iterate(number, here.loss, image)
            downhill = problem.precondition(here.gradient)
            length = downhill.square().mean().sqrt().clamp_min(1e-12)
            image = (image - STEP * downhill / length).clamp_(problem.lower, problem.upper)


@hookimpl
def impasto_optimizers(settings: Settings) -> list[Optimizer]:
    return [Steepest()]
