"""The objects that hooks return and are handed: what a plugin promises and what it is given.

Everything here is a Protocol or a plain value, free of torch and aiogram at run time, so that both
processes and every editor can import it. Names of objects are what settings pick by; they are
lower case, and unique among the objects of one hook.
"""

# isort: skip_file

from impasto.contracts.bot import (
    MAX_DOWNLOAD as MAX_DOWNLOAD,
    ChatCommand as ChatCommand,
    Finding as Finding,
    NoticePresenter as NoticePresenter,
    Presenter as Presenter,
    Say as Say,
    StylePreset as StylePreset,
    Verdict as Verdict,
)
from impasto.contracts.options import (
    BRUSH_BOUNDS as BRUSH_BOUNDS,
    MOST_STYLE_WEIGHT as MOST_STYLE_WEIGHT,
    PIXEL_BOUNDS as PIXEL_BOUNDS,
    BrushSize as BrushSize,
    PaintOptions as PaintOptions,
    PixelCap as PixelCap,
    Steps as Steps,
    StyleWeight as StyleWeight,
)
from impasto.contracts.painting import (
    Device as Device,
    Evaluation as Evaluation,
    Iterate as Iterate,
    Losses as Losses,
    NetworkSource as NetworkSource,
    Optimizer as Optimizer,
    PictureContext as PictureContext,
    Postprocessor as Postprocessor,
    Preprocessor as Preprocessor,
    Problem as Problem,
    Role as Role,
)
from impasto.contracts.storage import (
    CLOCKS_DIFFER_SECONDS as CLOCKS_DIFFER_SECONDS,
    HOUR as HOUR,
    NO_LIMITS as NO_LIMITS,
    UPDATES_KEPT_SECONDS as UPDATES_KEPT_SECONDS,
    Buckets as Buckets,
    Errand as Errand,
    Errands as Errands,
    JobQueue as JobQueue,
    Journal as Journal,
    Limit as Limit,
    LimitReached as LimitReached,
    Limits as Limits,
    News as News,
    Rate as Rate,
    Storage as Storage,
)
