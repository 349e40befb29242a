"""Updates on their way to the bot: a queue that getUpdates or a webhook empties.

An update stays until it is confirmed, by a higher offset or by a webhook's 2xx, so a bot that
dies in between gets it again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from typing import Any

from .refusals import Refusal, conflict

MAX_PENDING = 10_000
"""Updates kept for a bot that does not come; the oldest go first."""

MAX_TIMEOUT_S = 50
MAX_LIMIT = 100

UNASKED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds that a bot gets only when it names them (Bot API, getUpdates, `allowed_updates`)."""

Update = dict[str, Any]


class UpdateQueue:
    """The pending updates of the bot, oldest first."""

    def __init__(self) -> None:
        self._pending: deque[Update] = deque()
        self._next_id = 100_000_000 + secrets.randbelow(100_000_000)
        self._allowed: frozenset[str] = frozenset()
        self._news = asyncio.Event()
        self._poll: asyncio.Future[Refusal | None] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def allowed(self) -> list[str]:
        """The kinds of updates the bot asked for; empty stands for the default."""
        return sorted(self._allowed)

    def allow(self, kinds: list[str] | None) -> None:
        """Set which kinds future updates may have; None leaves it as it is."""
        if kinds is not None:
            self._allowed = frozenset(kinds)

    def put(self, kind: str, content: Any) -> None:
        """Queue an update, unless the bot does not want its kind."""
        if kind not in self._allowed if self._allowed else kind in UNASKED:
            return
        self._pending.append({"update_id": self._next_id, kind: content})
        self._next_id += 1
        while len(self._pending) > MAX_PENDING:
            self._pending.popleft()
        self.end_poll()
        self._news.set()

    def drop(self) -> None:
        """Forget all pending updates."""
        self._pending.clear()

    def snapshot(self) -> list[Update]:
        """All pending updates, oldest first."""
        return list(self._pending)

    def confirm(self, update_id: int) -> None:
        """Forget one update that was delivered."""
        self._pending = deque(item for item in self._pending if item["update_id"] != update_id)

    def confirm_before(self, offset: int) -> None:
        """Forget the updates before `offset`; a negative one keeps that many of the newest."""
        if offset < 0:
            while len(self._pending) > -offset:
                self._pending.popleft()
        while offset > 0 and self._pending and self._pending[0]["update_id"] < offset:
            self._pending.popleft()

    async def wait(self) -> None:
        """Return when an update was queued since `forget_news`."""
        await self._news.wait()

    def forget_news(self) -> None:
        """Let `wait` wait for updates that come from now on."""
        self._news.clear()

    async def poll(self, offset: int, limit: int, timeout_s: int) -> list[Update]:
        """Answer getUpdates; waits up to `timeout_s` seconds for the first update.

        A poll that waits is ended with 409 when another one starts, as Telegram does.
        """
        self.end_poll(
            "terminated by other getUpdates request; "
            "make sure that only one bot instance is running"
        )
        self.confirm_before(offset)
        limit = limit if 1 <= limit <= MAX_LIMIT else MAX_LIMIT
        if not self._pending and timeout_s > 0 and not self._closed:
            await self._wait_for_first(min(timeout_s, MAX_TIMEOUT_S))
        return list(self._pending)[:limit]

    async def _wait_for_first(self, timeout_s: int) -> None:
        waiting: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        self._poll = waiting
        try:
            async with asyncio.timeout(timeout_s):
                refusal = await waiting
        except TimeoutError:
            return
        finally:
            if self._poll is waiting:
                self._poll = None
        if refusal is not None:
            raise refusal

    def end_poll(self, reason: str | None = None) -> None:
        """End the poll that waits: with 409 and `reason`, or with what there is."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(conflict(reason) if reason else None)

    def close(self) -> None:
        """End the poll that waits and let no other one wait."""
        self._closed = True
        self.end_poll()
