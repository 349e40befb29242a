"""The yardstick: the losses by which all pictures are judged, computed by the baseline's own code.

Runs where torch may be loaded, which is not the process that measures.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

FACTORS = (1, 2, 4)
"""`multi` sums the losses over the picture and its area averages, smaller by these."""


class Scores(NamedTuple):
    single: float
    multi: float


def load_baseline(path: Path) -> ModuleType:
    """The baseline's file as a module, from where it lies."""
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
            self.size = (picture.height, picture.width)
        images = [self._module.read(file, self.size) for file in (content, style)]
        self._targets = {
            factor: self._module.targets(*(_shrunk(i, factor) for i in images), self._weights)
            for factor in FACTORS
        }

    @torch.no_grad()
    def score(self, picture: Image.Image) -> Scores:
        """Losses of an RGB picture, which is brought to the pair's size if it has another."""
        size = (self.size[1], self.size[0])
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.BICUBIC)
        image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].contiguous().float()
        losses = []
        for factor in FACTORS:
            shrunk = _shrunk(image / 255, factor)
            style, content = self._module.losses(shrunk, self._targets[factor], self._weights)
            losses.append(style.item() + content.item())
        return Scores(losses[0], sum(losses))


def _shrunk(image: torch.Tensor, factor: int) -> torch.Tensor:
    return F.interpolate(image, scale_factor=1 / factor, mode="area") if factor > 1 else image
