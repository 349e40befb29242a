"""Adam for images: torch's own, on preconditioned gradients, with a rate that decays.

Slower to a good picture than L-BFGS, but it keeps no history: always 24 bytes a pixel.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated

import torch
from pydantic import BaseModel, Field

from impasto import Iterate, Optimizer, Problem, hookimpl
from impasto.settings import Section, Settings


class AdamSettings(Section):
    """`[plugins.adam]`"""

    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.02
    """How much the first steps change a value (of 0 to 1); later ones change less and less."""


class Adam:
    """The `adam` optimizer."""

    name = "adam"

    def __init__(self, learning_rate: float) -> None:
        self._learning_rate = learning_rate

    def minimize(self, problem: Problem, steps: int) -> Generator[Iterate, None, None]:
        """Yields after every evaluation the image that was evaluated; the first is the start."""
        image = problem.start.clone()
        optimizer = torch.optim.Adam([image], lr=self._learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
        for number in range(1, steps + 1):
            here = problem.evaluate(image)
            yield Iterate(number, here.loss, image)
            image.grad = problem.precondition(here.gradient)
            optimizer.step()
            schedule.step()
            image.clamp_(problem.lower, problem.upper)


@hookimpl
def impasto_settings() -> type[BaseModel]:
    return AdamSettings


@hookimpl
def impasto_optimizers(settings: Settings) -> list[Optimizer]:
    return [Adam(settings.plugin("adam").learning_rate)]
