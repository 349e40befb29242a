"""Impasto: Telegram bots that repaint photos in the style of a picture, made of plugins.

What plugin authors import is listed in `__init__.pyi`, where type checkers look, too. All of it is
loaded on first use: a bot process never pays for torch, and pytest, which imports this package to
offer its test kit, pays for nothing.
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
from pathlib import Path
from typing import Any

import pluggy

hookimpl = pluggy.HookimplMarker("impasto")
"""Marks a function or method of a plugin as the implementation of the hook it is named after."""

_HOMES = {
    alias.name: str(node.module)
    for node in ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}
"""Modules by the names that are imported from them."""

__all__ = sorted([*_HOMES, "hookimpl"])  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value = _version()
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
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
