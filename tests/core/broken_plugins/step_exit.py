"""A step that ends the program."""

import sys

from impasto import hookimpl


class Step:
    name = "step_exit"
    order = 1
    roles = frozenset({"content"})

    def __call__(self, picture, context):
        sys.exit(3)
        return picture


@hookimpl
def impasto_preprocessors(settings):
    return [Step()]
