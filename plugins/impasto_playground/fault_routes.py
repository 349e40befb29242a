"""Faults and the bot's calls over HTTP, beside the Bot API: ``/api/faults`` and ``/api/calls``."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from .client_api import HEARTBEAT_S
from .events import Event
from .faults import Choice, Fault, Faults, SeenCall, Stage
from .forms import Call, read_call
from .refusals import Refusal
from .state import World


class FaultRoutes:
    """Routes that set faults and show what the bot calls.

    A failure is answered with a status of 400 or above and ``{"error": "one sentence"}``.
    """

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add everything to `router`."""
        router.add_get("/api/faults", self._list)
        router.add_post("/api/faults", self._add)
        router.add_delete("/api/faults", self._clear)
        router.add_delete("/api/faults/{number:[0-9]{1,15}}", self._remove)
        router.add_get("/api/calls", self._calls)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response([active.as_json() for active in self._faults.active])

    async def _add(self, request: web.Request) -> web.Response:
        """Add the fault of the body, whose fields are those of `Fault`."""
        call = Call("")
        try:
            await read_call(request, call, self._world.files.incoming)
            fault = Fault.model_validate(call.fields)
        except Refusal as refusal:
            return _error(refusal.description, refusal.code)
        except ValidationError as error:
            return _error(_explain(error))
        finally:
            call.discard_uploads()
        return web.json_response(self._faults.add(fault).as_json(), status=201)

    async def _clear(self, request: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response([])

    async def _remove(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        for active in self._faults.active:
            if active.number == number:
                self._faults.remove(active)
                return web.json_response(active.as_json())
        return _error("There is no such fault.", 404)

    async def _calls(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the bot's calls from now on. The query may choose, by the fields of
        `Choice` and by `stage`."""
        query = dict(request.query)
        try:
            stages = [Stage(query.pop("stage"))] if "stage" in query else list(Stage)
            choice = Choice.model_validate(query)
        except ValidationError as error:
            return _error(_explain(error))
        except ValueError as error:
            return _error(str(error))

        def matches(call: SeenCall, stage: Stage) -> bool:
            return stage in stages and choice.fits(call)

        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        with self._faults.watch(matches) as watcher:
            await response.prepare(request)
            event: Event | None = {}
            try:
                while event is not None:
                    # A comment line tells the reader that it is heard, and us that it is gone.
                    line = f"data: {json.dumps(event)}" if event else ":"
                    await response.write(f"{line}\n\n".encode())
                    event = await watcher.next(HEARTBEAT_S)
            except ConnectionError:
                pass
        return response


def _error(sentence: str, status: int = 400) -> web.Response:
    return web.json_response({"error": sentence}, status=status)


def _explain(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    return f"{name}: {first['msg']}" if name else str(first["msg"])
