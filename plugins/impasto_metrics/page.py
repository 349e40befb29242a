"""The page that Prometheus reads. What is a state and no event is looked at when it asks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from impasto.jobs.job import JobState
from impasto.memory import resident_bytes
from impasto_metrics.meters import UNFINISHED

if TYPE_CHECKING:
    from impasto.jobs.service import JobService

UNFINISHED_STATES: Final = tuple(state for state in JobState if not state.is_final)
MEMORY = Gauge("impasto_resident_bytes", "Resident memory (Linux only).", ["process"])

_studios: list[JobService] = []
"""Of the bot that runs in this process, if one does: a worker has none."""


def routes() -> list[web.AbstractRouteDef]:
    return [web.get("/metrics", show)]


async def remember(job_service: JobService) -> None:
    _studios[:] = [job_service]


async def forget() -> None:
    _studios.clear()


async def show(_: web.Request) -> web.Response:
    for job_service in _studios:
        for state in UNFINISHED_STATES:
            UNFINISHED.labels(state.value).set(await job_service.count(state))
    MEMORY.labels("bot").set(resident_bytes(os.getpid()) or 0)
    MEMORY.labels("painting").set(sum(resident_bytes(pid) or 0 for pid in children()))
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def children() -> list[int]:
    """The processes that this one has started: the painting process, of which there is one most of
    the time. Empty where the kernel does not tell, see proc(5)."""
    found: list[int] = []
    for file in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        try:
            found += map(int, file.read_text(encoding="ascii").split())
        except OSError:  # that thread has ended
            continue
    return found
