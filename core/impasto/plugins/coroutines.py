"""Tasks in which a plugin may call `sys.exit`: asyncio would end its event loop, and the bot.

It does so for SystemExit and KeyboardInterrupt from any task, also one that a plugin has begun by
itself. Here they become Exceptions before the task sees them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from impasto.plugins.host import PluginHost


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
