"""Keeps other websites in the person's browser away from the playground.

A page of another site can send requests to loopback, and with DNS rebinding even read the
answers. So the Host must be an IP address or a name that only means this machine, and an Origin
must be the playground's own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Whether a server that listens on `host` is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def guard(names: Collection[str]) -> Middleware:
    """A middleware that lets in `names`, ``localhost`` and IP addresses, and no other sites."""
    known = {"localhost", *(name.lower() for name in names)}

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _host_is_ours(request, known):
            return web.Response(status=421, text="This playground does not go by that name.\n")
        if not _origin_is_ours(request):
            return web.Response(status=403, text="Other sites may not use this playground.\n")
        return await handler(request)

    return middleware


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the protective headers on every response, those of event streams included."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _host_is_ours(request: web.Request, known: Collection[str]) -> bool:
    try:
        name = URL(f"http://{request.host}").host
    except ValueError:
        return False
    if not name:
        return False
    if name.lower() in known or name.lower().endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _origin_is_ours(request: web.Request) -> bool:
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin.lower() == f"{request.scheme}://{request.host}".lower()
