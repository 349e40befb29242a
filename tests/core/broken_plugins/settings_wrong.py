"""Has a section with a value that does not fit."""

from typing import Annotated

from pydantic import Field

from impasto import hookimpl
from impasto.settings import Section


class Bounded(Section):
    hue: Annotated[int, Field(ge=0)] = 3
    """Of the color."""


@hookimpl
def impasto_settings():
    return Bounded


@hookimpl
def impasto_styles(settings):
    return []
