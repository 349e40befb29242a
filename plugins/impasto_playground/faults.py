"""Faults on the way between the bot and Telegram: what a network and a busy server do to calls.

A fault strikes calls of some kind, by chance or a number of times. A watcher sees every call, so a
test can wait for one instead of sleeping. Both are there in Python and over HTTP, at
``/api/faults`` and ``/api/calls``.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from http.client import responses
from itertools import count
from pathlib import Path
from typing import Annotated, Any, TypeVar

from aiogram.methods import TelegramMethod
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .events import Event, Watcher, stream
from .refusals import ProxyPage, Refusal
from .wire import received, to_json

T = TypeVar("T")

DOWNLOAD = "download"
"""The name that a download of a file goes by, which is no method of the Bot API."""


class FaultKind(StrEnum):
    """What happens to a call."""

    FLOOD = "flood"
    """429 with `retry_after`."""
    ERROR = "error"
    """An answer with `code`, as from a server or proxy that is out of order."""
    PAGE = "page"
    """A page of HTML with `code`, as a proxy sends it."""
    SILENCE = "silence"
    """No answer as long as the fault is there, then a closed connection."""
    CUT = "cut"
    """The connection is closed without an answer."""


class Stage(StrEnum):
    """How far a call has come."""

    RECEIVED = "received"
    ACTED = "acted"
    """It has taken effect; its answer is about to be sent, unless a fault keeps it."""


class Choice(BaseModel):
    """Which calls are meant; what is not given leaves it open."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    method: str | None = None
    """Calls of this method; ``download`` for files."""
    chat: int | None = None
    """Calls that belong to this chat."""
    text: str | None = None
    """Calls whose text or caption contains this."""

    def fits(self, call: SeenCall) -> bool:
        """Whether this call is meant."""
        return (
            (self.method is None or self.method.lower() == call.method.lower())
            and (self.chat is None or self.chat == call.chat)
            and (self.text is None or self.text in call.text)
        )


C = TypeVar("C", bound=Choice)


class Fault(Choice):
    """What strikes the calls that are chosen; getUpdates is among them unless others are named."""

    kind: FaultKind
    acts: bool = False
    """The call takes effect, and only its answer is lost. Of a download, half of the file comes."""
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    times: Annotated[int, Field(ge=1)] | None = None
    """So many calls are struck; None: until the fault is removed."""
    retry_after: Annotated[int, Field(ge=1, le=3600)] = 1
    """Of a flood, in seconds."""
    code: Annotated[int, Field(ge=400, le=599)] = 502
    """Of an error or a page."""

    @model_validator(mode="after")
    def _flood_never_acts(self) -> Fault:
        if self.acts and self.kind is FaultKind.FLOOD:
            raise ValueError("a call that is refused for flooding does not act")
        return self


@dataclass(frozen=True)
class SeenCall:
    """One call of the bot as faults and watchers see it."""

    method: str
    chat: int | None = None
    model: TelegramMethod[Any] | None = None
    """As aiogram has it; None for a download."""

    @cached_property
    def text(self) -> str:
        """What it says: its text or caption, that of a new medium too."""
        media = getattr(self.model, "media", None)
        for holder, name in ((self.model, "text"), (self.model, "caption"), (media, "caption")):
            value = getattr(holder, name, None)
            if isinstance(value, str):
                return value
        return ""

    @cached_property
    def fields(self) -> dict[str, Any]:
        """Its fields as JSON values."""
        return {} if self.model is None else to_json(self.model)


@dataclass(eq=False)
class ActiveFault:
    """A fault in force."""

    number: int
    fault: Fault
    struck: int = 0
    removed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_spent(self) -> bool:
        """Whether it has struck as often as it was to."""
        return self.fault.times is not None and self.struck >= self.fault.times

    def as_json(self) -> dict[str, Any]:
        """Its number, what it is, and how often it struck."""
        what = self.fault.model_dump(mode="json", exclude_defaults=True)
        return {"number": self.number, **what, "struck": self.struck}


class ConnectionCut(Exception):
    """This call's connection is to be closed without an answer."""

    def __init__(self, acted: bool) -> None:
        super().__init__("a fault cuts the connection")
        self.acted = acted


