"""What the bot needs: what its plugins offer, a token, a way for updates to come, a port."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from impasto.contracts import Finding, StylePreset
from impasto.errors import OwnerError, did_you_mean
from impasto.logs import scrub

if TYPE_CHECKING:
    from aiogram import Bot
    from aiogram.types import WebhookInfo

    from impasto.plugins import PluginHost
    from impasto.settings import Settings, TelegramSettings

TIMEOUT_SECONDS: Final = 15
WEBHOOK_PORTS: Final = {443, 80, 88, 8443}
"""https://core.telegram.org/bots/api#setwebhook"""
RECENT_SECONDS: Final = 3600
EVERY_ADDRESS: Final = {"", "0.0.0.0", "::"}  # noqa: S104  (asked for, not listened on)
TELEGRAM: Final = "https://api.telegram.org"


def check_plugins(host: PluginHost) -> Iterator[Finding]:
    """Whether plugins offer everything that a bot is made of."""
    from impasto.contracts import JobQueue, Presenter, Storage

    settings = host.settings
    presets = host.collect("impasto_styles", StylePreset, settings=settings)
    queues = {q.name: q for q in host.collect("impasto_queues", JobQueue, settings=settings)}
    storages = {s.name: s for s in host.collect("impasto_storages", Storage, settings=settings)}
    kind, storage = settings.queue.kind, settings.queue.storage
    yield _offered(host, "queue.kind", kind, queues)
    yield _offered(host, "queue.storage", storage, storages)
    if kind in queues and storage in storages:
        paints_elsewhere = not queues[kind].embedded_worker
        if paints_elsewhere and not storages[storage].is_shared:
            says = f"{kind} has other processes paint, and they cannot use {storage}"
            advice = 'set queue.storage to one that processes share, such as "redis"'
            yield Finding.problem("queue", says, advice)
    if not host.collect("impasto_presenters", Presenter, settings=settings, presets=presets):
        says = "no plugin has words for the messages about a job"
        advice = "take the plugin `dialog` out of plugins.deny, or install another one"
        yield Finding.problem("dialog", says, advice)
    yield check_styles(presets)
    yield _working(host)


def paints_itself(host: PluginHost) -> bool:
    """Whether `impasto run` also paints; taken to be so where the chosen queue is missing."""
    from impasto.contracts import JobQueue

    queues = host.collect("impasto_queues", JobQueue, settings=host.settings)
    chosen = [queue for queue in queues if queue.name == host.settings.queue.kind]
    return not chosen or chosen[0].embedded_worker


def check_styles(presets: list[StylePreset]) -> Finding:
    missing = [preset.name for preset in presets if not preset.picture.is_file()]
    if missing:
        advice = "put it back, or take the style out; `impasto styles` lists all"
        return Finding.warning("styles", f"no picture of {', '.join(missing)}", advice)
    if not presets:
        says = "there are no presets: people can paint in styles of their own only"
        advice = "add one with `impasto styles add`, or allow the plugin `styles`"
        return Finding.warning("styles", says, advice)
    return Finding.ok("styles", f"{len(presets)} presets")


def own_findings(host: PluginHost) -> Iterator[Finding]:
    """What plugins have found about themselves, and which of them failed at that."""
    failed_before = host.failed
    yield from host.collect("impasto_checks", Finding, settings=host.settings)
    for name, error in host.failed.items():
        if name not in failed_before:
            advice = "tell its author; the bot may work all the same"
            yield Finding.warning(f"plugin {name}", error, advice)


def _offered(host: PluginHost, setting: str, name: str, offers: Mapping[str, object]) -> Finding:
    if name not in offers:
        says = f"no plugin offers {name!r}{did_you_mean(name, offers)}"
        advice = f"set {setting} to one of these: {', '.join(offers) or 'none'}"
        return Finding.problem(setting, says, advice)
    return Finding.ok(setting, f"{name}, of {host.owner_of(offers[name])}")


def advice_for(*problems: str) -> str:
    """What the owner, who did not write the plugins, can do about what is wrong with them."""
    is_of_setting = [problem.startswith("plugins.") for problem in problems]
    report = "update it, report it to its author, or name it in plugins.deny"
    ways = ["correct the setting"] * any(is_of_setting) + [report] * (not all(is_of_setting))
    return "; otherwise: ".join(ways)


def _working(host: PluginHost) -> Finding:
    from impasto.hookspecs import PAINTING_GROUP
    from impasto.plugins.finding import find_plugins

    failed = [f"{name} ({error})" for name, error in host.failed.items()]
    remarks = [f"{record.name}: {one}" for record in host.records for one in record.remarks]
    if failed or remarks:
        goes = [f"the bot goes without {'; '.join(failed)}"] if failed else []
        says = "; ".join([*goes, *remarks])
        advice = advice_for(*host.failed.values(), *remarks)
        make = Finding.problem if host.strict else Finding.warning
        return make("plugins", says, advice)
    left_out = [record.name for record in host.records if record.left_out]
    without = f", left out: {', '.join(left_out)}" if left_out else ""
    painting = find_plugins(PAINTING_GROUP, host.settings.plugins)
    painters = sum(not record.left_out for record, _ in painting)
    says = f"{len(host.active)} in the bot, {painters} in the painting process{without}"
    return Finding.ok("plugins", says)


def check_telegram(settings: Settings) -> Iterator[Finding]:
    from impasto.telegram.connection import connected
    from impasto.telegram.proxy import ProxyUnusable

    try:
        bot = connected(settings)
    except OwnerError as error:
        says, _, advice = str(error).partition(": ")
        advice = advice or "/mybots in a chat with @BotFather shows it again"
        name = "proxy" if isinstance(error, ProxyUnusable) else "token"
        yield Finding.problem(name, says, advice)
        return
    yield check_way(settings)
    yield from check_local_files(settings.telegram)
    yield from asyncio.run(ask_telegram(bot, settings))
    yield from check_port(settings)


