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
    """A process that has not been heard of for this long, in seconds, is taken for lost, and others
    go on with its work."""
    look_seconds: Annotated[float, Field(ge=0.1, le=60)] = 5.0
    """How often, in seconds, an idle worker looks for jobs whose announcement got lost."""


@contextmanager
def explained(setting: str) -> Iterator[None]:
    """Inside, missing libraries raise OwnerError; `setting` is what asks for them."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise OwnerError(
            f"{setting} needs {error.name}, which is not installed: pip install 'impasto[saq]'"
        ) from error
