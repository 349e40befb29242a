"""Brings the painting process down at its import, as broken machine code does."""

import os

os.abort()


def impasto_preprocessors(settings):
    return []
