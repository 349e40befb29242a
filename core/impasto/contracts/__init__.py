"""The objects that hooks return and are handed: what a plugin promises and what it is given.

Everything here is a Protocol or a plain value, free of torch and aiogram at run time, so that both
processes and every editor can import it. Names of objects are what settings pick by; they are
lower case, and unique among the objects of one hook.
"""

from impasto.contracts.bot import (
    MAX_DOWNLOAD,
    Finding,
    NoticePresenter,
    Presenter,
    Say,
    StylePreset,
    Verdict,
)
from impasto.contracts.options import (
    BRUSH_BOUNDS,
    MOST_STYLE_WEIGHT,
    PIXEL_BOUNDS,
    BrushSize,
    PaintOptions,
    PixelCap,
    Steps,
    StyleWeight,
)
from impasto.contracts.painting import (
    Device,
    Evaluation,
    Iterate,
    Losses,
    NetworkSource,
    Optimizer,
    PictureContext,
    Postprocessor,
    Preprocessor,
    Problem,
    Role,
)
from impasto.contracts.storage import (
    HOUR,
    NO_LIMITS,
    UPDATES_KEPT_SECONDS,
    Buckets,
    JobQueue,
    Journal,
    Limit,
    LimitReached,
    Limits,
    News,
    Rate,
    Storage,
)

__all__ = [
    "BRUSH_BOUNDS",
    "HOUR",
    "MAX_DOWNLOAD",
    "MOST_STYLE_WEIGHT",
    "NO_LIMITS",
    "PIXEL_BOUNDS",
    "UPDATES_KEPT_SECONDS",
    "BrushSize",
    "Buckets",
    "Device",
    "Evaluation",
    "Finding",
    "Iterate",
    "JobQueue",
    "Journal",
    "Limit",
    "LimitReached",
    "Limits",
    "Losses",
    "NetworkSource",
    "News",
    "NoticePresenter",
    "Optimizer",
    "PaintOptions",
    "PictureContext",
    "PixelCap",
    "Postprocessor",
    "Preprocessor",
    "Presenter",
    "Problem",
    "Rate",
    "Role",
    "Say",
    "Steps",
    "Storage",
    "StylePreset",
    "StyleWeight",
    "Verdict",
]
