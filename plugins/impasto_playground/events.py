"""Live events, for whoever watches a chat or the calls of the bot: the page, or a test."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import Any

from aiohttp import web

HEARTBEAT_S = 15.0

MAX_WAITING = 1000
"""Events that a watcher may be behind; one further and it is dropped and has to start anew."""

Event = dict[str, Any]


class Watcher:
    """One reader of the events of one chat."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.closed = False

    def put(self, event: Event) -> None:
        """Hand over an event; a reader that is too far behind is closed."""
        if self._queue.qsize() >= MAX_WAITING:
            self.close()
        if not self.closed:
            self._queue.put_nowait(event)

    def close(self) -> None:
        """Let the reader end after what it already has."""
        if not self.closed:
            self.closed = True
            self._queue.put_nowait(None)

    async def next(self, patience_s: float | None = None) -> Event | None:
        """The next event, an empty one when nothing happened for so long, or None at the end."""
        try:
            async with asyncio.timeout(patience_s):
                return await self._queue.get()
        except TimeoutError:
            return {}


async def stream(request: web.Request, watcher: Watcher, first: Event) -> web.StreamResponse:
    """Server-sent events: `first`, then what the watcher is handed, until it is closed or the
    reader is gone."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    event: Event | None = first
    try:
        await response.prepare(request)
        while event is not None:
            # A comment tells the reader that it is heard, and us whether it is still there.
            line = f"data: {json.dumps(event)}" if event else ":"
            await response.write(f"{line}\n\n".encode())
            event = await watcher.next(HEARTBEAT_S)
    except ConnectionError:
        pass
    return response


class EventHub:
    """Passes events from chats to their watchers."""

    def __init__(self) -> None:
        self._watchers: defaultdict[int, set[Watcher]] = defaultdict(set)
        self._closed = False

    def watch(self, chat_id: int) -> Watcher:
        """A new watcher of the chat; end it with `leave`."""
        watcher = Watcher()
        if self._closed:
            watcher.close()
        self._watchers[chat_id].add(watcher)
        return watcher

    def leave(self, chat_id: int, watcher: Watcher) -> None:
        """Stop watching."""
        watchers = self._watchers.get(chat_id)
        if watchers is not None:
            watchers.discard(watcher)
            if not watchers:
                del self._watchers[chat_id]

    def publish(self, chat_id: int, kind: str, **content: Any) -> None:
        """Tell the watchers of one chat; `content` must be JSON values."""
        for watcher in tuple(self._watchers.get(chat_id, ())):
            watcher.put({"kind": kind, **content})

    def close(self) -> None:
        """End every watcher, present and future."""
        self._closed = True
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.close()
