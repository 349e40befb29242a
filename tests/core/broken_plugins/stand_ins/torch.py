"""In place of the large library."""

from types import SimpleNamespace


def device(name):
    return SimpleNamespace(type=name)
