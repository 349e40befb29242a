"""How to paint one picture: what a person, a dialog or a program may ask for, and what presets
recommend where nobody asks for anything else."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import geometric_mean
from typing import TYPE_CHECKING, Annotated, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from impasto.settings import PaintingSettings

PIXEL_BOUNDS: Final = (1024, 50_000_000)
MOST_STYLE_WEIGHT: Final = 1e12
BRUSH_BOUNDS: Final = (0.25, 4.0)

Steps = Annotated[int, Field(ge=1, le=5000)]
PixelCap = Annotated[int, Field(ge=PIXEL_BOUNDS[0], le=PIXEL_BOUNDS[1])]
Side = Annotated[int, Field(ge=32, le=20_000)]
StyleWeight = Annotated[float, Field(gt=0, le=MOST_STYLE_WEIGHT)]
Enlargement = Annotated[float, Field(ge=1, le=10)]
ColorCoherence = Annotated[float, Field(ge=0, le=100)]
Simplify = Annotated[float, Field(ge=0, le=4)]
BrushSize = Annotated[float, Field(ge=BRUSH_BOUNDS[0], le=BRUSH_BOUNDS[1])]


class PaintOptions(BaseModel):
    """How to paint one picture. What is None is taken from the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    network: str | None = None
    """Name of a feature network, or the path of a safetensors file, which then paints everything;
    `auto` is the embedded one, and another may finish what it painted: see `fine`."""
    fine: bool | None = None
    """Whether the picture is finished on `painting.fine_network`. Without effect where a network is
    named, here or in the settings: that one paints everything."""
    optimizer: str | None = None
    """Name of an optimizer."""
    device: str | None = None
    """Name of a device, or `auto`: the first that works here."""
    steps: Steps | None = None
    """Most optimizer steps over all pyramid levels, without those that finish a fine picture; one
    step is one evaluation of the objective."""
    max_pixels: PixelCap | None = None
    """Pixel cap of the result."""
    max_side: Side | None = None
    """Most pixels of the result's longer side; taken from the settings only where `max_pixels` is
    too."""
    enlarge: Enlargement | None = None
    """A smaller photo is painted up to this number of times as long and high as it is; 1 where
    `max_pixels` is given and this is not."""
    patient: bool = False
    """Paint in the usual size, however long it takes: without effect of
    `painting.patience_seconds`."""
    style_weight: StyleWeight | None = None
    """How much the style counts against the content."""
    brush_size: BrushSize | None = None
    """How large the style's strokes come out: 1 as if style picture and photo had the same area."""
    color_coherence: ColorCoherence | None = None
    """How firmly each part keeps the color that it has in the photo, in the style's palette."""
    simplify: Simplify | None = None
    """How large the patches of color are that the photo's slight detail, such as grain and strands
    of hair, gives way to: 0 keeps all detail, 1 makes them about as large as a stroke."""
    keep_colors: bool = False
    """Keep the photo's own hues; only the strokes come from the style."""
    seed: int = 0
    """Of whatever is random: the same seed paints the same picture."""


class Recommendation(Protocol):
    """A preset, or another style that has these."""

    @property
    def strength(self) -> float:
        """As `StylePreset.strength`."""

    @property
    def brush_size(self) -> float:
        """As `StylePreset.brush_size`."""


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
