"""What holds for every plugin, and for those that talk."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from aiogram import Router
from pydantic import BaseModel

from impasto import hookspecs
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP, PAINTING_HOOKS
from impasto.plugins import PluginHost
from impasto.testing.factories import make_settings

NOTHING_ELSE = {"allow": ["nothing that is installed"]}


def host_of(plugin: Any) -> PluginHost:
    """The plugin, loaded alone in the process to which its hooks belong."""
    group = PAINTING_GROUP if PAINTING_HOOKS & set(dir(plugin)) else BOT_GROUP
    settings = make_settings(plugins=NOTHING_ELSE)
    return PluginHost(group, settings, strict=True, more={"tested": plugin}).load()


class PluginConformance:
    """Inherit it and override the fixture `plugin` with the module (or object) that has the
    hooks."""

    @pytest.fixture
    def plugin(self) -> Any:
        raise NotImplementedError("override the fixture `plugin`")

    @pytest.fixture
    def host(self, plugin: Any) -> PluginHost:
        return host_of(plugin)

    def test_loads_without_a_warning(self, plugin: Any) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            host_of(plugin)
        assert [str(warning.message) for warning in caught] == []

    def test_has_hooks_of_this_version_only(self, plugin: Any) -> None:
        marked = {name for name in dir(plugin) if name.startswith("impasto_")}
        assert marked - {"impasto_api", "impasto_order"} <= set(hookspecs.HOOKS)

    def test_its_settings_all_have_defaults(self, host: PluginHost) -> None:
        for _, model in host.call("impasto_settings"):
            assert issubclass(model, BaseModel)
            assert model() is not None


class DialogConformance(PluginConformance):
    """The same for plugins with the hook `impasto_routers`."""

    def routers(self, host: PluginHost) -> list[Router]:
        [(_, routers)] = host.call("impasto_routers", settings=host.settings)
        return list(routers)

    def test_returns_routers(self, host: PluginHost) -> None:
        routers = self.routers(host)
        assert routers
        assert all(isinstance(router, Router) for router in routers)

    def test_makes_new_routers_in_every_call(self, host: PluginHost) -> None:
        """A router can belong to one bot only."""
        once, again = self.routers(host), self.routers(host)
        assert not {id(router) for router in once} & {id(router) for router in again}
        assert all(router.parent_router is None for router in again)

    def test_names_its_routers(self, host: PluginHost) -> None:
        """Logs name the router that failed; the default name is an address."""
        assert all(not router.name.startswith("0x") for router in self.routers(host))
