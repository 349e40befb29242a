"""A process that paints a pair once through `impasto.paint`, as a warm worker does.

Without a yardstick it takes the time of every step and does nothing else. With one it keeps the
picture of every step and scores them afterwards: the losses by step that go with the other runs'
seconds by step.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from impasto.memory import return_free_memory, return_large_blocks
from impasto.settings import Settings

from .machine import peak_mb
from .processes import answer_from

if TYPE_CHECKING:
    from impasto.painting.catalogue import Catalogue

    from .yardstick import Scores, Yardstick

STRIDE = 5
"""Scored is the first of every so many steps, and all before one that has reached a goal."""


def measure(request: Mapping[str, Any]) -> Mapping[str, Any]:
    # As the painting process of a bot does, before torch is imported.
    return_large_blocks()
    from impasto import PaintOptions, PaintRequest, open_picture, paint
    from impasto.painting.painter import PaintProgress

    from .yardstick import Yardstick

    catalogue = _warm_toolbox(request["settings"])
    content, style = Path(request["content"]), Path(request["style"])
    options = PaintOptions(**request["options"])
    yardstick = request.get("yardstick")
    snapshots: list[Image.Image] = []
    steps: list[tuple[int, int, float, float]] = []
    begin = time.perf_counter()
    asked = PaintRequest(
        content=open_picture(content), styles=[(open_picture(style), 1.0)], options=options
    )
    for event in paint(asked, catalogue):
        seconds = time.perf_counter() - begin
        if isinstance(event, PaintProgress):
            steps.append((event.level, event.step, round(seconds, 4), event.loss))
            if yardstick:
                snapshots.append(event.picture())
        else:
            painting = event
    answer: dict[str, Any] = {
        "steps": steps,
        "seconds": round(seconds, 4),
        "peak_mb": round(peak_mb(), 1),
    }
    if yardstick:
        painting.picture.save(request["picture"])
        judge = Yardstick(Path(yardstick["baseline"]), Path(yardstick["weights"]), content, style)
        answer["scores"] = scored([*snapshots, painting.picture], judge, yardstick["goals"])
    return answer


def _warm_toolbox(settings: Mapping[str, Any]) -> Catalogue:
    """As the worker's child has it before it says that it is ready."""
    from impasto.painting.catalogue import load_catalogue

    catalogue = load_catalogue(Settings.model_validate(settings))
    defaults = catalogue.settings.painting
    catalogue.network(defaults.network, catalogue.device(defaults.device))
    return_free_memory()
    return catalogue


def scored(
    pictures: Sequence[Image.Image], yardstick: Yardstick, goals: Mapping[str, Sequence[float]]
) -> list[tuple[int, float, float]]:
    """Index, single and multi of some of the pictures: of each fifth, of the last, and of those
    among which one is the first to reach a goal (a loss by the name of the score)."""
    found: dict[int, Scores] = {}

    def score(index: int) -> Scores:
        if index not in found:
            found[index] = yardstick.score(pictures[index])
        return found[index]

    last = len(pictures) - 1
    for index in (*range(0, last, STRIDE), last):
        score(index)
    for name, losses in goals.items():
        for loss in losses:
            reached = [i for i in sorted(found) if getattr(found[i], name) <= loss]
            if reached:
                for index in range(max(0, reached[0] - STRIDE), reached[0]):
                    score(index)
    return [(index, *found[index]) for index in sorted(found)]


if __name__ == "__main__":
    answer_from(measure)
