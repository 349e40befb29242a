"""The webhook: Telegram posts updates, and each is stored in the journal before it is acknowledged.

aiogram's own handler acknowledges an update before it is handled, which loses it in a crash, or
afterwards, which keeps Telegram waiting.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.types import WebhookInfo
from aiohttp import web
from yarl import URL

from impasto.errors import OwnerError
from impasto.logs import hide
from impasto.settings import TelegramSettings
from impasto.telegram.intake import RawUpdate, as_stored
from impasto.telegram.retry import through_outages

log = structlog.get_logger(__name__)

PATH: Final = "/telegram"
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  (the name of a header)
WATCH_SECONDS: Final = 300.0
"""Between two looks at what Telegram says about the webhook."""

Take = Callable[[Sequence[RawUpdate]], Awaitable[None]]
"""Stores updates: `Intake.take`."""


def secret_of(settings: TelegramSettings) -> str:
    """What Telegram proves itself with at each update: `telegram.webhook_secret`, or else a secret
    derived from the token, which is the same on all machines of one bot."""
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
        """Two, where the public address has a path: a proxy may pass it on or cut it off."""
        paths = dict.fromkeys([PATH, URL(self._url).path])
        return [web.post(path, self._update) for path in paths]

    async def serve(self, take: Take, allowed_updates: list[str]) -> None:
        """Hands updates to `take` until cancelled, and keeps the webhook registered.

        Raises:
            OwnerError: Telegram does not take the address.
        """
        self._take = take
        try:
            while True:
                await self._register(allowed_updates)
                await self._until_taken_away()
        except TelegramAPIError as error:
            raise OwnerError(
                f"Telegram does not take the webhook {self._url}: {error.message}; check "
                "telegram.webhook_base, or leave it empty to poll"
            ) from error
        finally:
            self._take = None

    async def _update(self, request: web.Request) -> web.Response:
        """Anything but 2xx makes Telegram post the update again."""
        shown = request.headers.get(SECRET_HEADER, "")
        # Bytes outside ASCII come as lone surrogates.
        if not hmac.compare_digest(shown.encode(errors="replace"), self._secret.encode()):
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

    async def _register(self, allowed_updates: list[str]) -> None:
        await through_outages(
            lambda: self._bot.set_webhook(
                self._url, secret_token=self._secret, allowed_updates=allowed_updates
            ),
            event="webhook_not_reached",
        )
        log.info("webhook_set", url=self._url)

    async def _until_taken_away(self) -> None:
        """Watches the webhook until another program removes or replaces it."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            info = await through_outages(self._bot.get_webhook_info, event="webhook_not_reached")
            self._log_last_error(info)
            if info.url != self._url:
                log.warning(
                    "webhook_taken_away",
                    found=info.url or "none",
                    hint="another program uses the same token; stop it",
                )
                return

    def _log_last_error(self, info: WebhookInfo) -> None:
        """Logs why Telegram could not post an update, once for each such error."""
        if info.last_error_date is not None and info.last_error_date != self._last_error:
            log.warning(
                "webhook_failed", why=info.last_error_message, waiting=info.pending_update_count
            )
        self._last_error = info.last_error_date


def _parsed(body: bytes) -> RawUpdate:
    """Raises HTTPBadRequest where this is no update."""
    try:
        return as_stored(json.loads(body.decode()))
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest(text="not an update") from None
