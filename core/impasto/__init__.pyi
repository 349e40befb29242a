"""What plugin authors import, and from where; `__init__.py` and type checkers read this list."""

# isort: skip_file

import pluggy

from impasto.contracts import (
    Buckets as Buckets,
    ChatCommand as ChatCommand,
    Device as Device,
    Evaluation as Evaluation,
    Finding as Finding,
    Iterate as Iterate,
    JobQueue as JobQueue,
    Journal as Journal,
    LimitReached as LimitReached,
    Limits as Limits,
    Losses as Losses,
    NetworkSource as NetworkSource,
    News as News,
    Optimizer as Optimizer,
    PaintOptions as PaintOptions,
    PictureContext as PictureContext,
    Postprocessor as Postprocessor,
    Preprocessor as Preprocessor,
    Presenter as Presenter,
    Problem as Problem,
    Rate as Rate,
    Role as Role,
    Say as Say,
    Storage as Storage,
    StylePreset as StylePreset,
)
from impasto.data_folders import weights_folder as weights_folder
from impasto.errors import (
    ChatError as ChatError,
    ImpastoError as ImpastoError,
    InvalidTransition as InvalidTransition,
    NotAvailable as NotAvailable,
    OwnerError as OwnerError,
    PaintingFailed as PaintingFailed,
    PictureError as PictureError,
    PluginError as PluginError,
    SettingsError as SettingsError,
    TooManyJobs as TooManyJobs,
    WeightsError as WeightsError,
)
from impasto.telegram.pacing import MemoryBuckets as MemoryBuckets
from impasto.jobs.estimates import Estimates as Estimates
from impasto.jobs.job import (
    ChosenStyle as ChosenStyle,
    Effort as Effort,
    Job as Job,
    JobState as JobState,
    TelegramPicture as TelegramPicture,
)
from impasto.jobs.order import (
    WaitingJob as WaitingJob,
    in_order as in_order,
)
from impasto.jobs.service import JobService as JobService
from impasto.messages import (
    Failure as Failure,
    Progress as Progress,
)
from impasto.painting.network import (
    Convolution as Convolution,
    Network as Network,
    Readout as Readout,
    load_network as load_network,
)
from impasto.painting.painter import (
    Painting as Painting,
    PaintRequest as PaintRequest,
    paint as paint,
)
from impasto.painting.pictures import open_picture as open_picture
from impasto.painting.thumbnails import (
    ThumbnailStyle as ThumbnailStyle,
    thumbnails as thumbnails,
)
from impasto.settings import (
    Section as Section,
    Settings as Settings,
)
from impasto.telegram.dialogue import (
    LocalIsolation as LocalIsolation,
    language_of as language_of,
    last_photo as last_photo,
)

__version__: str
hookimpl: pluggy.HookimplMarker
