"""Plugins made in a test, alone in a host: no installed one beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from impasto import hookimpl
from impasto.hookspecs import BOT_GROUP
from impasto.plugins import PluginHost, PluginRecord
from impasto.settings import Settings


class Plugin:
    """Hooks by name, each a function that takes what the hook's specification has."""

    def __init__(self, **hooks: Callable[..., Any]) -> None:
        for name, implementation in hooks.items():
            setattr(self, name, hookimpl(implementation))


def settings_with(**plugins: Any) -> Settings:
    return Settings.model_validate({"plugins": {"allow": ["none of the installed"], **plugins}})


def host_with(
    settings: Settings | None = None, /, group: str = BOT_GROUP, **plugins: object
) -> PluginHost:
    return PluginHost(group, settings or settings_with(), more=plugins).load()


def record_of(host: PluginHost) -> PluginRecord:
    """Of the one plugin that is not an installed one."""
    [record] = [record for record in host.records if not record.left_out]
    return record