class Faults:
    """The faults in force, in the order in which they were added: the first that strikes wins."""

    def __init__(self) -> None:
        self.random = random.Random()  # noqa: S311 - chance, no secret; seed it to repeat a run
        self._active: list[ActiveFault] = []
        self._numbers = count(1)
        self._watchers: dict[Watcher, Callable[[SeenCall, Stage], bool]] = {}

    @property
    def active(self) -> list[ActiveFault]:
        """Those that may still strike, or keep a call waiting."""
        return list(self._active)

    def add(self, fault: Fault) -> ActiveFault:
        """Put a fault into force, until it is spent or removed."""
        active = ActiveFault(next(self._numbers), fault)
        self._active.append(active)
        return active

    def remove(self, active: ActiveFault) -> None:
        """End a fault; calls that it keeps silent lose their connection."""
        active.removed.set()
        if active in self._active:
            self._active.remove(active)

    def clear(self) -> None:
        """End all faults."""
        for active in self.active:
            self.remove(active)

    @contextmanager
    def during(self, fault: Fault) -> Iterator[ActiveFault]:
        """A fault that is in force inside of a ``with``."""
        active = self.add(fault)
        try:
            yield active
        finally:
            self.remove(active)

    @contextmanager
    def watch(
        self, matches: Callable[[SeenCall, Stage], bool] = lambda call, stage: True
    ) -> Iterator[Watcher]:
        """A watcher of the bot's calls: its `next` gives a dict of ``stage``, ``method``, ``chat``,
        ``text``, ``fields`` and, of a call that has acted, ``result``, all of it JSON values."""
        watcher = Watcher()
        self._watchers[watcher] = matches
        try:
            yield watcher
        finally:
            del self._watchers[watcher]

    def close(self) -> None:
        """End all faults and watchers."""
        self.clear()
        for watcher in self._watchers:
            watcher.close()

    async def carry_out(self, call: SeenCall, act: Callable[[], Awaitable[T]]) -> T:
        """The result of `act`, unless a fault strikes the call.

        Raises `Refusal` or `ConnectionCut` then, and whatever `act` raises.
        """
        self._tell(call, Stage.RECEIVED)
        striking = self._striking(call)
        if striking is not None and not striking.fault.acts:
            await _strike(striking)
        result = await act()
        self._tell(call, Stage.ACTED, result)
        if striking is not None:
            await _strike(striking)
        return result

    def _striking(self, call: SeenCall) -> ActiveFault | None:
        for active in self._active:
            fault = active.fault
            if active.is_spent or not fault.fits(call):
                continue
            if fault.probability == 1 or self.random.random() < fault.probability:
                active.struck += 1
                if active.is_spent and fault.kind is not FaultKind.SILENCE:
                    self._active.remove(active)
                return active
        return None

    def _tell(self, call: SeenCall, stage: Stage, result: Any = None) -> None:
        for watcher, matches in tuple(self._watchers.items()):
            if matches(call, stage):
                watcher.put(_event(call, stage, result))


async def _strike(active: ActiveFault) -> None:
    fault = active.fault
    match fault.kind:
        case FaultKind.FLOOD:
            raise Refusal(
                429,
                f"Too Many Requests: retry after {fault.retry_after}",
                {"retry_after": fault.retry_after},
            )
        case FaultKind.ERROR:
            raise Refusal(fault.code, responses.get(fault.code, "Error"))
        case FaultKind.PAGE:
            raise ProxyPage(fault.code, responses.get(fault.code, "Error"))
        case FaultKind.SILENCE:
            await active.removed.wait()
    raise ConnectionCut(acted=fault.acts)


def _event(call: SeenCall, stage: Stage, result: Any) -> Event:
    event = {
        "stage": stage.value,
        "method": call.method,
        "chat": call.chat,
        "text": call.text,
        "fields": call.fields,
    }
    if stage is Stage.ACTED and call.model is not None:
        event["result"] = to_json(result)
    return event


class FaultRoutes:
    """Routes that set faults and show what the bot calls."""

    def __init__(self, faults: Faults, incoming: Path) -> None:
        self._faults = faults
        self._incoming = incoming

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/faults", self._list)
        router.add_post("/api/faults", self._add)
        router.add_delete("/api/faults", self._clear)
        router.add_delete("/api/faults/{number:[0-9]{1,15}}", self._remove)
        router.add_get("/api/calls", self._calls)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response([active.as_json() for active in self._faults.active])

    async def _add(self, request: web.Request) -> web.Response:
        """Add the fault of the body, whose fields are those of `Fault`."""
        async with received(request, self._incoming) as call:
            fault = _validated(Fault, call.fields)
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
        raise Refusal(404, "There is no such fault.")

    async def _calls(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the bot's calls from now on. The query may choose, by the fields of
        `Choice` and by `stage`."""
        query = dict(request.query)
        try:
            stages = [Stage(query.pop("stage"))] if "stage" in query else list(Stage)
        except ValueError as error:
            raise Refusal(400, str(error)) from error
        choice = _validated(Choice, query)

        def matches(call: SeenCall, stage: Stage) -> bool:
            return stage in stages and choice.fits(call)

        with self._faults.watch(matches) as watcher:
            return await stream(request, watcher, first={})


def _validated(model: type[C], fields: dict[str, Any]) -> C:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Refusal(400, f"{place}: {first['msg']}" if place else first["msg"]) from error
