"""What the bot answers over HTTP: how it is, and the pages of plugins."""

from __future__ import annotations

import json
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
from impasto_playground import Playground

from .test_app import child_with, running

__all__ = ["child_with"]  # a fixture


def listening_at(port: int) -> Settings:
    return Settings(
        server=ServerSettings(host="127.0.0.1", port=port),
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


class TestHealth:
    async def test_alive_at_once_and_ready_when_started(self, free_port: int) -> None:
        health, settings = Health(), listening_at(free_port)
        async with serving(settings, host_of(settings), health.routes()):
            assert (await get(settings.server.port, "/healthz"))[0] == 200
            status, said = await get(settings.server.port, "/readyz")
            assert (status, said["checks"]) == (503, {"start": "not finished"})
            health.started()
            status, said = await get(settings.server.port, "/readyz")
            assert (status, said) == (200, {"ready": True, "checks": {"start": "ok"}})

    async def test_a_check_that_fails_is_named_without_its_reason(self, free_port: int) -> None:
        health, settings = Health(), listening_at(free_port)

        async def broken() -> None:
            raise OSError("redis://user:password@host")

        health.started()
        health.add("journal", broken)
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
