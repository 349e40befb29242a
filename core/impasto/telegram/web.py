"""What the bot answers over HTTP: `/healthz`, `/readyz`, the webhook and the pages of plugins.

Nothing listens when neither a port is set nor a webhook is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from aiohttp.web_protocol import RequestHandler

from impasto.errors import OwnerError, PluginError, described
from impasto.plugins import PluginHost
from impasto.plugins.checks import checked_objects
from impasto.plugins.containment import running
from impasto.settings import Settings

log = structlog.get_logger(__name__)

DEFAULT_PORT: Final = 8080
LARGEST_BODY: Final = 2**20
"""Bytes; updates carry texts and file ids, never files."""
SECONDS_TO_CLOSE: Final = 2.0
SECONDS_FOR_REQUEST: Final = 10.0
"""Time for the headers of a request, and for its body: whoever is slower is cut off, and so is who
sends no request for so long."""
MOST_CONNECTIONS: Final = 256
"""At the same time. One more takes the place of the oldest that has no request in hand: half-sent
requests must not keep Telegram's out, nor take the descriptors that painting needs."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Check = Callable[[], Awaitable[None]]
"""Looks at something that the bot cannot do without; raises what is wrong with it."""


def port_of(settings: Settings) -> int:
    """The port to listen on; 0 when nothing is to listen."""
    return settings.server.port or (DEFAULT_PORT if settings.telegram.webhook_base else 0)


def hosts_of(settings: Settings) -> str | None:
    """What to listen on, as asyncio takes it. `::` is every address, of IPv4 too, as in most
    programs; asyncio's own `::` is of IPv6 alone."""
    return None if settings.server.host == "::" else settings.server.host


class Health:
    """Answers whether the bot is alive (`/healthz`) and whether it is of use (`/readyz`)."""

    def __init__(self) -> None:
        self._check: Check | None = None

    def started(self, check: Check) -> None:
        """From here on readiness depends on this alone, which looks at the journal."""
        self._check = check

    def routes(self) -> list[web.AbstractRouteDef]:
        return [web.get("/healthz", self._is_alive), web.get("/readyz", self._is_ready)]

    async def _is_alive(self, _: web.Request) -> web.Response:
        """An answer shows that the event loop runs. Nothing else is checked, since an outage of
        Telegram or of the store is no reason for a restart."""
        return web.json_response({"alive": True})

    async def _is_ready(self, _: web.Request) -> web.Response:
        if self._check is None:
            checks = {"start": "not finished"}
        else:
            checks = {"journal": await _result_of(self._check), "start": "ok"}
        is_ready = set(checks.values()) == {"ok"}
        return web.json_response(
            {"ready": is_ready, "checks": checks}, status=200 if is_ready else 503
        )


class Connections:
    """Makes the protocols of connections, as asyncio asks for them, and bounds what they take."""

    def __init__(self) -> None:
        self.server: web.Server | None = None
        """Of the application whose middleware `limited` is."""
        self._open: dict[RequestHandler, asyncio.TimerHandle | None] = {}
        """Oldest first, with what cuts it off when no request comes; None while one is in hand."""

    def __call__(self) -> RequestHandler:
        if self.server is None:
            raise RuntimeError("there is nobody to take requests")
        connection = self.server()
        if len(self._open) >= MOST_CONNECTIONS:
            self._cut(next((one for one, timer in self._open.items() if timer), connection))
        self._await_request(connection)
        return connection

    @web.middleware
    async def limited(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = request.protocol
        if timer := self._open.get(connection):
            timer.cancel()
            self._open[connection] = None
        try:
            async with asyncio.timeout(SECONDS_FOR_REQUEST):
                await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except web.RequestPayloadError:
            raise web.HTTPBadRequest(text="not what its headers say") from None
        else:
            return await handler(request)
        finally:
            if connection in self._open:
                self._await_request(connection)

    def _await_request(self, connection: RequestHandler) -> None:
        loop = asyncio.get_running_loop()
        self._open[connection] = loop.call_later(SECONDS_FOR_REQUEST, self._cut, connection)

    def _cut(self, connection: RequestHandler) -> None:
        if timer := self._open.pop(connection, None):
            timer.cancel()
        # A new one has its transport a moment later.
        asyncio.get_running_loop().call_soon(_abort, connection)


def _abort(connection: RequestHandler) -> None:
    if isinstance(connection.transport, asyncio.WriteTransport):
        connection.transport.abort()


@contextlib.asynccontextmanager
async def serving(
    settings: Settings, host: PluginHost, routes: Sequence[web.AbstractRouteDef]
) -> AsyncIterator[None]:
    """Listens inside the block, if there is anything to listen on.

    Raises:
        OwnerError: the address or port cannot be used.
    """
    port = port_of(settings)
    if not port:
        yield
        return
    connections = Connections()
    application = web.Application(
        client_max_size=LARGEST_BODY, middlewares=[connections.limited, _containing(host)]
    )
    application.add_routes(routes)
    for record, returned in host.call("impasto_web_routes", settings=settings):
        try:
            with running(record.name, "impasto_web_routes"):
                _add(application, record.name, returned)
        except Exception as error:
            host.fail(record, error, "impasto_web_routes")
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SECONDS_TO_CLOSE)
    await runner.setup()
    connections.server = runner.server
    listener: asyncio.Server | None = None
    try:
        try:
            loop = asyncio.get_running_loop()
            listener = await loop.create_server(connections, hosts_of(settings), port)
        except OSError as error:
            raise OwnerError(_why_not(error, settings.server.host, port)) from None
        log.info("listening", host=settings.server.host, port=port)
        yield
    finally:
        if listener is not None:
            listener.close()
        await runner.cleanup()


def _containing(host: PluginHost) -> Middleware:
    """Names the plugin whose page fails, whatever it raises."""

    @web.middleware
    async def contained(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except BaseException as error:
            contained, plugin = host.contained(error), host.raised_in(error)
            log.error("page_failed", plugin=plugin, path=request.path, exc_info=contained)
            raise web.HTTPInternalServerError from None

    return contained


def _add(application: web.Application, plugin: str, returned: Any) -> None:
    """Adds the pages of one plugin.

    Raises:
        PluginError: they are no routes, or the bot has one of that path already.
    """
    routes = checked_objects(plugin, "impasto_web_routes", web.AbstractRouteDef, returned)
    taken = {resource.canonical for resource in application.router.resources()}
    for route in routes:
        path = getattr(route, "path", None)
        if path in taken:
            raise PluginError(plugin, f"impasto_web_routes: there is a page {path} already")
    application.add_routes(routes)


async def _result_of(check: Check) -> str:
    try:
        await check()
    except Exception as error:
        log.warning("not_ready", check="journal", why=described(error))
        return "failed"
    return "ok"


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; set server.port to another one, or end what uses it"
    if error.errno == errno.EACCES:
        return f"port {port} may not be opened; set server.port to one above 1023"
    return f"server.host {host!r} cannot be listened on: {error.strerror or error}"
