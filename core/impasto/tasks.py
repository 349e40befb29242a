"""Tasks of asyncio that begin, end and are cancelled together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import structlog

log = structlog.get_logger(__name__)
T = TypeVar("T")

SECONDS_TO_CANCEL = 1.0


def start(
    work: Iterable[Coroutine[Any, Any, Any]], cleanup: contextlib.AsyncExitStack
) -> list[asyncio.Task[Any]]:
    """Begins all of this; what still runs at the cleanup is cancelled then."""
    tasks = [asyncio.create_task(one) for one in work]
    cleanup.push_async_callback(cancelled, tasks)
    return tasks


async def until_any_ends(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Waits until one of these ends; raises what that one raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def repeatedly(
    work: Callable[[], Coroutine[Any, Any, None]], what: str, seconds: float
) -> None:
    """Does this now and every so many seconds, until cancelled; a failure is logged and not the
    end."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("work_failed", what=what, again_in_seconds=seconds)
        await asyncio.sleep(seconds)


async def unless_set(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` returns, or None when `stop` is set first, which cancels `work`."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return None if stopped.done() else task.result()
    finally:
        await cancelled([task, stopped])


async def cancelled(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancels these, again and again until all have ended: libraries may lose a cancellation that
    arrives together with what they wait for."""
    running = everyone = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=SECONDS_TO_CANCEL)
    await asyncio.gather(*everyone, return_exceptions=True)


async def finished_within(seconds: float, tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Lets these finish; those that take longer than this are cancelled."""
    running = set(tasks)
    if running:
        _, late = await asyncio.wait(running, timeout=seconds)
        await cancelled(late)
