"""A process that runs the baseline for some evaluations and says what one takes."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from .processes import answer_from
from .yardstick import load_baseline


class _Enough(Exception):
    """Ends the baseline's loop, which otherwise makes twenty evaluations at least."""


def measure(request: Mapping[str, Any]) -> Mapping[str, float]:
    """Median seconds of an evaluation with its gradient and the optimizer's work, the first left
    out."""
    torch.set_num_threads(request["threads"])
    module: Any = load_baseline(Path(request["baseline"]))
    weights = load_file(request["weights"])
    content, style = (module.read(request[name], request["size"]) for name in ("content", "style"))
    begins: list[float] = []
    losses = module.losses

    def timed_losses(*arguments: Any) -> Any:
        begins.append(time.perf_counter())
        # The first evaluation warms up, and the last one's end is the next one's begin.
        if len(begins) > request["evaluations"] + 1:
            raise _Enough
        return losses(*arguments)

    module.losses = timed_losses
    with contextlib.suppress(_Enough):
        module.run(content, style, weights, request["evaluations"], lambda **_: None)
    seconds = [after - before for before, after in itertools.pairwise(begins[1:])]
    return {"seconds": statistics.median(seconds)}


if __name__ == "__main__":
    answer_from(measure)
