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
        Device,
        Evaluation,
        Finding,
        Iterate,
        Losses,
        NetworkSource,
        Optimizer,
        PaintOptions,
        PictureContext,
        Postprocessor,
        Preprocessor,
        Presenter,
        Problem,
        Role,
        Say,
        StylePreset,
    )
    from impasto.painting.painter import PaintRequest, paint
    from impasto.painting.pictures import open_picture
    from impasto.painting.thumbnails import ThumbnailStyle, thumbnails
    from impasto.settings import Settings

    __version__: str

hookimpl = pluggy.HookimplMarker("impasto")
"""Marks a function or method of a plugin as the implementation of the hook it is named after."""

__all__ = [
    "Device",
    "Evaluation",
    "Finding",
    "Iterate",
    "Losses",
    "NetworkSource",
    "Optimizer",
    "PaintOptions",
    "PaintRequest",
    "PictureContext",
    "Postprocessor",
    "Preprocessor",
    "Presenter",
    "Problem",
    "Role",
    "Say",
    "Settings",
    "StylePreset",
    "ThumbnailStyle",
    "hookimpl",
    "open_picture",
    "paint",
    "thumbnails",
]

_ELSEWHERE = {
    "PaintRequest": "impasto.painting.painter",
    "Settings": "impasto.settings",
    "ThumbnailStyle": "impasto.painting.thumbnails",
    "open_picture": "impasto.painting.pictures",
    "paint": "impasto.painting.painter",
    "thumbnails": "impasto.painting.thumbnails",
}


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
