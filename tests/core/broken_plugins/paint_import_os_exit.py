"""Ends the painting process at its import."""

import os

os._exit(3)


def impasto_preprocessors(settings):
    return []
