"""Raises at import what is no Exception."""

from impasto import hookimpl


class Unusual(BaseException):
    pass


raise Unusual("at import")


@hookimpl
def impasto_styles(settings):
    return []
