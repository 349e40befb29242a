"""A step that raises what is no Exception."""

from impasto import hookimpl


class Unusual(BaseException):
    pass


class Step:
    name = "step_unusual"
    order = 1
    roles = frozenset({"content"})

    def __call__(self, picture, context):
        raise Unusual("in a step")


@hookimpl
def impasto_preprocessors(settings):
    return [Step()]
