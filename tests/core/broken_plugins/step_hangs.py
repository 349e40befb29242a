"""A step that never comes back."""

import time

from impasto import hookimpl


class Step:
    name = "step_hangs"
    order = 1
    roles = frozenset({"content"})

    def __call__(self, picture, context):
        time.sleep(1e6)
        return picture


@hookimpl
def impasto_preprocessors(settings):
    return [Step()]
