"""Updates on their way to the bot: a queue that getUpdates or a webhook empties.

An update stays until it is confirmed, by a higher offset or by a webhook's 2xx, so a bot that
dies in between gets it again. A webhook is served chat by chat: within a chat an update waits until
the one before it was taken, as it does with Telegram.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
from yarl import URL

from .refusals import Refusal, bad_request, conflict

LOGGER = logging.getLogger(__name__)

MAX_PENDING = 10_000
"""Updates kept for a bot that does not come; the oldest go first."""

MAX_TIMEOUT_S = 50
MAX_LIMIT = 100

UNASKED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds that a bot gets only when it names them (Bot API, getUpdates, `allowed_updates`)."""

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
DEFAULT_CONNECTIONS = 40
MAX_CONNECTIONS = 100
TIMEOUT_S = 60
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0

Update = dict[str, Any]
Reply = Callable[[aiohttp.ClientResponse], Awaitable[None]]


class UpdateQueue:
    """The pending updates of the bot, oldest first."""

    def __init__(self) -> None:
        self._pending: deque[Update] = deque()
        self._next_id = 100_000_000 + secrets.randbelow(100_000_000)
        self._allowed: frozenset[str] = frozenset()
        self.news = asyncio.Event()
        """Set when an update was queued; whoever waits for further ones clears it."""
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
        self.news.set()

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


class Webhook:
    """The webhook of the bot, if it has one, and the task that serves it."""

    def __init__(self, updates: UpdateQueue, reply: Reply) -> None:
        self._updates = updates
        self._reply = reply
        self._task: asyncio.Task[None] | None = None
        self._secret = ""
        self.url = ""
        self.max_connections = DEFAULT_CONNECTIONS
        self.ip_address: str | None = None
        self.last_error: tuple[datetime, str] | None = None

    async def set(
        self,
        url: str,
        secret: str | None = None,
        max_connections: int | None = None,
        ip_address: str | None = None,
    ) -> None:
        """Deliver to `url` from now on; an empty one ends it. Raises `Refusal` for a bad one.

        Plain HTTP and any port are taken, as a Bot API server with ``--local`` takes them.
        """
        _check(url, secret)
        await self.close()
        self.url = url
        self._secret = secret or ""
        wanted = max_connections or DEFAULT_CONNECTIONS
        self.max_connections = min(max(wanted, 1), MAX_CONNECTIONS)
        self.ip_address = ip_address
        self.last_error = None
        if url:
            self._updates.end_poll("terminated by setWebhook request")
            self._task = asyncio.create_task(self._deliver(), name="playground webhook")

    async def close(self) -> None:
        """End delivery."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _deliver(self) -> None:
        lanes: dict[Any, asyncio.Task[None]] = {}
        slots = asyncio.Semaphore(self.max_connections)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            while True:
                self._updates.news.clear()
                for update in self._updates.snapshot():
                    lane = _lane(update)
                    if lane not in lanes or lanes[lane].done():
                        lanes[lane] = group.create_task(self._empty_lane(lane, session, slots))
                await self._updates.news.wait()

    async def _empty_lane(
        self, lane: Any, session: aiohttp.ClientSession, slots: asyncio.Semaphore
    ) -> None:
        pause = FIRST_PAUSE_S
        while update := next((u for u in self._updates.snapshot() if _lane(u) == lane), None):
            async with slots:
                taken = await self._post(update, session)
            if taken:
                self._updates.confirm(update["update_id"])
                pause = FIRST_PAUSE_S
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _post(self, update: Update, session: aiohttp.ClientSession) -> bool:
        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers[SECRET_HEADER] = self._secret
        try:
            async with session.post(
                self.url, data=json.dumps(update), headers=headers, allow_redirects=False
            ) as response:
                if not response.ok:
                    self._failed(
                        f"Wrong response from the webhook: {response.status} {response.reason}"
                    )
                    return False
                await self._reply(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._failed(str(error) or "Read timeout expired")
            return False
        return True

    def _failed(self, reason: str) -> None:
        self.last_error = (datetime.now(UTC), reason)
        LOGGER.warning("the webhook did not take an update: %s", reason)


def _lane(update: Update) -> Any:
    """Updates of one chat share a lane."""
    for content in update.values():
        if isinstance(content, dict):
            source = content.get("message", content)
            return source.get("chat", content.get("from", {})).get("id")
    return None


def _check(url: str, secret: str | None) -> None:
    if secret is not None and not SECRET_TOKEN.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    if not url:
        return
    try:
        parsed = URL(url)
        valid = parsed.scheme in ("http", "https") and bool(parsed.host)
    except ValueError:
        valid = False
    if not valid:
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
