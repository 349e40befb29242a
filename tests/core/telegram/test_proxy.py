"""The way to Telegram: which proxy is taken, that calls and files go through it, and that its
password is not shown."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiogram.exceptions import TelegramNetworkError
from pydantic import SecretStr

from impasto.errors import SettingsError
from impasto.settings import Settings, TelegramSettings, load_settings
from impasto.telegram.connection import connected
from impasto.telegram.proxy import ProxyUnusable, proxy_for
from impasto_doctor.bot import ask_telegram, check_telegram, check_way

Patch = pytest.MonkeyPatch

TOKEN = "123456:EXAMPLE-TOKEN"
ELSEWHERE = "http://telegram.test:8081"
ME = b'{"ok": true, "result": {"id": 123456, "is_bot": true, "first_name": "Bot"}}'


@pytest.fixture(autouse=True)
def no_proxies_of_this_machine(monkeypatch: Patch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def settings_for(api_base: str = ELSEWHERE, proxy: str = "") -> Settings:
    return Settings(
        telegram=TelegramSettings(token=SecretStr(TOKEN), api_base=api_base, proxy=SecretStr(proxy))
    )


def chosen(api_base: str = ELSEWHERE, proxy: str = "") -> str | None:
    found = proxy_for(settings_for(api_base, proxy))
    return found.url if found else None


class Stub:
    """A server that answers what comes with the same bytes, and keeps the heads of requests."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.heads: list[str] = []
        self.port = 0

    async def __aenter__(self) -> Stub:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode())
        writer.write(self._answer)
        await writer.drain()
        writer.close()


