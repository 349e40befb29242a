"""Whoever reaches the port can neither take all descriptors nor keep others out."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from impasto.cli.bot import MOST_DESCRIPTORS, allow_many_descriptors
from impasto.hookspecs import BOT_GROUP
from impasto.plugins import PluginHost
from impasto.settings import PluginsSettings, ServerSettings, Settings
from impasto.telegram import web as module
from impasto.telegram.web import Health, serving

from ...ports import reserved_port

HALF = b"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Le"
WITHOUT_BODY = b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"


@pytest.fixture
def may_go_on() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
def begun() -> asyncio.Semaphore:
    """One for each slow request in hand."""
    return asyncio.Semaphore(0)


@pytest.fixture
async def port(may_go_on: asyncio.Event, begun: asyncio.Semaphore) -> AsyncIterator[int]:
    async def slow(request: web.Request) -> web.Response:
        begun.release()
        await may_go_on.wait()
        return web.Response(text="at last")

    routes = [*Health().routes(), web.post("/slow", slow)]
    with reserved_port() as port:
        settings = Settings(
            server=ServerSettings(port=port),
            plugins=PluginsSettings(allow=["none that is installed"]),
        )
        async with serving(settings, PluginHost(BOT_GROUP, settings).load(), routes):
            yield port
            may_go_on.set()


Held = tuple[asyncio.StreamReader, asyncio.StreamWriter]
"""A connection ends with its writer."""


async def sent(port: int, words: bytes) -> Held:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(words)
    await writer.drain()
    return reader, writer


async def end_of(held: Held) -> bytes:
    """What comes until the server ends the connection."""
    async with asyncio.timeout(30):
        try:
            return await held[0].read()
        except ConnectionError:
            return b""


async def status_of(port: int, path: str = "/healthz", method: str = "GET", **given: object) -> int:
    url = f"http://127.0.0.1:{port}{path}"
    timeout = aiohttp.ClientTimeout(total=30)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.request(method, url, **given) as response,  # type: ignore[arg-type]
    ):
        return response.status


@pytest.mark.parametrize("words", [b"", HALF, b"POST /slow HTTP/1.1\r\n"])
async def test_who_sends_no_whole_request_is_cut_off(
    port: int, words: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_FOR_REQUEST", 0.01)
    assert await end_of(await sent(port, words)) == b""


async def test_who_sends_no_whole_body_is_told(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_FOR_REQUEST", 0.05)
    held = await sent(port, WITHOUT_BODY)
    async with asyncio.timeout(30):
        assert b" 408 " in await held[0].readline()


async def test_who_waits_for_an_answer_is_not_cut_off(
    port: int, may_go_on: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_FOR_REQUEST", 0.05)
    asking = asyncio.create_task(status_of(port, "/slow", "POST"))
    for _ in range(3):  # each lasts for longer than it takes to look twice
        await end_of(await sent(port, HALF))
    assert not asking.done()
    may_go_on.set()
    assert await asking == 200


async def test_half_sent_requests_keep_nobody_out(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 5)
    held = [await sent(port, HALF) for _ in range(50)]
    assert await status_of(port) == 200
    cut_off = [await end_of(connection) for connection in held[:45]]
    assert cut_off == [b""] * 45


async def test_requests_in_hand_are_not_given_up_for_new_ones(
    port: int,
    may_go_on: asyncio.Event,
    begun: asyncio.Semaphore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 3)
    asking = [asyncio.create_task(status_of(port, "/slow", "POST")) for _ in range(3)]
    for _ in asking:
        await begun.acquire()
    assert await end_of(await sent(port, HALF)) == b""
    may_go_on.set()
    assert await asyncio.gather(*asking) == [200] * 3


async def test_a_body_that_is_not_what_its_headers_say(port: int) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert await status_of(port, "/slow", "POST", data=b"no gzip at all", headers=headers) == 400


@pytest.mark.parametrize(
    ("limits", "raised"),
    [
        ((1024, 524_288), (MOST_DESCRIPTORS, 524_288)),
        ((1024, 4096), (4096, 4096)),
        ((1024, resource.RLIM_INFINITY), (MOST_DESCRIPTORS, resource.RLIM_INFINITY)),
        ((1_000_000, 1_000_000), None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
    ],
)
def test_the_soft_limit_of_descriptors_is_raised(
    limits: tuple[int, int], raised: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: done.append(wanted))
    allow_many_descriptors()
    assert done == ([] if raised is None else [raised])
