"""The end of background tasks that talk to Redis."""

from __future__ import annotations

import asyncio
from typing import Any

SECONDS_TO_END = 0.5


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancels these until they end: a cancellation that arrives together with an answer may be lost
    in Redis's client (`asyncio.wait_for` before Python 3.12 loses it so), and a loop goes on."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=SECONDS_TO_END)
    await asyncio.gather(*tasks, return_exceptions=True)
