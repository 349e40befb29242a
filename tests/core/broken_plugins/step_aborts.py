"""A step that brings the process down, as broken machine code does."""

import os

from impasto import hookimpl


class Step:
    name = "step_aborts"
    order = 1
    roles = frozenset({"content"})

    def __call__(self, picture, context):
        os.abort()
        return picture


@hookimpl
def impasto_preprocessors(settings):
    return [Step()]