def check_way(settings: Settings) -> Finding:
    """How calls to Telegram go; whether they arrive is what `ask_telegram` finds out."""
    from impasto.telegram.proxy import proxy_for

    proxy = proxy_for(settings)
    way = f"through {proxy}" if proxy is not None else "directly"
    return Finding.ok("way", f"{way} to {settings.telegram.api_base}")


def check_local_files(settings: TelegramSettings) -> Iterator[Finding]:
    """Whether the files of a Bot API server of one's own can be read here."""
    if settings.folders is None:
        return
    there, here = settings.folders
    name = "telegram.local_files"
    if settings.api_base == TELEGRAM:
        advice = "set telegram.api_base to the server of your own, or leave this setting out"
        yield Finding.problem(name, f"{TELEGRAM} keeps no files on this machine", advice)
        return
    try:
        next(here.iterdir(), None)
    except OSError as error:
        advice = "name the folder that the server writes to, and let this user read it"
        yield Finding.problem(name, f"{here} cannot be read: {error.strerror}", advice)
        return
    mapped = f"{here}, which the server calls {there}" if str(here) != there else there
    yield Finding.ok(name, f"pictures are read in {mapped}")


async def ask_telegram(bot: Bot, settings: Settings) -> list[Finding]:
    """What Telegram says about the token, and about the way that updates come."""
    from aiogram.exceptions import (
        ClientDecodeError,
        TelegramAPIError,
        TelegramNotFound,
        TelegramUnauthorizedError,
    )

    from impasto.telegram.proxy import proxy_for

    async with bot:
        try:
            me = await bot.get_me(request_timeout=TIMEOUT_SECONDS)
            info = await bot.get_webhook_info(request_timeout=TIMEOUT_SECONDS)
        except (TelegramUnauthorizedError, TelegramNotFound) as error:
            says = f"Telegram refuses it ({error.message})"
            advice = (
                "copy it again from @BotFather into IMPASTO_TELEGRAM__TOKEN, and check "
                "telegram.api_base"
            )
            return [Finding.problem("token", says, advice)]
        except (TelegramAPIError, ClientDecodeError) as error:
            proxy = proxy_for(settings)
            through = f" through {proxy}" if proxy is not None else ""
            says = scrub(f"{settings.telegram.api_base} cannot be reached{through} ({error})")
            advice = "check the network, a proxy, and telegram.api_base; the bot would wait"
            return [Finding.problem("token", says, advice)]
    says = f"of @{me.username} ({me.id}), from {settings.origin('telegram.token')}"
    return [Finding.ok("token", says), check_updates(settings, info)]


def check_updates(settings: Settings, info: WebhookInfo) -> Finding:
    """How updates come, and whether Telegram is content with that."""
    from impasto.telegram.webhook import PATH

    base = settings.telegram.webhook_base
    if not base:
        if not info.url:
            return Finding.ok("updates", "by polling")
        says = f"by polling; the webhook {info.url} will be removed at the start"
        return Finding.warning("updates", says, "set telegram.webhook_base if you want to keep it")
    wrong = _why_not(base) if settings.telegram.api_base == TELEGRAM else ""
    if wrong:
        advice = "name the https address of your proxy or host, or leave it empty to poll"
        return Finding.problem("updates", f"telegram.webhook_base {base} {wrong}", advice)
    if info.url != base.rstrip("/") + PATH:
        return Finding.ok("updates", f"by webhook; {base} is set at the start")
    failed_at = info.last_error_date
    if failed_at is not None and time.time() - failed_at.timestamp() < RECENT_SECONDS:
        says = f"by webhook, which Telegram could not reach lately: {info.last_error_message}"
        advice = "check that the address leads to the bot's port, with a valid certificate"
        return Finding.warning("updates", says, advice)
    return Finding.ok("updates", f"by webhook, {info.pending_update_count} waiting")


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


def check_port(settings: Settings) -> Iterator[Finding]:
    """Whether the bot can listen, where it is to."""
    from impasto.telegram.web import hosts_of, port_of

    number = port_of(settings)
    if not number:
        return
    host = settings.server.host
    shown = f"[{host}]" if ":" in host else host
    says = f"{shown}:{number}, from {settings.origin('server.port')}"
    try:
        _bind(hosts_of(settings), number)
    except OSError as error:
        if _is_a_bot(host, number):
            yield Finding.ok("port", f"{says}; a bot answers there now")
        else:
            advice = "set server.port to another one, or end what uses it"
            yield Finding.problem("port", f"{says} cannot be used: {error.strerror}", advice)
        return
    yield Finding.ok("port", says)


def _bind(host: str | None, number: int) -> None:
    """Tries all addresses of a host. Raises OSError when one of them cannot be used."""
    found = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as trial:
            if os.name == "posix":  # on Windows it would allow a port that is in use
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # as asyncio does, so that IPv4 can have the same port
                trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            trial.bind(address)


def _is_a_bot(host: str, number: int) -> bool:
    """Whether what listens on this port is a bot of ours."""
    here = "localhost" if host in EVERY_ADDRESS else host
    connection = http.client.HTTPConnection(here, number, timeout=2)  # past all proxies
    try:
        connection.request("GET", "/healthz")
        return bool(json.load(connection.getresponse()).get("alive"))
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return False
    finally:
        connection.close()
