"""The Bot API over HTTP: ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``.

To add a method: write an ``async`` function that takes `Context` and aiogram's model of the method
and returns an aiogram type, and put it into a table of `HANDLERS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
from typing import Any

import aiohttp
from aiogram.methods import TelegramMethod
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from . import inline, messages, profile
from .context import Context
from .faults import DOWNLOAD, ConnectionCut, Faults, SeenCall
from .files import StoredFile
from .refusals import ProxyPage, Refusal, not_found
from .state import World
from .updates import Webhook
from .wire import Call, build_method, json_fields, read_form, received, to_json

LOGGER = logging.getLogger(__name__)

DOWNLOAD_HEADERS = {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": "attachment",
}
TOKEN = re.compile(r"(?P<id>[0-9]{1,16}):[A-Za-z0-9_-]{1,128}")

METHODS = {
    model.__api_method__: (model, handler)
    for handlers in (profile.HANDLERS, messages.HANDLERS, inline.HANDLERS)
    for model, handler in handlers.items()
}
_BY_LOWER_NAME = {name.lower(): entry for name, entry in METHODS.items()}


class BotApi:
    """Answers the calls of the bot, as far as `faults` let it. With `only_token` every other token
    is unauthorized."""

    def __init__(self, world: World, faults: Faults, only_token: str | None) -> None:
        self._world = world
        self._faults = faults
        self._only_token = only_token
        self._webhook = Webhook(world.updates, self._reply_of_webhook)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/bot{token}/{method}", self._call)
        router.add_get("/file/bot{token}/{path:.+}", self._download)

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        try:
            self._authorize(request.match_info["token"])
            async with received(request, self._world.files.incoming, method) as call:
                result = await self._answer(call)
        except Refusal as refusal:
            return _refused(refusal)
        except ConnectionCut:
            return _cut_off(request)
        except Exception:
            LOGGER.exception("the playground failed in %s", method)
            return _refused(Refusal(500, "Internal Server Error"))
        return web.json_response({"ok": True, "result": result})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        try:
            self._authorize(request.match_info["token"])
            stored = self._world.files.by_remote_path(request.match_info["path"])
            if stored is None:
                raise not_found()
            return await self._faults.carry_out(SeenCall(DOWNLOAD), lambda: _whole(stored))
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
            raise Refusal(401, "Unauthorized")
        self._world.recognize_bot(int(match["id"]))

    async def _answer(self, call: Call) -> Any:
        """The result of a call as JSON values. Raises `Refusal` or `ConnectionCut`.

        Every call passes here, from HTTP and from a webhook's reply, so this is the place for
        anything that concerns all of them.
        """
        entry = _BY_LOWER_NAME.get(call.method.lower())
        if entry is None:
            raise not_found()
        model, handler = entry
        for name in call.uploads:
            if name in model.model_fields:
                call.fields.setdefault(name, f"attach://{name}")
        method = build_method(model, call.fields)
        context = Context(self._world, self._webhook, call.uploads)
        seen = SeenCall(model.__api_method__, self._chat_of(method), method)
        return to_json(await self._faults.carry_out(seen, lambda: handler(context, method)))

    async def close(self) -> None:
        """End the delivery to a webhook."""
        await self._webhook.close()

    def _chat_of(self, method: TelegramMethod[Any]) -> int | None:
        query_id = getattr(method, "callback_query_id", None)
        if query_id is not None:
            query = self._world.queries.get(query_id)
            return query.chat_id if query is not None else None
        chat = getattr(method, "chat_id", None)
        return chat if isinstance(chat, int) else None

    async def _reply_of_webhook(self, response: aiohttp.ClientResponse) -> None:
        """Carry out the method that a webhook may put into its answer."""
        call = Call("")
        try:
            await self._read_reply(response, call)
            name = call.fields.pop("method", None)
            if isinstance(name, str):
                call.method = name
                await self._answer(call)
        except (Refusal, ConnectionCut, ValueError, HttpProcessingError) as refusal:
            LOGGER.warning("the webhook's reply was refused: %s", refusal)
        except Exception:
            LOGGER.exception("the playground failed in a webhook's reply")
        finally:
            call.discard_uploads()

    async def _read_reply(self, response: aiohttp.ClientResponse, call: Call) -> None:
        if response.content_type.startswith("multipart/"):
            reader = aiohttp.MultipartReader.from_response(response)
            await read_form(reader.stream, call, self._world.files.incoming)
        elif response.content_type == "application/json":
            call.fields.update(json_fields(await response.read()))


def _refused(refusal: Refusal) -> web.Response:
    if isinstance(refusal, ProxyPage):
        return web.Response(text=refusal.as_html(), content_type="text/html", status=refusal.code)
    return web.json_response(refusal.as_json(), status=refusal.code)


async def _whole(stored: StoredFile) -> web.StreamResponse:
    return web.FileResponse(stored.path, headers=DOWNLOAD_HEADERS)


async def _half(request: web.Request, stored: StoredFile) -> web.StreamResponse:
    """The first half of a file, after which the connection is closed."""
    response = web.StreamResponse(headers=DOWNLOAD_HEADERS)
    response.content_length = stored.size
    content = await asyncio.to_thread(stored.path.read_bytes)
    with contextlib.suppress(ConnectionError):  # whoever wanted it may be gone before
        await response.prepare(request)
        await response.write(content[: stored.size // 2])
    _cut_off(request)
    return response


def _cut_off(request: web.Request) -> web.Response:
    """Closes the connection; the response it returns reaches nobody."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
