"""The section `[plugins.saq]`, the libraries that come with the extra `saq`, and what
`impasto doctor` says about Redis: what it would lose."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import Field, SecretStr

from impasto.contracts import Finding
from impasto.errors import OwnerError
from impasto.settings import Section

SECONDS_TO_ANSWER = 5.0
OLDEST = (6, 2)
"""The version that has all commands that SAQ asks for."""


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


def look_at_redis(settings: SaqSettings) -> Finding:
    """Whether it answers, and what it would lose."""
    try:
        info = asyncio.run(_info(settings))
    except OwnerError as error:
        return Finding.problem("redis", "Redis cannot be used", str(error))
    except TimeoutError:
        silence = f"Redis does not answer within {SECONDS_TO_ANSWER:g} s"
        return Finding.problem("redis", silence, "start it, or correct plugins.saq.redis_url")
    version = str(info.get("redis_version", ""))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        says = f"Redis {version} is too old"
        return Finding.problem("redis", says, "install Redis 6.2 or newer")
    found = losses(info)
    if found:
        return Finding.warning("redis", f"Redis {version} answers", "; ".join(found))
    return Finding.ok("redis", f"Redis {version} answers and writes everything to its disk")


def losses(info: Mapping[str, Any]) -> list[str]:
    """A sentence for each setting of this server by which jobs may get lost; `info` is the answer
    to INFO (https://redis.io/docs/latest/commands/info/)."""
    found = []
    if not info.get("aof_enabled"):
        found.append(
            "it has no append-only file, so that a restart loses what came after its last "
            "snapshot: set `appendonly yes` and, to lose nothing in a power cut, "
            "`appendfsync always`"
        )
    if info.get("maxmemory") and info.get("maxmemory_policy") != "noeviction":
        found.append(
            "it throws keys away when its memory is full: set `maxmemory-policy noeviction`"
        )
    return found


async def _info(settings: SaqSettings) -> dict[str, object]:
    with explained("plugins.saq"):
        from impasto_saq.connection import Server
    server = Server(settings, bot_id="0")
    try:
        async with asyncio.timeout(SECONDS_TO_ANSWER):
            return await server.check()
    finally:
        await server.close()
