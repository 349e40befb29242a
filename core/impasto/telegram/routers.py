"""Routers of plugins: included, and told of the bot's start and end. A plugin that fails at that
costs its own conversation only."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from aiogram import Bot, Dispatcher, Router

from impasto.errors import PluginError
from impasto.plugins import PluginHost, PluginRecord
from impasto.plugins.checks import checked_objects
from impasto.plugins.containment import running
from impasto.settings import Settings
from impasto.tasks import cancelled

log = structlog.get_logger(__name__)


class PluginRouters:
    """The conversation of each plugin, in the order of plugins."""

    def __init__(self, dispatcher: Dispatcher, host: PluginHost) -> None:
        self._dispatcher = dispatcher
        self._host = host
        self._routers: list[tuple[PluginRecord, Router]] = []
        self._starting: list[asyncio.Task[None]] = []

    def include(self, settings: Settings) -> None:
        """Raises PluginsFailed when the start is strict and a plugin failed."""
        # Called, not collected: names of routers say nothing about their order.
        for record, returned in self._host.call("impasto_routers", settings=settings):
            try:
                with running(record.name, "impasto_routers"):
                    routers = _checked(record.name, returned)
            except Exception as error:
                self._host.fail(record, error, "impasto_routers")
                continue
            for router in routers:
                self._dispatcher.include_router(router)
                self._routers.append((record, router))
        if self._host.strict:
            self._host.check_strict()

    async def open(self, bot: Bot) -> None:
        """Runs the startup handlers. Routers of a plugin whose own fail are taken out; what takes
        longer than `plugins.start_seconds` goes on beside the bot."""
        patience = self._host.settings.plugins.start_seconds
        for record, router in self._routers:
            self._starting.append(asyncio.create_task(self._begin(record, router, bot)))
            _, late = await asyncio.wait(self._starting[-1:], timeout=patience or None)
            if late:
                log.error("startup_handler_late", plugin=record.name, longer=patience)

    async def close(self, bot: Bot) -> None:
        """Runs the shutdown handlers; what they raise is logged."""
        await cancelled(self._starting)
        await self._dispatcher.shutdown.trigger(**self._data(bot), router=self._dispatcher)
        for record, router in self._routers:
            try:
                await router.emit_shutdown(**self._data(bot))
            except BaseException as error:
                contained = self._host.contained(error)
                log.error("shutdown_handler_failed", plugin=record.name, exc_info=contained)

    async def _begin(self, record: PluginRecord, router: Router, bot: Bot) -> None:
        try:
            await router.emit_startup(**self._data(bot))
        except BaseException as error:
            self._host.fail(record, self._host.contained(error), "startup handler")
            for owner, one in self._routers:
                if owner is record and one in self._dispatcher.sub_routers:
                    self._dispatcher.sub_routers.remove(one)

    def _data(self, bot: Bot) -> dict[str, Any]:
        return {"bot": bot, "dispatcher": self._dispatcher, **self._dispatcher.workflow_data}


def _checked(plugin: str, returned: Any) -> list[Router]:
    """Raises PluginError where these cannot be included."""
    routers = checked_objects(plugin, "impasto_routers", Router, returned)
    for router in routers:
        if router.parent_router is not None:
            raise PluginError(
                plugin,
                f"impasto_routers returned {router!r}, which belongs to another router; make new "
                "routers in every call",
            )
    return routers
