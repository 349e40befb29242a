"""The section `[plugins.saq]`, and the libraries that come with the extra `saq`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from pydantic import Field, SecretStr

from impasto.errors import OwnerError
from impasto.settings import Section


class SaqSettings(Section):
    redis_url: SecretStr = SecretStr("redis://localhost:6379/0")
    """The Redis that all bots and workers share: `redis://user:password@host:port/number`, `rediss://`
    with TLS, or `unix://`. Never printed."""
    lease_seconds: Annotated[float, Field(ge=1, le=600)] = 20.0
    """A process that was not heard of for this long is taken for lost, and others go on with what
    it was at, in seconds."""
    look_seconds: Annotated[float, Field(ge=0.1, le=60)] = 5.0
    """An idle worker looks this often for jobs whose announcement got lost, in seconds."""


@contextmanager
def explained(setting: str) -> Iterator[None]:
    """Inside, missing libraries raise OwnerError; `setting` is what asks for them."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise OwnerError(
            f"{setting} needs {error.name}, which is not installed: pip install 'impasto[saq]'"
        ) from error
