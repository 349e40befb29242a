"""A process with torch in it: the baseline's pace, paintings of a pair, and what they score.

Losses are the baseline's own, computed by its code from the finished picture: `single` at full
size, `multi` summed over full, half and quarter size.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

from impasto import PaintOptions, PaintRequest, open_picture, paint
from impasto.memory import return_free_memory, return_large_blocks
from impasto.painting.catalogue import load_catalogue
from impasto.painting.painter import PaintProgress
from impasto.settings import Settings

from .machine import MemoryWatch, by_process
from .processes import answer_from

FACTORS: Final = (1, 2, 4)
"""By how much smaller the pictures are over whose losses `multi` sums: area averages."""


def answer(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of `pace` when the request says how many evaluations, of `finished` when it names a finished
    picture, of `painted` otherwise."""
    if "finished" in request:
        return finished(request)
    return pace(request) if "evaluations" in request else painted(request)


class _Enough(Exception):
    """Ends the baseline's loop, which otherwise makes twenty evaluations at least."""


def pace(request: Mapping[str, Any]) -> dict[str, float]:
    """Median seconds of the baseline's evaluations with gradient and the optimizer's work, the
    first left out."""
    torch.set_num_threads(request["threads"])
    module = load_baseline(Path(request["baseline"]))
    weights = load_file(request["weights"])
    size = (request["side"], request["side"])
    content, style = (module.read(request[name], size) for name in ("content", "style"))
    begins: list[float] = []
    losses = module.losses

    def timed_losses(*arguments: Any) -> Any:
        begins.append(time.perf_counter())
        # The first evaluation warms up, and the end of the last is where the next one begins.
        if len(begins) > request["evaluations"] + 1:
            raise _Enough
        return losses(*arguments)

    module.losses = timed_losses
    with contextlib.suppress(_Enough):
        module.run(content, style, weights, request["evaluations"], lambda **_: None)
    seconds = [after - before for before, after in itertools.pairwise(begins[1:])]
    return {"seconds": statistics.median(seconds)}


def painted(request: Mapping[str, Any]) -> dict[str, Any]:
    """Paints a pair through `impasto.paint` as a warm worker does.

    Returns:
        `seconds` of the whole painting, `steps`, the seconds until each step, and `peak_mb` of
        memory that the kernel cannot take back. Where the request has the `baseline`, also
        `scores`: `single` and `multi` of the picture after each step and of the finished one. The
        seconds are without what keeping the pictures takes, the memory is with it.
    """
    return_large_blocks()  # as the painting process of a bot does
    catalogue = load_catalogue(Settings.model_validate(request["settings"]))
    defaults = catalogue.settings.painting
    catalogue.network(defaults.network, catalogue.device(defaults.device))
    return_free_memory()

    content, style = Path(request["content"]), Path(request["style"])
    is_scored = "baseline" in request
    pictures: list[Image.Image] = []
    steps: list[float] = []
    begin = time.perf_counter()
    asked = PaintRequest(
        content=open_picture(content),
        styles=[(open_picture(style), 1.0)],
        options=PaintOptions(**request["options"]),
    )
    with MemoryWatch(lambda: by_process(os.getpid())) as memory:
        for event in paint(asked, catalogue):
            now = time.perf_counter()
            if not isinstance(event, PaintProgress):
                painting = event
                break
            steps.append(round(now - begin, 4))
            if is_scored:
                pictures.append(event.picture())
                begin += time.perf_counter() - now
    found: dict[str, Any] = {"seconds": round(now - begin, 4), "steps": steps}
    found["peak_mb"] = round(sum(memory.peak.values()), 1)
    if "picture" in request:
        painting.picture.save(request["picture"])
    if is_scored:
        yardstick = Yardstick(Path(request["baseline"]), Path(request["weights"]), content, style)
        found["scores"] = [yardstick.score(picture) for picture in (*pictures, painting.picture)]
    return found


def finished(request: Mapping[str, Any]) -> dict[str, float]:
    """`single` and `multi` of a finished picture of a pair."""
    files = (Path(request[name]) for name in ("baseline", "weights", "content", "style"))
    with Image.open(request["finished"]) as picture:
        single, multi = Yardstick(*files).score(picture.convert("RGB"))
    return {"single": single, "multi": multi}


def load_baseline(path: Path) -> Any:
    """The baseline's file as a module."""
    spec = importlib.util.spec_from_file_location("baseline", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Yardstick:
    """Scores pictures of one pair: as the baseline's `score` does, but the targets are computed
    once and not for each picture."""

    def __init__(self, baseline: Path, weights: Path, content: Path, style: Path) -> None:
        self._module = load_baseline(baseline)
        self._weights = load_file(weights)
        with Image.open(content) as picture:
            self._size = picture.size
        size = (self._size[1], self._size[0])
        images = [self._module.read(file, size) for file in (content, style)]
        self._targets = {
            factor: self._module.targets(*(_shrunk(i, factor) for i in images), self._weights)
            for factor in FACTORS
        }

    @torch.no_grad()
    def score(self, picture: Image.Image) -> tuple[float, float]:
        """`single` and `multi` of an RGB picture, which is brought to the pair's size if it has
        another."""
        if picture.size != self._size:
            picture = picture.resize(self._size, Image.Resampling.BICUBIC)
        image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].contiguous().float()
        losses = []
        for factor in FACTORS:
            shrunk = _shrunk(image / 255, factor)
            style, content = self._module.losses(shrunk, self._targets[factor], self._weights)
            losses.append(style.item() + content.item())
        return losses[0], sum(losses)


def _shrunk(image: torch.Tensor, factor: int) -> torch.Tensor:
    return F.interpolate(image, scale_factor=1 / factor, mode="area") if factor > 1 else image


if __name__ == "__main__":
    answer_from(answer)
