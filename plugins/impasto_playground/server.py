"""The playground: a Bot API server on this machine, with a chat page to talk to the bot; and what
keeps other websites in the person's browser away from it.

A page of another site can send requests to loopback, and with DNS rebinding even read the answers.
So the Host must be an IP address or a name that only means this machine, and an Origin must be the
playground's own.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Collection
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from .bot_api import TOKEN, BotApi
from .client_api import ClientApi
from .faults import FaultRoutes, Faults
from .refusals import Refusal
from .state import DEFAULT_BOT_ID, World

LOGGER = logging.getLogger(__name__)

DEFAULT_TOKEN = f"{DEFAULT_BOT_ID}:PLAYGROUND-TOKEN"
ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - only recognized here, never a default
SHUTDOWN_S = 2.0
PAGE = Path(__file__).with_name("page")

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
    "Cache-Control": "no-cache",
}


class Playground:
    """A Bot API server with one bot, any number of persons, and a chat page at `/`.

    `port` 0 takes a free one. Without `token` every token of a valid shape is this bot's; with it
    every other one is unauthorized. Files lie in a new folder inside `folder` (by default the
    system's temporary folder) and go when the playground stops. `names` are further host names
    that it may be reached by.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8080,
        token: str | None = None,
        folder: Path | None = None,
        names: Collection[str] = (),
    ) -> None:
        if token is not None and not TOKEN.fullmatch(token):
            raise ValueError("a bot token looks like 123456:EXAMPLE-TOKEN")
        self._host = host
        self._port = port
        self._only_token = token
        self._folder = folder
        self._names = {host, *names}
        self._world: World | None = None
        self._running = AsyncExitStack()
        self.token = token or DEFAULT_TOKEN
        self.faults = Faults()
        """What goes wrong between the bot and this server: nothing, unless a test wants it."""

    async def __aenter__(self) -> Playground:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where the Bot API and the page are, without a slash at the end."""
        host = "127.0.0.1" if self._host in ANY_ADDRESS else self._host
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    @property
    def world(self) -> World:
        """The state behind the server, for tests in the same process."""
        if self._world is None:
            raise RuntimeError("the playground is not started")
        return self._world

    async def start(self) -> None:
        """Begin to listen. Raises `OSError` when the port is taken."""
        if not is_loopback(self._host):
            LOGGER.warning(
                "THE PLAYGROUND LISTENS ON %s: everybody who reaches this machine can use it "
                "and see its pictures",
                self._host or "all addresses",
            )
        async with AsyncExitStack() as running:
            world = World(self._folder)
            running.callback(world.files.close)
            api = BotApi(world, self.faults, self._only_token)
            runner = web.AppRunner(
                self._application(world, api), access_log=None, shutdown_timeout=SHUTDOWN_S
            )
            running.push_async_callback(runner.cleanup)
            running.callback(world.hub.close)
            running.callback(world.updates.close)
            running.push_async_callback(api.close)
            running.callback(self.faults.close)
            await runner.setup()
            await web.TCPSite(runner, self._host, self._port).start()
            self._port = self._port or runner.addresses[0][1]
            self._world, self._running = world, running.pop_all()

    async def stop(self) -> None:
        """Answer who still waits, stop listening and remove all files."""
        await self._running.aclose()
        self._world = None

    def _application(self, world: World, api: BotApi) -> web.Application:
        # Bodies are read as streams with limits of their own, see wire.py.
        application = web.Application(
            middlewares=[guard(self._names), answer_refusals], client_max_size=0
        )
        application.on_response_prepare.append(_add_headers)
        api.add_routes(application.router)
        ClientApi(world).add_routes(application.router)
        FaultRoutes(self.faults, world.files.incoming).add_routes(application.router)
        application.router.add_get("/", _index)
        application.router.add_static("/page", PAGE)
        return application


async def _index(request: web.Request) -> web.FileResponse:
    return web.FileResponse(PAGE / "index.html")


@web.middleware
async def answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What the routes beside the Bot API refuse is answered with ``{"error": "one sentence"}``."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.json_response({"error": refusal.description}, status=refusal.code)


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


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
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
