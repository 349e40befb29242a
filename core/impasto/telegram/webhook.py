"""The webhook: Telegram brings updates, and each is in the journal before it is told "taken".

aiogram's own handler answers before it handles, or handles before it answers: the one loses updates
in a crash, the other keeps Telegram waiting.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

import structlog
from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramAPIError, TelegramRetryAfter
from aiogram.types import WebhookInfo
from aiogram.utils.backoff import Backoff, BackoffConfig
from aiohttp import web
from yarl import URL

from impasto.errors import OwnerError
from impasto.scrubbing import hide
from impasto.settings import TelegramSettings
from impasto.telegram.intake import TRANSIENT

log = structlog.get_logger(__name__)
T = TypeVar("T")

PATH: Final = "/telegram"
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  (the name of a header)
WATCH_SECONDS: Final = 300.0
"""So often it is looked whether Telegram still knows the webhook, and how it finds it."""

_BACKOFF = BackoffConfig(min_delay=1.0, max_delay=30.0, factor=1.5, jitter=0.1)

Take = Callable[[Sequence[tuple[int, str]]], Awaitable[None]]
"""Stores updates (id, JSON): `Intake.take`."""


def secret_of(settings: TelegramSettings) -> str:
    """What Telegram shows with each update: of the settings, or one that only somebody who knows
    the token can work out. The same on all machines of one bot."""
    chosen = settings.webhook_secret.get_secret_value()
    if chosen:
        return chosen
    token = settings.token.get_secret_value().encode()
    return hmac.new(token, b"impasto: secret of the webhook", hashlib.sha256).hexdigest()


class Webhook:
    """Takes updates at `routes()` while `serve` runs."""

    def __init__(self, bot: Bot, settings: TelegramSettings) -> None:
        hide(secret_of(settings))
        self._bot = bot
        self._url = settings.webhook_base.rstrip("/") + PATH
        self._secret = secret_of(settings)
        self._take: Take | None = None
        self._last_error: datetime | None = None

    def routes(self) -> list[web.AbstractRouteDef]:
        """Proxies may cut the path of the public address off, or leave it in place."""
        paths = dict.fromkeys([PATH, URL(self._url).path])
        return [web.post(path, self._update) for path in paths]

    async def serve(self, take: Take, allowed_updates: list[str]) -> None:
        """Hands updates to `take` until cancelled, and keeps Telegram bringing them.

        Raises:
            OwnerError: Telegram does not take the address.
        """
        self._take = take
        try:
            while True:
                await self._insist(lambda: self._register(allowed_updates))
                log.info("webhook_set", url=self._url)
                await self._until_gone()
        finally:
            self._take = None

    async def _update(self, request: web.Request) -> web.Response:
        """Anything but 2xx makes Telegram bring the update again."""
        shown = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(shown.encode(), self._secret.encode()):
            raise web.HTTPForbidden(text="wrong secret")
        if self._take is None:
            raise web.HTTPServiceUnavailable(text="starting or ending")
        update = _parsed(await request.read())
        try:
            await self._take([update])
        except Exception as error:
            log.exception("updates_not_stored")
            raise web.HTTPInternalServerError(text="not stored") from error
        return web.Response()

    async def _register(self, allowed_updates: list[str]) -> bool:
        return await self._bot.set_webhook(
            self._url, secret_token=self._secret, allowed_updates=allowed_updates
        )

    async def _until_gone(self) -> None:
        """Returns when another program has taken the webhook away."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            info = await self._insist(self._bot.get_webhook_info)
            self._tell(info)
            if info.url != self._url:
                log.warning(
                    "webhook_taken_away",
                    found=info.url or "none",
                    hint="another program uses the same token; stop it",
                )
                return

    def _tell(self, info: WebhookInfo) -> None:
        """What Telegram says about its deliveries, once for each error."""
        if info.last_error_date is not None and info.last_error_date != self._last_error:
            log.warning(
                "webhook_failed", why=info.last_error_message, waiting=info.pending_update_count
            )
        self._last_error = info.last_error_date

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Asks Telegram until it answers."""
        backoff = Backoff(_BACKOFF)
        while True:
            try:
                return await call()
            except (*TRANSIENT, ClientDecodeError) as error:
                wanted = error.retry_after if isinstance(error, TelegramRetryAfter) else 0
                pause = max(float(wanted), next(backoff))
                log.warning("webhook_not_reached", why=str(error), again_in_seconds=round(pause, 1))
                await asyncio.sleep(pause)
            except TelegramAPIError as error:
                raise OwnerError(
                    f"Telegram does not take the webhook {self._url}: {error.message}; check "
                    "telegram.webhook_base, or leave it empty to poll"
                ) from error


def _parsed(body: bytes) -> tuple[int, str]:
    """An update's id and its JSON."""
    try:
        text = body.decode()
        update_id = json.loads(text)["update_id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise web.HTTPBadRequest(text="not an update") from None
    # SQLite's integers have 64 bits; True is an int, too.
    if type(update_id) is not int or not 0 <= update_id < 2**63:
        raise web.HTTPBadRequest(text="not an update")
    return update_id, text
