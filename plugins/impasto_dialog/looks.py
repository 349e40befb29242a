"""What a person can choose about a painting, in a person's words, and what each choice means."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from statistics import geometric_mean
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from impasto import PaintOptions, StylePreset
from impasto.contracts import BRUSH_BOUNDS, MOST_STYLE_WEIGHT, PIXEL_BOUNDS
from impasto.settings import PaintingSettings


class Strength(StrEnum):
    """How much the style says against the photo. The first is reached from a finished picture only,
    by "weaker"."""

    FAINT = "faint"
    SUBTLE = "subtle"
    BALANCED = "balanced"
    STRONG = "strong"


class Brush(StrEnum):
    """How large the marks of the style come out."""

    FINE = "fine"
    MEDIUM = "medium"
    BROAD = "broad"


class Colors(StrEnum):
    """Whose colors the painting has: the style's or the photo's."""

    STYLE = "style"
    OWN = "own"


class Quality(StrEnum):
    """Size and care."""

    QUICK = "quick"
    STANDARD = "standard"
    FINE = "fine_picture"
    """A button carries the value alone, and `fine` is a brush."""
    LARGE = "large"


STYLE_WEIGHTS: Final = {
    Strength.FAINT: 0.0002,
    Strength.SUBTLE: 0.002,
    Strength.BALANCED: 0.02,
    Strength.STRONG: 0.2,
}
"""Multiply the style weight. What one sees goes with its logarithm, hence equal ratios.

The weight of the settings is where a painting is all style already: of the presets `wave`, `night`
and `mosaic`, a tenth of it looked the same, and each tenth below that did not.
"""

BRUSH_SIZES: Final = {Brush.FINE: 0.5, Brush.MEDIUM: 1.0, Brush.BROAD: 2.0}
"""Multiply the brush size."""

QUICK_STEPS: Final = 0.5
QUICK_PIXELS: Final = 0.5
"""Shares of the usual steps and pixels that a quick look gets."""

Choice = Strength | Brush | Colors | Quality


class Look(BaseModel):
    """One person's choices; the defaults are what most pictures look best with."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    strength: Strength = Strength.BALANCED
    brush: Brush = Brush.MEDIUM
    colors: Colors = Colors.STYLE
    quality: Quality = Quality.STANDARD

    @classmethod
    def of(cls, wishes: object) -> Look:
        """What was kept with a job or a person; defaults, if that cannot be read any more."""
        try:
            return cls.model_validate(wishes)
        except ValidationError:
            return cls()

    def with_choice(self, choice: Choice) -> Look:
        field = next(n for n, f in Look.model_fields.items() if f.annotation is type(choice))
        return self.model_copy(update={field: choice})

    def within(self, *, offers_fine: bool) -> Look:
        """The look where there may be no fine pictures: the usual ones take their place."""
        if self.quality is Quality.FINE and not offers_fine:
            return self.with_choice(Quality.STANDARD)
        return self

    def shifted(self, steps: int) -> Look | None:
        """Stronger by so many steps, weaker if negative; None when there is no such strength."""
        ladder = list(Strength)
        place = ladder.index(self.strength) + steps
        if not 0 <= place < len(ladder):
            return None
        return self.with_choice(ladder[place])

    @property
    def unusual(self) -> list[Choice]:
        """Choices that are not the default ones."""
        return [
            getattr(self, name)
            for name, field in Look.model_fields.items()
            if getattr(self, name) != field.default
        ]


def paint_options(
    look: Look,
    presets: Sequence[StylePreset],
    painting: PaintingSettings,
    pixel_cap: int,
) -> PaintOptions:
    """What a look means for pictures of these styles (none for pictures of a person's own).

    Where several styles are mixed, their own strengths and brush sizes count equally.
    """
    strength = _together([preset.strength for preset in presets])
    brush = painting.brush_size * _together([preset.brush_size for preset in presets])
    brush *= BRUSH_SIZES[look.brush]
    style_weight = painting.style_weight * strength * STYLE_WEIGHTS[look.strength]
    options = PaintOptions(
        style_weight=min(style_weight, MOST_STYLE_WEIGHT),
        brush_size=_within(brush, BRUSH_BOUNDS),
        keep_colors=look.colors is Colors.OWN,
    )
    match look.quality:
        case Quality.QUICK:
            steps = max(1, round(painting.steps * QUICK_STEPS))
            pixels = pixel_cap * QUICK_PIXELS
            options = options.model_copy(update={"fine": False})
        case Quality.STANDARD:  # as the settings say when it is painted
            return options
        case Quality.FINE:
            return options.model_copy(update={"fine": True})
        case Quality.LARGE:
            steps = painting.steps
            pixels = pixel_cap * painting.large_factor
    sizes = {"steps": steps, "max_pixels": round(_within(pixels, PIXEL_BOUNDS))}
    return options.model_copy(update=sizes)


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])


def _together(factors: Sequence[float]) -> float:
    """The mean of what multiplies; 1 of none."""
    return geometric_mean(factors) if factors else 1.0
