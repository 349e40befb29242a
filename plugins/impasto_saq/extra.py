"""The libraries that come with the extra `saq`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from impasto.errors import OwnerError


@contextmanager
def explained(setting: str) -> Iterator[None]:
    """Inside, missing libraries raise OwnerError; `setting` is what asks for them."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise OwnerError(
            f"{setting} needs {error.name}, which is not installed: pip install 'impasto[saq]'"
        ) from error
