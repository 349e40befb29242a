"""Has a setting without a default."""

from impasto import hookimpl
from impasto.settings import Section


class Wanting(Section):
    key: str
    """Something that only the owner knows."""


@hookimpl
def impasto_settings():
    return Wanting


@hookimpl
def impasto_styles(settings):
    return []
