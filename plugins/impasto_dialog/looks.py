"""What a person can choose about a painting, and what each choice means for the painter.

Values are carried by buttons and kept with jobs and people, so they stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from impasto import PaintOptions, StylePreset
from impasto.contracts import PIXEL_BOUNDS
from impasto.contracts.options import recommended
from impasto.settings import PaintingSettings


class Strength(StrEnum):
    """How much of the style, from least to most. The first is reached from a finished picture only,
    by "weaker"."""

    FAINT = "faint"
    SUBTLE = "subtle"
    BALANCED = "balanced"
    STRONG = "strong"


class Brush(StrEnum):
    """How large the marks of the style come out."""

    THIN = "fine"
    MEDIUM = "medium"
    BROAD = "broad"


class Colors(StrEnum):
    """Which picture's colors the painting has: the style's, or those of the person's own photo."""

    STYLE = "style"
    OWN = "own"


class Quality(StrEnum):
    """The picture's size, and how much work is put into it."""

    QUICK = "quick"
    STANDARD = "standard"
    FULL = "full"
    """Standard, however long it takes: reached only from a finished picture, by "larger", where the
    bot has kept it small to have it ready soon."""
    FINE = "fine_picture"
    """Finished on another network: see `PaintOptions.fine`."""
    LARGE = "large"


class Variation(StrEnum):
    """How a finished job can be painted again."""

    SAME = "same"
    STRONGER = "stronger"
    WEAKER = "weaker"
    LARGER = "larger"
    """As large as usual, where it was kept small to be ready sooner."""
    LARGE = "large"
    """Larger than usual; a quick look as large as usual."""
    OWN_COLORS = "own"
    STYLE_COLORS = "style"


STYLE_WEIGHTS: Final = {
    Strength.FAINT: 0.01,
    Strength.SUBTLE: 0.1,
    Strength.BALANCED: 1.0,
    Strength.STRONG: 10.0,
}
"""Factors of the style weight. What one sees goes with its logarithm, hence equal ratios."""

STRONG_COHERENCE: Final = 0.35
"""Factor of the color coherence of strong pictures: above the usual style weight a higher one alone
is not seen, freer strokes are."""

BRUSH_SIZES: Final = {Brush.THIN: 0.5, Brush.MEDIUM: 1.0, Brush.BROAD: 2.0}
"""Factors of the brush size."""

QUICK_STEPS: Final = 0.5
QUICK_PIXELS: Final = 0.2
"""Shares of the usual steps and pixels for a quick look."""

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
        """The look that was kept with a job; the defaults, if it can no longer be read."""
        try:
            return cls.model_validate(wishes)
        except ValidationError:
            return cls()

    @classmethod
    def kind_of(cls, choice: Choice) -> str:
        """The name of its field."""
        return next(n for n, f in cls.model_fields.items() if f.annotation is type(choice))

    def with_choice(self, choice: Choice) -> Look:
        return self.model_copy(update={self.kind_of(choice): choice})

    def within(self, *, offers_fine: bool) -> Look:
        """The look where fine pictures may not be offered: standard ones take their place."""
        if self.quality is Quality.FINE and not offers_fine:
            return self.with_choice(Quality.STANDARD)
        return self

    def varied(self, how: Variation) -> Look | None:
        """The look of a job painted again; None when there is no stronger or weaker one."""
        match how:
            case Variation.OWN_COLORS:
                return self.with_choice(Colors.OWN)
            case Variation.STYLE_COLORS:
                return self.with_choice(Colors.STYLE)
            case Variation.LARGER:
                return self.with_choice(Quality.FULL)
            case Variation.LARGE:
                is_quick = self.quality is Quality.QUICK
                return self.with_choice(Quality.STANDARD if is_quick else Quality.LARGE)
            case Variation.SAME:
                return self
        strengths = list(Strength)
        place = strengths.index(self.strength) + (1 if how is Variation.STRONGER else -1)
        return self.with_choice(strengths[place]) if 0 <= place < len(strengths) else None

    @property
    def unusual(self) -> list[Choice]:
        """The choices that differ from the defaults."""
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
    photo_pixels: int | None = None,
) -> PaintOptions:
    """What a look means for a picture in these styles: `presets` are those among them that have a
    strength and a brush size of their own. A photo whose pixels, where they are known, are no more
    than the cap comes out large at the usual size, which may have more pixels than the photo.
    """
    options = recommended(
        presets,
        painting,
        strength=STYLE_WEIGHTS[look.strength],
        brush_size=BRUSH_SIZES[look.brush],
    )
    is_strong = look.strength is Strength.STRONG
    coherence = painting.color_coherence * STRONG_COHERENCE if is_strong else None
    is_own = look.colors is Colors.OWN
    options = options.model_copy(update={"color_coherence": coherence, "keep_colors": is_own})
    quality = look.quality
    if quality is Quality.LARGE and photo_pixels is not None and photo_pixels <= pixel_cap:
        quality = Quality.FULL
    match quality:
        case Quality.QUICK:
            steps = max(1, round(painting.steps * QUICK_STEPS))
            pixels = pixel_cap * QUICK_PIXELS
            options = options.model_copy(update={"fine": False})
        case Quality.STANDARD:  # sizes are taken from the settings when the picture is painted
            return options
        case Quality.FULL:
            return options.model_copy(update={"patient": True})
        case Quality.FINE:
            return options.model_copy(update={"fine": True})
        case Quality.LARGE:
            steps = painting.steps
            pixels = pixel_cap * painting.large_factor
    least, most = PIXEL_BOUNDS
    sizes = {"steps": steps, "max_pixels": round(min(max(pixels, least), most))}
    return options.model_copy(update=sizes)
