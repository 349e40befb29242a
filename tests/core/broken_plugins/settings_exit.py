"""Ends the program when the default of a setting is asked for."""

import sys

from pydantic import Field

from impasto import hookimpl
from impasto.settings import Section


class Leaving(Section):
    hue: int = Field(default_factory=lambda: sys.exit(3))
    """Of the color."""


@hookimpl
def impasto_settings():
    return Leaving


@hookimpl
def impasto_styles(settings):
    return []
