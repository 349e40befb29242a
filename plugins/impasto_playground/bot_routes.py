"""The bot's side over HTTP: ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets

from aiohttp import web

from .faults import DOWNLOAD, ConnectionCut, SeenCall
from .files import StoredFile
from .forms import Call, read_call
from .methods import BotApi
from .refusals import Refusal, not_found, unauthorized
from .state import World

LOGGER = logging.getLogger(__name__)

DOWNLOAD_HEADERS = {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": "attachment",
}

TOKEN = re.compile(r"(?P<id>[0-9]{1,16}):[A-Za-z0-9_-]{1,128}")


class BotRoutes:
    """Routes that a bot uses. With `only_token` all others are unauthorized."""

    def __init__(self, world: World, api: BotApi, only_token: str | None) -> None:
        self._world = world
        self._api = api
        self._only_token = only_token

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add both to `router`."""
        router.add_route("*", "/bot{token}/{method}", self._call)
        router.add_get("/file/bot{token}/{path:.+}", self._download)

    async def _call(self, request: web.Request) -> web.Response:
        call = Call(request.match_info["method"])
        try:
            self._authorize(request.match_info["token"])
            await read_call(request, call, self._world.files.incoming)
            result = await self._api.answer(call)
        except Refusal as refusal:
            return _refused(refusal)
        except ConnectionCut:
            return _cut_off(request)
        except Exception:
            LOGGER.exception("the playground failed in %s", call.method)
            return _refused(Refusal(500, "Internal Server Error"))
        finally:
            call.discard_uploads()
        return web.json_response({"ok": True, "result": result})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        try:
            self._authorize(request.match_info["token"])
            stored = self._world.files.by_remote_path(request.match_info["path"])
            if stored is None:
                raise not_found()
            return await self._api.faults.carry_out(SeenCall(DOWNLOAD), lambda: _whole(stored))
        except Refusal as refusal:
            return _refused(refusal)
        except ConnectionCut as cut:
            if stored is not None and cut.acted:
                return await _half(request, stored)
            return _cut_off(request)

    def _authorize(self, token: str) -> None:
        match = TOKEN.fullmatch(token)
        if match is None:
            raise not_found()
        if self._only_token is not None and not secrets.compare_digest(token, self._only_token):
            raise unauthorized()
        self._world.recognize_bot(int(match["id"]))


def _refused(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.as_json(), status=refusal.code)


async def _whole(stored: StoredFile) -> web.StreamResponse:
    return web.FileResponse(stored.path, headers=DOWNLOAD_HEADERS)


async def _half(request: web.Request, stored: StoredFile) -> web.StreamResponse:
    """The first half of a file, after which the connection is closed."""
    response = web.StreamResponse(headers=DOWNLOAD_HEADERS)
    response.content_length = stored.size
    await response.prepare(request)
    content = await asyncio.to_thread(stored.path.read_bytes)
    await response.write(content[: stored.size // 2])
    _cut_off(request)
    return response


def _cut_off(request: web.Request) -> web.Response:
    """Closes the connection; the response it returns reaches nobody."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
