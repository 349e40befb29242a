"""A short measurement of how fast painting is here, for estimates before anything was painted."""

from __future__ import annotations

import math
import time
from typing import Final

import structlog
from PIL import Image

from impasto.contracts import PaintOptions
from impasto.errors import described
from impasto.messages import Measured
from impasto.painting.catalogue import Catalogue
from impasto.painting.painter import Painting, PaintRequest, paint

log = structlog.get_logger(__name__)

SIDE: Final = 256
SIDE_ON_GPU: Final = 1024
"""Pixels: a GPU is not busy with less."""
STEPS: Final = 6
MOST_SECONDS: Final = 2.0
"""A machine that takes longer is measured by as much as it has painted by then."""


def measured_pace(catalogue: Catalogue) -> Measured:
    """How long a picture of noise takes.

    On 2 cores it takes 0.8 s, and the pace, by the work of `impasto.jobs.estimates`, is within a
    third of that of a picture at the default cap.
    """
    painting = catalogue.settings.painting
    device = catalogue.device(painting.device)
    most = SIDE if device.name == "cpu" else SIDE_ON_GPU
    side = min(most, math.isqrt(device.max_pixels()))
    steps = min(STEPS, painting.steps)
    noise = Image.effect_noise((side, side), 80).convert("RGB")
    options = PaintOptions(steps=steps, max_pixels=side**2, fine=False)
    request = PaintRequest(content=noise, styles=[(noise, 1.0)], options=options)
    seconds: float | None = None
    try:
        if device.name != "cpu":
            _seconds_for(request, catalogue)  # what a GPU does only once would be most of the time
        seconds = _seconds_for(request, catalogue)
    except Exception as error:  # whoever has a picture painted will be told
        log.warning("pace_not_measured", problem=described(error))
    return Measured(pixels=side**2, steps=steps, seconds=seconds)


def _seconds_for(request: PaintRequest, catalogue: Catalogue) -> float | None:
    began, whole = time.monotonic(), None
    for event in paint(request, catalogue):
        if isinstance(event, Painting):
            break
        seconds = time.monotonic() - began
        whole = seconds / event.share
        if seconds > MOST_SECONDS:
            break
    return whole
