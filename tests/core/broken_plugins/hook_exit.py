"""Ends the program in a hook of the start."""

import sys

from impasto import hookimpl


@hookimpl
def impasto_styles(settings):
    sys.exit(3)
