"""The playground: a Bot API server on this machine, with a chat page to talk to the bot."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Any

from aiohttp import web

from .client_api import ClientApi
from .guard import add_headers, guard, is_loopback
from .methods import BotApi
from .page import add_page
from .refusals import Refusal, not_found, unauthorized
from .state import DEFAULT_BOT_ID, World
from .wire import Call, read_call

LOGGER = logging.getLogger(__name__)

TOKEN = re.compile(r"(?P<id>[0-9]{1,16}):[A-Za-z0-9_-]{1,128}")
DEFAULT_TOKEN = f"{DEFAULT_BOT_ID}:PLAYGROUND-TOKEN"
SHUTDOWN_S = 2.0


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
        self._runner: web.AppRunner | None = None
        self._world: World | None = None
        self._api: BotApi | None = None
        self.token = token or DEFAULT_TOKEN

    async def __aenter__(self) -> Playground:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where the Bot API and the page are, without a slash at the end."""
        host = "127.0.0.1" if self._host in ("0.0.0.0", "::", "") else self._host
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
        world = self._world = World(self._folder)
        self._api = BotApi(world)
        runner = self._runner = web.AppRunner(
            self._application(world), access_log=None, shutdown_timeout=SHUTDOWN_S
        )
        try:
            await runner.setup()
            await web.TCPSite(runner, self._host, self._port).start()
        except BaseException:
            await self.stop()
            raise
        if self._port == 0:
            self._port = _port_of(runner)

    async def stop(self) -> None:
        """Answer who still waits, stop listening and remove all files."""
        if self._api is not None:
            await self._api.close()
        if self._world is not None:
            self._world.updates.close()
            self._world.hub.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._world is not None:
            self._world.close()
        self._api = self._world = self._runner = None

    def _application(self, world: World) -> web.Application:
        # Bodies are read as streams with limits of their own, see wire.py.
        application = web.Application(middlewares=[guard(self._names)], client_max_size=0)
        application.on_response_prepare.append(add_headers)
        application.router.add_route("*", "/bot{token}/{method}", self._call)
        application.router.add_get("/file/bot{token}/{path:.+}", self._download)
        ClientApi(world).add_routes(application.router)
        add_page(application.router)
        return application

    async def _call(self, request: web.Request) -> web.Response:
        assert self._api is not None and self._world is not None
        call = Call("")
        try:
            self._authorize(request.match_info["token"])
            incoming = self._world.files.incoming
            call.method = request.match_info["method"]
            await read_call(request, call, incoming)
            result = await self._api.answer(call)
        except Refusal as refusal:
            return web.json_response(refusal.as_json(), status=refusal.code)
        except Exception:
            LOGGER.exception("the playground failed in %s", call.method)
            failed = Refusal(500, "Internal Server Error")
            return web.json_response(failed.as_json(), status=500)
        finally:
            call.discard_uploads()
        return web.json_response({"ok": True, "result": result})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        assert self._world is not None
        try:
            self._authorize(request.match_info["token"])
            stored = self._world.files.by_remote_path(request.match_info["path"])
            if stored is None:
                raise not_found()
        except Refusal as refusal:
            return web.json_response(refusal.as_json(), status=refusal.code)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": "attachment",
        }
        return web.FileResponse(stored.path, headers=headers)

    def _authorize(self, token: str) -> None:
        match = TOKEN.fullmatch(token)
        if match is None:
            raise not_found()
        if self._only_token is not None and not secrets.compare_digest(token, self._only_token):
            raise unauthorized()
        assert self._world is not None
        self._world.recognize_bot(int(match["id"]))


def _port_of(runner: web.AppRunner) -> int:
    addresses: list[Any] = runner.addresses
    return int(addresses[0][1])
