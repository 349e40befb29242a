"""What a Redis would lose, by what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
