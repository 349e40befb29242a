"""Impasto: Telegram bots that repaint photos in the style of a picture, made of plugins.

What plugin authors import is here. `paint` and the painting types need torch and are loaded on
first use, so that a bot process never pays for them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pluggy

from impasto.contracts import (
    Device,
    Evaluation,
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
    Say,
    StylePreset,
)

if TYPE_CHECKING:
    from impasto.painting.painter import PaintRequest, paint
    from impasto.painting.pictures import open_picture

__version__ = "0.1.0"

hookimpl = pluggy.HookimplMarker("impasto")
"""Marks a function or method of a plugin as the implementation of the hook it is named after."""

_LAZY = {
    "PaintRequest": "impasto.painting.painter",
    "open_picture": "impasto.painting.pictures",
    "paint": "impasto.painting.painter",
}

__all__ = [
    "Device",
    "Evaluation",
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
    "Say",
    "StylePreset",
    "hookimpl",
    "open_picture",
    "paint",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'impasto' has no attribute {name!r}")
