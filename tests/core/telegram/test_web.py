"""What the bot answers over HTTP: how it is, and the pages of plugins."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from impasto import hookimpl
from impasto.errors import OwnerError
from impasto.hookspecs import BOT_GROUP
from impasto.plugins import PluginHost
from impasto.settings import PluginsSettings, ServerSettings, Settings, TelegramSettings
from impasto.telegram.web import Health, port_of, serving
from impasto_doctor.bot import check_port
from impasto_playground import Playground

from .test_app import child_with, running

__all__ = ["child_with"]  # a fixture


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as trial:
            trial.bind(("::1", 0))
    except OSError:
        return False
    return True


has_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")


def healthcheck() -> list[str]:
    """The command of the Dockerfile, with this Python."""
    text = (Path(__file__).parents[3] / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    [command] = re.findall(r"HEALTHCHECK .*\\\n\s+(\[.*\])", text)
    return [sys.executable, *json.loads(command)[1:]]


def listening_at(port: int, host: str = "127.0.0.1") -> Settings:
    return Settings(
        server=ServerSettings(host=host, port=port),
        plugins=PluginsSettings(allow=["none that is installed"]),
    )


async def get(port: int, path: str) -> tuple[int, Any]:
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        text = await response.text()
        return response.status, json.loads(text) if text.startswith("{") else text


def host_of(settings: Settings, **plugins: object) -> PluginHost:
    return PluginHost(BOT_GROUP, settings, more=plugins).load()


class Page:
    """A plugin with a page."""

    def __init__(self, path: str) -> None:
        self._path = path

    @hookimpl
    def impasto_web_routes(self) -> list[web.AbstractRouteDef]:
        return [web.get(self._path, self._show)]

    async def _show(self, request: web.Request) -> web.Response:
        if "fail" in request.query:
            raise RuntimeError("of the plugin")
        return web.Response(text="hello")


class NoPage:
    """A plugin that takes a path for a route."""

    @hookimpl
    def impasto_web_routes(self) -> list[str]:
        return ["/page"]


@pytest.mark.parametrize(
    ("server", "telegram", "port"),
    [
        ({}, {}, 0),
        ({}, {"webhook_base": "https://bot.example.org"}, 8080),
        ({"port": 9000}, {}, 9000),
        ({"port": 9000}, {"webhook_base": "https://bot.example.org"}, 9000),
    ],
)
def test_which_port_is_listened_on(
    server: dict[str, Any], telegram: dict[str, Any], port: int
) -> None:
    settings = Settings(server=ServerSettings(**server), telegram=TelegramSettings(**telegram))
    assert port_of(settings) == port


async def test_without_a_port_nothing_listens() -> None:
    settings = listening_at(0)
    async with serving(settings, host_of(settings), Health().routes()):
        pass


async def test_a_port_in_use_is_named(free_port: int) -> None:
    settings = listening_at(free_port)
    async with serving(settings, host_of(settings), []):
        with pytest.raises(OwnerError, match=rf"port {settings.server.port} is in use"):
            async with serving(settings, host_of(settings), []):
                pass


HOSTS = ["127.0.0.1", "0.0.0.0", pytest.param("::", marks=has_ipv6)]


class TestHosts:
    """Every address that may be listened on is known to the doctor and to the container's own
    check."""

    @pytest.mark.parametrize("host", [*HOSTS, pytest.param("::1", marks=has_ipv6)])
    async def test_the_doctor_finds_the_bot(
        self, host: str, free_port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        settings = listening_at(free_port, host)
        [finding] = await asyncio.to_thread(lambda: list(check_port(settings)))
        shown = f"[{host}]:{free_port}" if ":" in host else f"{host}:{free_port}"
        assert (finding.verdict, finding.says) == ("ok", f"{shown}, from default")
        async with serving(settings, host_of(settings), Health().routes()):
            [finding] = await asyncio.to_thread(lambda: list(check_port(settings)))
            assert finding.verdict == "ok"
            assert "a bot answers there" in finding.says

    @pytest.mark.parametrize("host", HOSTS)
    async def test_the_container_finds_the_bot(
        self, host: str, free_port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("IMPASTO_SERVER__PORT", str(free_port))

        async def check() -> int:
            error = asyncio.subprocess.DEVNULL
            process = await asyncio.create_subprocess_exec(*healthcheck(), stderr=error)
            return await process.wait()

        settings = listening_at(free_port, host)
        async with serving(settings, host_of(settings), Health().routes()):
            assert await check() == 0
        assert await check() != 0, "nothing listens any more"

    @has_ipv6
    async def test_two_colons_are_ipv4_too(self, free_port: int) -> None:
        settings = listening_at(free_port, "::")
        async with serving(settings, host_of(settings), Health().routes()):
            assert (await get(free_port, "/healthz"))[0] == 200
            [finding] = await asyncio.to_thread(
                lambda: list(check_port(listening_at(free_port, "::1")))
            )
            assert "a bot answers there" in finding.says

    def test_brackets_are_taken_away(self) -> None:
        assert ServerSettings(host="[::1]").host == "::1"


class TestHealth:
    async def test_alive_at_once_and_ready_when_started(self, free_port: int) -> None:
        health, settings = Health(), listening_at(free_port)

        async def sound() -> None:
            pass

        async with serving(settings, host_of(settings), health.routes()):
            assert (await get(settings.server.port, "/healthz"))[0] == 200
            status, said = await get(settings.server.port, "/readyz")
            assert (status, said["checks"]) == (503, {"start": "not finished"})
            health.started(sound)
            status, said = await get(settings.server.port, "/readyz")
            checks = {"journal": "ok", "start": "ok"}
            assert (status, said) == (200, {"ready": True, "checks": checks})

    async def test_a_check_that_fails_is_named_without_its_reason(self, free_port: int) -> None:
        health, settings = Health(), listening_at(free_port)

        async def broken() -> None:
            raise OSError("redis://user:password@host")

        health.started(broken)
        async with serving(settings, host_of(settings), health.routes()):
            status, said = await get(settings.server.port, "/readyz")
            assert (status, said["checks"]["journal"]) == (503, "failed")
            assert (await get(settings.server.port, "/healthz"))[0] == 200


class TestPagesOfPlugins:
    async def test_are_served_and_fail_alone(self, free_port: int) -> None:
        settings = listening_at(free_port)
        async with serving(settings, host_of(settings, page=Page("/page")), Health().routes()):
            assert await get(settings.server.port, "/page") == (200, "hello")
            assert (await get(settings.server.port, "/page?fail=1"))[0] == 500
            assert (await get(settings.server.port, "/healthz"))[0] == 200

    async def test_what_is_no_route_or_taken_costs_only_its_plugin(self, free_port: int) -> None:
        settings = listening_at(free_port)
        plugins = {"taken": Page("/healthz"), "none": NoPage(), "page": Page("/page")}
        host = host_of(settings, **plugins)
        async with serving(settings, host, Health().routes()):
            assert await get(settings.server.port, "/page") == (200, "hello")
            assert (await get(settings.server.port, "/healthz"))[0] == 200
        errors = {record.name: record.error for record in host.records if record.error}
        assert set(errors) == {"taken", "none"}
        assert "which is no AbstractRouteDef" in str(errors["none"])


@pytest.mark.usefixtures("child_with")
async def test_a_polling_bot_says_how_it_is(
    playground: Playground, tmp_path: Path, free_port: int
) -> None:
    settings = Settings(
        state_dir=tmp_path / "state",
        telegram=TelegramSettings(token=SecretStr(playground.token), api_base=playground.url),
        server=ServerSettings(host="127.0.0.1", port=free_port),
    )
    async with running(settings):
        status, said = await get(settings.server.port, "/readyz")
        assert (status, said["checks"]) == (200, {"journal": "ok", "start": "ok"})
