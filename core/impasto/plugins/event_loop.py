"""The bot's event loop, which all plugins share: none can end it, and one that blocks it is named.

A plugin may call `sys.exit` in a task. asyncio would end the loop for SystemExit and
KeyboardInterrupt from any task, also one that a plugin has begun by itself; here they become
Exceptions before the task sees them.

While the loop is blocked, nobody is answered. A thread looks at what the loop's thread is doing
whenever the loop has not shown a sign of life for `patience` seconds. It names the plugin and the
line; it ends nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import Any

import structlog

from impasto.plugins.host import PluginHost

log = structlog.get_logger(__name__)

NOBODY = "the program itself"


@contextlib.contextmanager
def contained_tasks(host: PluginHost) -> Iterator[None]:
    """All tasks that are made meanwhile in the running event loop are contained."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **facts: Any) -> asyncio.Future[Any]:
        contained = _Contained(coroutine, host.contained)
        if before is not None:
            return before(loop, contained, **facts)
        return asyncio.Task(contained, loop=loop, **facts)

    loop.set_task_factory(make)
    try:
        yield
    finally:
        loop.set_task_factory(before)


class _Contained(Coroutine[Any, Any, Any]):
    """A coroutine that raises Exceptions where the one in it would end the event loop."""

    def __init__(
        self, inner: Coroutine[Any, Any, Any], contained: Callable[[BaseException], Exception]
    ) -> None:
        self._inner = inner
        self._contained = contained
        # As `repr` of a task shows it.
        self.__name__ = getattr(inner, "__name__", type(inner).__name__)
        self.__qualname__ = getattr(inner, "__qualname__", self.__name__)

    def __await__(self) -> Any:
        return self

    def send(self, value: Any, /) -> Any:
        try:
            return self._inner.send(value)
        except (SystemExit, KeyboardInterrupt) as error:
            raise self._contained(error) from error

    def throw(self, *exception: Any) -> Any:
        try:
            return self._inner.throw(*exception)
        except (SystemExit, KeyboardInterrupt) as error:
            raise self._contained(error) from error

    def close(self) -> None:
        self._inner.close()


class LoopWatchdog:
    """Watches the event loop that it is entered in, as an async context manager."""

    def __init__(self, host: PluginHost, patience: float) -> None:
        self._host = host
        self._patience = max(patience, 0.01)
        self._alive_at = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop watchdog", daemon=True)
        self._timer: asyncio.TimerHandle | None = None
        self._watched = 0

    async def __aenter__(self) -> LoopWatchdog:
        self._watched = threading.get_ident()
        self._live()
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end.set()
        if self._timer is not None:
            self._timer.cancel()
        self._thread.join()

    def _live(self) -> None:
        self._alive_at = time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(self._patience / 4, self._live)

    def _watch(self) -> None:
        told = 0.0
        while not self._end.wait(self._patience / 2):
            alive_at = self._alive_at
            if time.monotonic() - alive_at > self._patience and alive_at != told:
                told = alive_at  # once for each time that it is blocked
                self._tell(sys._current_frames()[self._watched])

    def _tell(self, frame: FrameType) -> None:
        stack = traceback.extract_stack(frame)
        found = self._host.plugin_in(stack)
        plugin, place = (found[0].name, found[1]) if found else (NOBODY, stack[-1])
        where = f"{place.filename}:{place.lineno}"
        log.warning("loop_blocked", plugin=plugin, where=where, longer=self._patience)
