"""Waiting a moment for the rest of an album.

The pictures of an album come as separate messages with one `media_group_id` and no end mark. The
first one is remembered in the dialogue state like any photo; what waits is only the question that
would follow it. So a restart in between loses a question, never a picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


class Albums:
    """One timer per chat; the next picture of the album stops it."""

    def __init__(self, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._running: set[asyncio.Task[None]] = set()

    def ask_later(self, chat: int, ask: Callable[[], Awaitable[object]]) -> None:
        """Runs `ask` in `wait_seconds` unless `stop` or another `ask_later` comes before."""
        self.stop(chat)
        loop = asyncio.get_running_loop()
        self._timers[chat] = loop.call_later(self.wait_seconds, self._start, chat, ask)

    def stop(self, chat: int) -> None:
        """The chat's question, if one waits, is not asked."""
        if timer := self._timers.pop(chat, None):
            timer.cancel()

    async def close(self) -> None:
        """Drops what waits and lets what runs finish."""
        for chat in list(self._timers):
            self.stop(chat)
        await asyncio.gather(*self._running)

    def _start(self, chat: int, ask: Callable[[], Awaitable[object]]) -> None:
        del self._timers[chat]
        task = asyncio.create_task(self._run(chat, ask))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, chat: int, ask: Callable[[], Awaitable[object]]) -> None:
        try:
            await ask()
        except Exception:
            log.exception("album_question_failed", chat=chat)
