"""What Telegram says: about the token, and about the way that updates come."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from impasto.contracts import Finding
from impasto.errors import OwnerError

if TYPE_CHECKING:
    from aiogram import Bot
    from aiogram.types import WebhookInfo

    from impasto.settings import Settings

PATIENCE: Final = 15
WEBHOOK_PORTS: Final = {443, 80, 88, 8443}
"""https://core.telegram.org/bots/api#setwebhook"""
RECENT: Final = 3600
TELEGRAM: Final = "https://api.telegram.org"


def check(settings: Settings) -> Iterator[Finding]:
    from impasto.telegram.connection import connected

    try:
        bot = connected(settings)
    except OwnerError as error:
        says, _, advice = str(error).partition(": ")
        yield Finding(
            name="token",
            verdict="problem",
            says=says,
            advice=advice or "/mybots in a chat with @BotFather shows it again",
        )
        return
    yield from asyncio.run(_asked(bot, settings))
    yield from port(settings)


async def _asked(bot: Bot, settings: Settings) -> list[Finding]:
    from aiogram.exceptions import (
        ClientDecodeError,
        TelegramAPIError,
        TelegramNotFound,
        TelegramUnauthorizedError,
    )

    async with bot:
        try:
            me = await bot.get_me(request_timeout=PATIENCE)
            info = await bot.get_webhook_info(request_timeout=PATIENCE)
        except (TelegramUnauthorizedError, TelegramNotFound) as error:
            return [
                Finding(
                    name="token",
                    verdict="problem",
                    says=f"Telegram refuses it ({error.message})",
                    advice="copy it again from @BotFather into IMPASTO_TELEGRAM__TOKEN, and check "
                    "telegram.api_base",
                )
            ]
        except (TelegramAPIError, ClientDecodeError) as error:
            return [
                Finding(
                    name="token",
                    verdict="problem",
                    says=f"{settings.telegram.api_base} cannot be reached ({error})",
                    advice="check the network, a proxy, and telegram.api_base; the bot would wait",
                )
            ]
    says = f"of @{me.username} ({me.id}), from {settings.origin('telegram.token')}"
    return [Finding(name="token", verdict="ok", says=says), updates(settings, info)]


def updates(settings: Settings, info: WebhookInfo) -> Finding:
    """How updates come, and whether Telegram is content with that."""
    from impasto.telegram.webhook import PATH

    base = settings.telegram.webhook_base
    if not base:
        found = f"; the webhook {info.url} will be removed at the start" if info.url else ""
        return Finding(
            name="updates",
            verdict="warning" if info.url else "ok",
            says=f"by polling{found}",
            advice="set telegram.webhook_base if you want to keep it" if info.url else "",
        )
    wrong = _why_not(base) if settings.telegram.api_base == TELEGRAM else ""
    if wrong:
        return Finding(
            name="updates",
            verdict="problem",
            says=f"telegram.webhook_base {base} {wrong}",
            advice="name the https address of your proxy or host, or leave it empty to poll",
        )
    if info.url != base.rstrip("/") + PATH:
        return Finding(name="updates", verdict="ok", says=f"by webhook; {base} is set at the start")
    failed_at = info.last_error_date
    if failed_at is not None and time.time() - failed_at.timestamp() < RECENT:
        return Finding(
            name="updates",
            verdict="warning",
            says=f"by webhook, which Telegram could not reach lately: {info.last_error_message}",
            advice="check that the address leads to the bot's port, with a valid certificate",
        )
    return Finding(
        name="updates", verdict="ok", says=f"by webhook, {info.pending_update_count} waiting"
    )


def port(settings: Settings) -> Iterator[Finding]:
    """Whether the bot can listen, if it is to."""
    from impasto.telegram.web import port_of

    number = port_of(settings)
    if not number:
        return
    origin = settings.origin("server.port")
    says = f"{settings.server.host}:{number}, from {origin}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.server.host, number))
        except OSError as error:
            if _answers(number):
                yield Finding(name="port", verdict="ok", says=f"{says}; a bot answers there now")
                return
            yield Finding(
                name="port",
                verdict="problem",
                says=f"{says} cannot be used: {error.strerror}",
                advice="set server.port to another one, or end what uses it",
            )
            return
    yield Finding(name="port", verdict="ok", says=says)


def _answers(number: int) -> bool:
    """Whether what listens there is a bot of ours."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{number}/healthz", timeout=2) as answer:
            return bool(json.load(answer).get("alive"))
    except (OSError, ValueError, AttributeError):
        return False


def _why_not(base: str) -> str:
    """Why Telegram would not take this address; empty when it would."""
    try:
        address = urlsplit(base)
        number = address.port or 443
    except ValueError as error:
        return f"is no address ({error})"
    if address.scheme != "https":
        return "is not https"
    if number not in WEBHOOK_PORTS:
        return f"has port {number}, and Telegram knows 443, 80, 88 and 8443 only"
    return ""
