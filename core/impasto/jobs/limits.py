"""How much may be asked of the bot at once: what `Journal.add` checks before it stores a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HOUR = 3600.0
"""Seconds in which a person's pictures are counted."""

Limit = Literal["unfinished", "hourly", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Most jobs of each kind, the new one included; None is no limit."""

    unfinished: int | None = None
    """Jobs of this person that are not final."""
    hourly: int | None = None
    """Jobs of this person that were accepted within the last HOUR, whatever became of them: what
    was cancelled or forgotten has been fetched and begun all the same."""
    waiting: int | None = None
    """Jobs of all people in state `accepted`."""


NO_LIMITS = Limits()


class LimitReached(Exception):
    """A job was not stored, because there are as many as `limits` allow."""

    def __init__(self, limit: Limit, seconds: float = 0.0) -> None:
        super().__init__(f"as many jobs as the limit {limit!r} allows")
        self.limit = limit
        self.seconds = seconds
        """With "hourly": how long until the oldest of those jobs counts no longer."""
