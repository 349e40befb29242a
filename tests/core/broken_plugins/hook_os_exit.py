"""Ends the process in a hook of the start."""

import os

from impasto import hookimpl


@hookimpl
def impasto_styles(settings):
    os._exit(3)
