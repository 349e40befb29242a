"""Delivery of updates to a webhook: repeated until a 2xx confirms it.

Chats are independent of each other; within a chat an update waits until the one before it was
taken, as it does with Telegram.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from yarl import URL

from .refusals import bad_request
from .updates import Update, UpdateQueue

LOGGER = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
DEFAULT_CONNECTIONS = 40
MAX_CONNECTIONS = 100
TIMEOUT_S = 60
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0

Reply = Callable[[aiohttp.ClientResponse], Awaitable[None]]


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
        self.last_error: tuple[int, str] | None = None

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
                self._updates.forget_news()
                for update in self._updates.snapshot():
                    lane = _lane(update)
                    if lane not in lanes or lanes[lane].done():
                        lanes[lane] = group.create_task(self._empty_lane(lane, session, slots))
                await self._updates.wait()

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
        self.last_error = (int(time.time()), reason)
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
