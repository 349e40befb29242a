"""`IMPASTO_TRACE_HOOKS=1`: each call of a hook in the log, with its time and what it returned."""

from __future__ import annotations

import reprlib
from typing import Any, Final

TRACE_VARIABLE: Final = "IMPASTO_TRACE_HOOKS"


def summary(result: Any) -> str:
    """What a hook returned (or raised), in a few words."""
    if isinstance(result, BaseException):
        return f"raised {type(result).__name__}: {result}"
    if isinstance(result, list | tuple):
        return f"[{', '.join(named(item) for item in result)}]"
    return reprlib.repr(result)


def named(item: object) -> str:
    """An object by its class and name, where it has one."""
    kind = type(item)
    try:
        name = getattr(item, "name", None)
    except Exception:
        name = None  # a property of theirs; that it raises is told where it matters
    if isinstance(name, str):
        return f"{kind.__name__} {name!r}"
    return reprlib.repr(item) if kind.__module__ == "builtins" else f"a {kind.__name__}"
