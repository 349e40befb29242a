"""A plugin whose optimizer is never through while a test looks on, however fast the machine is.

The painter ends a level when its steps no longer pay, so many steps alone make no long painting.
"""

from __future__ import annotations

import time
from collections.abc import Generator

from impasto import Iterate, Optimizer, Problem, Settings, hookimpl

STEPS = 5000
SECONDS_A_STEP = 0.05

SETTINGS = {
    "PLUGINS__FILES": f'["{__file__}"]',
    "PAINTING__OPTIMIZER": "endless",
    "PAINTING__STEPS": str(STEPS),
}
"""For whoever starts a process; variables without `IMPASTO_`."""


class Endless:
    """Shifts the picture a little at each step, and says that this was worth it."""

    name = "endless"

    def minimize(self, problem: Problem, steps: int) -> Generator[Iterate, None, None]:
        for step in range(1, steps + 1):
            time.sleep(SECONDS_A_STEP)
            yield Iterate(step, -float(step), problem.start.roll(step, -1))


@hookimpl
def impasto_optimizers(settings: Settings) -> list[Optimizer]:
    return [Endless()]
