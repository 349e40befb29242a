"""Memory of an installation's processes while it works."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ..machine import unreclaimable_mb
from .installation import Installation


@dataclass(frozen=True)
class Sample:
    """Unreclaimable memory by process, in MiB, at a moment in seconds after the beginning."""

    seconds: float
    megabytes: dict[str, float]


def look(installation: Installation, seconds: float) -> Sample:
    """The memory of what runs now."""
    megabytes = {}
    for name, pid in installation.process_ids().items():
        with contextlib.suppress(ProcessLookupError):
            megabytes[name] = round(unreclaimable_mb(pid), 1)
    return Sample(round(seconds, 1), megabytes)


@contextlib.asynccontextmanager
async def watched(installation: Installation, every: float) -> AsyncIterator[list[Sample]]:
    """Takes a sample at once, every `every` seconds, and at the end."""
    began = time.monotonic()
    samples = [look(installation, 0)]

    async def watch() -> None:
        while True:
            await asyncio.sleep(every)
            samples.append(look(installation, time.monotonic() - began))

    watcher = asyncio.create_task(watch())
    try:
        yield samples
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        samples.append(look(installation, time.monotonic() - began))
