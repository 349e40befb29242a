"""Impasto: Telegram bots that repaint photos in the style of a picture, made of plugins.

What plugin authors import is here. All of it is loaded on first use: a bot process never pays for
torch, and pytest, which imports this package to offer its test kit, pays for nothing.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from impasto.contracts import (
        Buckets,
        ChatCommand,
        Device,
        Evaluation,
        Finding,
        Iterate,
        JobQueue,
        Journal,
        LimitReached,
        Limits,
        Losses,
        NetworkSource,
        News,
        Optimizer,
        PaintOptions,
        PictureContext,
        Postprocessor,
        Preprocessor,
        Presenter,
        Problem,
        Rate,
        Role,
        Say,
        Storage,
        StylePreset,
    )
    from impasto.data_folders import weights_folder
    from impasto.errors import (
        ChatError,
        ImpastoError,
        InvalidTransition,
        NotAvailable,
        OwnerError,
        PaintingFailed,
        PictureError,
        PluginError,
        SettingsError,
        TooManyJobs,
        WeightsError,
    )
    from impasto.jobs.buckets import MemoryBuckets
    from impasto.jobs.estimates import Estimates
    from impasto.jobs.job import ChosenStyle, Effort, Failure, Job, JobState, TelegramPicture
    from impasto.jobs.order import WaitingJob, in_order
    from impasto.jobs.service import JobService
    from impasto.messages import Progress
    from impasto.painting.network import Convolution, Network, Readout, load_network
    from impasto.painting.painter import Painting, PaintRequest, paint
    from impasto.painting.pictures import open_picture
    from impasto.painting.thumbnails import ThumbnailStyle, thumbnails
    from impasto.settings import Section, Settings
    from impasto.telegram.dialogue import language_of, last_photo
    from impasto.telegram.isolation import LocalIsolation

    __version__: str

hookimpl = pluggy.HookimplMarker("impasto")
"""Marks a function or method of a plugin as the implementation of the hook it is named after."""

__all__ = [
    "Buckets",
    "ChatCommand",
    "ChatError",
    "ChosenStyle",
    "Convolution",
    "Device",
    "Effort",
    "Estimates",
    "Evaluation",
    "Failure",
    "Finding",
    "ImpastoError",
    "InvalidTransition",
    "Iterate",
    "Job",
    "JobQueue",
    "JobService",
    "JobState",
    "Journal",
    "LimitReached",
    "Limits",
    "LocalIsolation",
    "Losses",
    "MemoryBuckets",
    "Network",
    "NetworkSource",
    "News",
    "NotAvailable",
    "Optimizer",
    "OwnerError",
    "PaintOptions",
    "PaintRequest",
    "Painting",
    "PaintingFailed",
    "PictureContext",
    "PictureError",
    "PluginError",
    "Postprocessor",
    "Preprocessor",
    "Presenter",
    "Problem",
    "Progress",
    "Rate",
    "Readout",
    "Role",
    "Say",
    "Section",
    "Settings",
    "SettingsError",
    "Storage",
    "StylePreset",
    "TelegramPicture",
    "ThumbnailStyle",
    "TooManyJobs",
    "WaitingJob",
    "WeightsError",
    "hookimpl",
    "in_order",
    "language_of",
    "last_photo",
    "load_network",
    "open_picture",
    "paint",
    "thumbnails",
    "weights_folder",
]

_MODULES = {
    "impasto.data_folders": "weights_folder",
    "impasto.errors": (
        "ChatError ImpastoError InvalidTransition NotAvailable OwnerError PaintingFailed "
        "PictureError PluginError SettingsError TooManyJobs WeightsError"
    ),
    "impasto.jobs.buckets": "MemoryBuckets",
    "impasto.jobs.estimates": "Estimates",
    "impasto.jobs.job": "ChosenStyle Effort Failure Job JobState TelegramPicture",
    "impasto.jobs.order": "WaitingJob in_order",
    "impasto.jobs.service": "JobService",
    "impasto.messages": "Progress",
    "impasto.painting.network": "Convolution Network Readout load_network",
    "impasto.painting.painter": "PaintRequest Painting paint",
    "impasto.painting.pictures": "open_picture",
    "impasto.painting.thumbnails": "ThumbnailStyle thumbnails",
    "impasto.settings": "Section Settings",
    "impasto.telegram.dialogue": "language_of last_photo",
    "impasto.telegram.isolation": "LocalIsolation",
}
"""Where names are that are not in `impasto.contracts`."""
_ELSEWHERE = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value = _version()
    elif name in __all__:
        value = getattr(importlib.import_module(_ELSEWHERE.get(name, "impasto.contracts")), name)
    else:
        raise AttributeError(f"module 'impasto' has no attribute {name!r}")
    globals()[name] = value
    return value


def _version() -> str:
    """As the installed distribution has it; a checkout on PYTHONPATH has none."""
    try:
        return importlib.metadata.version("impasto")
    except importlib.metadata.PackageNotFoundError:
        return "0+unknown"