def answered(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@pytest.fixture
async def proxy() -> AsyncIterator[Stub]:
    async with Stub(answered(ME)) as stub:
        yield stub


class TestChoice:
    def test_without_one_the_way_is_direct(self) -> None:
        assert chosen() is None
        assert check_way(settings_for()).says == f"directly to {ELSEWHERE}"

    @pytest.mark.parametrize(
        ("variable", "api_base"),
        [
            ("HTTPS_PROXY", "https://telegram.test"),
            ("https_proxy", "https://telegram.test"),
            ("HTTP_PROXY", ELSEWHERE),
            ("ALL_PROXY", ELSEWHERE),
            ("all_proxy", "https://telegram.test"),
        ],
    )
    def test_variables_are_honoured_and_named(
        self, variable: str, api_base: str, monkeypatch: Patch
    ) -> None:
        monkeypatch.setenv(variable, "http://me:word@proxy.test:3128")
        assert chosen(api_base) == "http://me:word@proxy.test:3128"
        says = check_way(settings_for(api_base)).says
        assert says == (
            f"through the proxy http://***@proxy.test:3128, from variable {variable} to {api_base}"
        )

    def test_one_for_the_other_scheme_is_none(self, monkeypatch: Patch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
        assert chosen("https://telegram.test") is None

    @pytest.mark.parametrize("excepted", ["telegram.test", ".test", "*", "a.test, telegram.test"])
    def test_no_proxy_excepts_hosts(self, excepted: str, monkeypatch: Patch) -> None:
        monkeypatch.setenv("ALL_PROXY", "http://proxy.test:3128")
        monkeypatch.setenv("NO_PROXY", excepted)
        assert chosen() is None
        assert chosen(proxy="http://mine.test:1") == "http://mine.test:1", "but the setting wins"

    @pytest.mark.parametrize(
        "host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "a.localhost"]
    )
    def test_a_server_on_this_machine_needs_none(self, host: str, monkeypatch: Patch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
        assert chosen(f"http://{host}:8081", proxy="http://mine.test:1") is None

    def test_the_setting_wins_and_is_named(self, monkeypatch: Patch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
        monkeypatch.setenv("IMPASTO_TELEGRAM__PROXY", "http://me:word@mine.test:1")
        settings = load_settings(telegram={"api_base": ELSEWHERE})
        found = proxy_for(settings)
        assert found is not None
        assert str(found) == (
            "the proxy http://***@mine.test:1, from variable IMPASTO_TELEGRAM__PROXY"
        )

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("proxy.test:3128", "http://proxy.test:3128"),
            ("socks5h://proxy.test", "socks5://proxy.test:1080"),
            ("socks://me:x@proxy.test:9", "socks5://me:x@proxy.test:9"),
            ("socks4://proxy.test", "socks4://proxy.test:1080"),
        ],
    )
    def test_what_variables_leave_out_is_added(
        self, written: str, meant: str, monkeypatch: Patch
    ) -> None:
        monkeypatch.setenv("ALL_PROXY", written)
        assert chosen() == meant


@pytest.mark.parametrize(
    "proxy", ["mine.test:1", "ftp://a", "http://", "http://a:b", "http://me:word@"]
)
def test_what_is_no_proxy_is_refused_and_not_shown(proxy: str, monkeypatch: Patch) -> None:
    monkeypatch.setenv("IMPASTO_TELEGRAM__PROXY", proxy)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "telegram.proxy (variable IMPASTO_TELEGRAM__PROXY): a proxy is written" in str(
        caught.value
    )
    assert proxy == "http://" or proxy not in str(caught.value)


class TestCalls:
    async def test_calls_and_files_go_through_an_http_proxy(self, proxy: Stub) -> None:
        bot = connected(settings_for(proxy=f"http://me:word@127.0.0.1:{proxy.port}"))
        async with bot:
            assert (await bot.get_me()).id == 123456
            url = bot.session.api.file_url(TOKEN, "photo.jpg")
            assert b"".join([chunk async for chunk in bot.session.stream_content(url)]) == ME
        call, file = proxy.heads
        assert call.startswith(f"POST {ELSEWHERE}/bot{TOKEN}/getMe ")
        assert file.startswith(f"GET {ELSEWHERE}/file/bot{TOKEN}/photo.jpg ")
        assert "Proxy-Authorization: Basic " in call

    async def test_https_is_tunnelled(self) -> None:
        async with Stub(answered(b"", "407 Proxy Authentication Required")) as proxy:
            settings = settings_for(
                "https://telegram.test", f"http://me:word@127.0.0.1:{proxy.port}"
            )
            [finding] = await ask_telegram(connected(settings), settings)
            assert proxy.heads[0].startswith("CONNECT telegram.test:443 ")
        assert finding.verdict == "problem"
        assert "cannot be reached through the proxy http://***@127.0.0.1" in finding.says
        assert "word" not in finding.says

    async def test_a_proxy_that_is_not_there_is_an_outage(self, free_port: int) -> None:
        bot = connected(settings_for(proxy=f"http://127.0.0.1:{free_port}"))
        async with bot:
            with pytest.raises(TelegramNetworkError):
                await bot.get_me()


class TestSocks:
    def test_without_its_library_the_way_to_it_is_told(self, monkeypatch: Patch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
        settings = settings_for(proxy="socks5://me:word@proxy.test:1080")
        with pytest.raises(ProxyUnusable, match=r"pip install 'impasto\[socks\]'") as caught:
            connected(settings)
        assert "word" not in str(caught.value)
        [finding] = check_telegram(settings)
        assert (finding.name, finding.verdict) == ("proxy", "problem")
        assert "impasto[socks]" in finding.advice

    async def test_calls_go_through_it(self) -> None:
        pytest.importorskip("aiohttp_socks")
        asked: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(3)
            writer.write(b"\x05\x00")
            asked.append(await reader.readexactly(5 + len("telegram.test") + 2))
            writer.write(b"\x05\x00\x00\x01" + bytes(6))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answered(ME))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        bot = connected(settings_for(proxy=f"socks5h://127.0.0.1:{port}"))
        async with bot:
            assert (await bot.get_me()).id == 123456
        server.close()
        assert b"telegram.test" in asked[0], "the proxy looks the name up"

    async def test_its_failures_are_outages(self, free_port: int) -> None:
        pytest.importorskip("aiohttp_socks")
        bot = connected(settings_for(proxy=f"socks5://127.0.0.1:{free_port}"))
        async with bot:
            with pytest.raises(TelegramNetworkError):
                await bot.get_me()
            with pytest.raises(aiohttp.ClientError):
                async for _ in bot.session.stream_content(f"{ELSEWHERE}/file"):
                    pass


def test_doctor_says_the_way_before_it_is_tried(free_port: int) -> None:
    settings = settings_for(proxy=f"http://127.0.0.1:{free_port}")
    found: dict[str, Any] = {finding.name: finding for finding in check_telegram(settings)}
    assert found["way"].says.startswith("through the proxy http://127.0.0.1")
    assert found["token"].verdict == "problem"
