"""Who may use the playground, by address, token, Host and Origin."""

from __future__ import annotations

import logging

import aiohttp
import pytest

from impasto_playground import Playground
from impasto_playground.server import is_loopback

PATHS = ("/", "/page/app.js", "/api/chats/1", "/bot123456:EXAMPLE-TOKEN/getMe")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "impasto.localhost"}, 200),
        ({"Host": "192.0.2.1:8080"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost.evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "["}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
async def test_host_and_origin(
    playground: Playground,
    http: aiohttp.ClientSession,
    path: str,
    headers: dict[str, str],
    status: int,
) -> None:
    async with http.get(playground.url + path, headers=headers) as response:
        assert response.status == status


async def test_its_own_origin_is_welcome(
    playground: Playground, http: aiohttp.ClientSession
) -> None:
    headers = {"Origin": playground.url}
    async with http.put(playground.url + "/api/chats/1", headers=headers, json={}) as response:
        assert response.status == 200


async def test_a_further_name(http: aiohttp.ClientSession) -> None:
    async with (
        Playground(port=0, names=["playground"]) as named,
        http.get(named.url, headers={"Host": "Playground:80"}) as response,
    ):
        assert response.status == 200


async def test_every_response_is_protected(
    playground: Playground, http: aiohttp.ClientSession
) -> None:
    for path in (*PATHS, "/nothing", "/api/chats/1/events"):
        async with http.get(playground.url + path) as response:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "script-src 'self'" in response.headers["Content-Security-Policy"]
            assert "unsafe" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("token", "status", "text"),
    [
        ("123456:EXAMPLE-TOKEN", 200, None),
        ("123456:ANOTHER-TOKEN", 401, "Unauthorized"),
        ("123456", 404, "Not Found"),
        ("abc:def", 404, "Not Found"),
        ("1:a b", 404, "Not Found"),
    ],
)
async def test_one_token_only(
    http: aiohttp.ClientSession, token: str, status: int, text: str | None
) -> None:
    async with Playground(port=0, token="123456:EXAMPLE-TOKEN") as strict:
        async with http.get(f"{strict.url}/bot{token}/getMe") as response:
            body = await response.json()
        assert (response.status, body.get("description")) == (status, text)
        async with http.get(f"{strict.url}/file/bot{token}/photos/file_1.jpg") as response:
            assert response.status == (404 if status == 200 else status)


async def test_any_token_by_default(playground: Playground, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{playground.url}/bot77:ANY/getMe") as response:
        assert (await response.json())["result"]["id"] == 77


def test_a_token_that_is_none() -> None:
    with pytest.raises(ValueError, match="a bot token looks like"):
        Playground(token="secret")


async def test_listening_elsewhere_is_loud(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with Playground(port=0):
            assert not caplog.records
        async with Playground(host="0.0.0.0", port=0) as everywhere:
            assert everywhere.url.startswith("http://127.0.0.1:")
    assert "THE PLAYGROUND LISTENS ON 0.0.0.0" in caplog.text


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


async def test_a_taken_port_is_an_error(playground: Playground) -> None:
    port = int(playground.url.rpartition(":")[2])
    second = Playground(port=port)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    with pytest.raises(RuntimeError, match="not started"):
        assert second.world
