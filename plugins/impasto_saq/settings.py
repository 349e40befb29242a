"""The section `[plugins.saq]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

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
