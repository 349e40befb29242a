"""A step that raises KeyboardInterrupt."""

from impasto import hookimpl


class Step:
    name = "step_interrupt"
    order = 1
    roles = frozenset({"content"})

    def __call__(self, picture, context):
        raise KeyboardInterrupt
        return picture


@hookimpl
def impasto_preprocessors(settings):
    return [Step()]
