"""The test kit for plugins: a pytest plugin, pictures and settings, conformance suites.

pytest finds the fixtures of `impasto.testing.plugin` by itself once impasto is installed. Nothing
here is loaded before a test asks for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from impasto.testing.app import App
    from impasto.testing.chat import Chat, NoReply, Reply
    from impasto.testing.factories import jpeg, make_photo, make_settings, make_style
    from impasto.testing.painting import paint_small

__all__ = [
    "App",
    "Chat",
    "NoReply",
    "Reply",
    "jpeg",
    "make_photo",
    "make_settings",
    "make_style",
    "paint_small",
]

_ELSEWHERE = {
    "App": "app",
    "Chat": "chat",
    "NoReply": "chat",
    "Reply": "chat",
    "jpeg": "factories",
    "make_photo": "factories",
    "make_settings": "factories",
    "make_style": "factories",
    "paint_small": "painting",
}


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module 'impasto.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(f"impasto.testing.{_ELSEWHERE[name]}"), name)
