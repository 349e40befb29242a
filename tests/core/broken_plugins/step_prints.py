"""A step that talks: in Python, and past it."""

import os

from impasto import hookimpl


class Step:
    name = "step_prints"
    order = 1
    roles = frozenset({"content"})

    def __call__(self, picture, context):
        print("said in Python")
        os.write(1, b"said past Python\n")
        return picture


@hookimpl
def impasto_preprocessors(settings):
    return [Step()]
