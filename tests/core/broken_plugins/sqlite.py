"""Is called like a built-in plugin."""

from impasto import hookimpl


@hookimpl
def impasto_styles(settings):
    return []
