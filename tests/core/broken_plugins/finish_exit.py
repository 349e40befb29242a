"""A postprocessor that ends the program."""

import sys

from impasto import hookimpl


class Step:
    name = "finish_exit"
    order = 1

    def __call__(self, picture, context):
        sys.exit(3)


@hookimpl
def impasto_postprocessors(settings):
    return [Step()]
