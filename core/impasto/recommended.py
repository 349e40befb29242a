"""How a picture is painted in presets where nobody asks for anything else: the bot accepts jobs by
it, makes presets ready by it, and the command line paints by it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import geometric_mean
from typing import Protocol

from impasto.contracts import BRUSH_BOUNDS, MOST_STYLE_WEIGHT, PaintOptions
from impasto.settings import PaintingSettings


class Recommendation(Protocol):
    """A preset, or another style that has these."""

    @property
    def strength(self) -> float:
        """As `StylePreset.strength`."""
        ...

    @property
    def brush_size(self) -> float:
        """As `StylePreset.brush_size`."""
        ...


def recommended(
    styles: Sequence[Recommendation],
    painting: PaintingSettings,
    *,
    strength: float = 1.0,
    brush_size: float = 1.0,
) -> PaintOptions:
    """The style weight and the brush size for these styles, times `strength` and `brush_size`.

    Where several styles are mixed, their recommendations count equally; where there are none, those
    of the settings hold.
    """
    if styles:
        strength *= geometric_mean(style.strength for style in styles)
        brush_size *= geometric_mean(style.brush_size for style in styles)
    least, most = BRUSH_BOUNDS
    return PaintOptions(
        style_weight=min(painting.style_weight * strength, MOST_STYLE_WEIGHT),
        brush_size=min(max(painting.brush_size * brush_size, least), most),
    )
