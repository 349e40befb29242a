"""Raises in a hook of the start what is no Exception."""

from impasto import hookimpl


class Unusual(BaseException):
    pass


@hookimpl
def impasto_styles(settings):
    raise Unusual("in a hook")
