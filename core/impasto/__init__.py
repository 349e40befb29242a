"""Impasto: Telegram bots that repaint photos in the style of a picture, made of plugins.

What plugin authors import is listed in `__init__.pyi`, where type checkers look, too. All of it is
loaded on first use: a bot process never pays for torch, and pytest, which imports this package to
offer its test kit, pays for nothing.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

import pluggy

from impasto.lazy import lazy_names

hookimpl = pluggy.HookimplMarker("impasto")
"""Marks a function or method of a plugin as the implementation of the hook it is named after."""

__all__, _load = lazy_names(__name__)
__all__ += ["hookimpl"]


def __getattr__(name: str) -> Any:
    return _version() if name == "__version__" else _load(name)


def _version() -> str:
    """As the installed distribution has it; a checkout on PYTHONPATH has none."""
    try:
        return importlib.metadata.version("impasto")
    except importlib.metadata.PackageNotFoundError:
        return "0+unknown"
