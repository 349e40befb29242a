"""The way to Telegram's server: directly, or through a proxy that the settings or the variables of
this machine name."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import urllib.request
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType
from aiohttp import ClientConnectionError, ClientSession

from impasto.errors import OwnerError, described
from impasto.logs import scrub
from impasto.settings import Settings
from impasto.telegram.answers import Session

SOCKS_PORT: Final = 1080
"""https://www.iana.org/assignments/service-names-port-numbers, `socks`."""


class ProxyUnusable(OwnerError):
    """What this kind of proxy needs is not installed."""


@dataclass(frozen=True, slots=True)
class Proxy:
    url: str
    """With its password."""
    origin: str
    """What names it, in words: a setting's source, or a variable."""

    def __str__(self) -> str:
        return f"the proxy {scrub(self.url)}, from {self.origin}"


def proxy_for(settings: Settings) -> Proxy | None:
    """The proxy for calls to `telegram.api_base`; None where they go directly.

    `telegram.proxy` wins over HTTPS_PROXY (or HTTP_PROXY, for an `http` address) and ALL_PROXY,
    which NO_PROXY excepts hosts from. A server on this machine needs none.
    """
    address = urlsplit(settings.telegram.api_base)
    host = address.hostname or ""
    if _is_here(host):
        return None
    own = settings.telegram.proxy.get_secret_value()
    if own:
        return Proxy(_completed(own), settings.origin("telegram.proxy"))
    if urllib.request.proxy_bypass(address.netloc.rpartition("@")[2]):
        return None
    found = urllib.request.getproxies()
    kind = address.scheme if found.get(address.scheme) else "all"
    if not found.get(kind):
        return None
    variable = next((v for v in os.environ if v.lower() == f"{kind}_proxy"), "")
    origin = f"variable {variable}" if variable else "the settings of this system"
    return Proxy(_completed(found[kind]), origin)


def session_to(server: TelegramAPIServer, proxy: Proxy | None) -> Session:
    """Raises ProxyUnusable when what a SOCKS proxy needs is not installed."""
    if proxy is None:
        return Session(api=server)
    if not proxy.url.startswith("socks"):
        return _ThroughProxy(proxy, api=server)
    if importlib.util.find_spec("aiohttp_socks") is None:
        raise ProxyUnusable(f"{proxy} needs a library: pip install 'impasto[socks]'")
    return _ThroughSocks(api=server, proxy=proxy.url)


class _ThroughProxy(Session):
    """aiogram's own way needs a package more, for HTTP proxies too."""

    def __init__(self, proxy: Proxy, **options: Any) -> None:
        super().__init__(**options)
        self._through = proxy.url

    async def create_session(self) -> ClientSession:
        if self._session is None or self._session.closed:
            connector = self._connector_type(**self._connector_init)
            self._session = ClientSession(connector=connector, proxy=self._through)
        return self._session


class _ThroughSocks(Session):
    """The errors of the proxy's package are of none of the kinds that aiogram expects."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109  (aiogram's)
    ) -> TelegramType:
        try:
            return await super().make_request(bot, method, timeout)
        except _errors_of_socks() as error:
            why = described(error)
            raise TelegramNetworkError(method=method, message=why) from error

    async def stream_content(self, *args: Any, **options: Any) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in super().stream_content(*args, **options):
                yield chunk
        except _errors_of_socks() as error:
            raise ClientConnectionError(str(error)) from error


def _errors_of_socks() -> tuple[type[Exception], ...]:
    from aiohttp_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError

    return ProxyConnectionError, ProxyError, ProxyTimeoutError


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _completed(url: str) -> str:
    """With the scheme and, for SOCKS, the port that may be left out; the proxy always looks names
    up, which some write as `socks5h`."""
    full = url if "://" in url else f"http://{url}"
    full = full.replace("socks5h://", "socks5://").replace("socks://", "socks5://")
    parts = urlsplit(full)
    if parts.scheme.startswith("socks") and parts.port is None:
        return parts._replace(netloc=f"{parts.netloc}:{SOCKS_PORT}").geturl()
    return full
