"""The test kit for plugins: a pytest plugin, pictures and settings, conformance suites.

pytest finds the fixtures of `impasto.testing.plugin` by itself once impasto is installed. Nothing
here is loaded before a test asks for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from impasto.testing.factories import jpeg, make_job, make_photo, make_settings, make_style
    from impasto.testing.painting import paint_small
    from impasto_playground.testing import App, Chat, NoReply, Reply

__all__ = [
    "App",
    "Chat",
    "NoReply",
    "Reply",
    "jpeg",
    "make_job",
    "make_photo",
    "make_settings",
    "make_style",
    "paint_small",
]

# App and Chat need the playground's server. That is a plugin: the core imports it only when a test
# asks for one of them.
_MODULES = {
    "App": "impasto_playground.testing",
    "Chat": "impasto_playground.testing",
    "NoReply": "impasto_playground.testing",
    "Reply": "impasto_playground.testing",
    "jpeg": "impasto.testing.factories",
    "make_job": "impasto.testing.factories",
    "make_photo": "impasto.testing.factories",
    "make_settings": "impasto.testing.factories",
    "make_style": "impasto.testing.factories",
    "paint_small": "impasto.testing.painting",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'impasto.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
