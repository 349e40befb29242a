"""The bot: what it shares with workers, its dialogs and its updates put together, run, and ended
cleanly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
from aiogram import Bot, Dispatcher, Router

from impasto.contracts import Storage
from impasto.errors import PluginError
from impasto.jobs.folders import keep_house
from impasto.jobs.service import JobService, limits_of
from impasto.jobs.worker import Worker
from impasto.lean_aiogram import build_models_on_use
from impasto.memory import return_free_memory
from impasto.plugins import PluginHost, PluginRecord
from impasto.settings import Settings
from impasto.tasks import start, unless_set, until_any_ends
from impasto.telegram.access import AccessControl
from impasto.telegram.assembly import opened, repeatedly
from impasto.telegram.calls import ToldCalls
from impasto.telegram.connection import connected, introduced
from impasto.telegram.error_replies import error_replies
from impasto.telegram.intake import Intake
from impasto.telegram.reloading import Reloading, Renewed
from impasto.telegram.web import Health, serving
from impasto.telegram.webhook import Webhook

log = structlog.get_logger(__name__)

SECONDS_TO_DRAIN = 6.0
"""At the end, running handlers have this long; with the worker's and delivery's share it stays
below the 10 s that process managers commonly give."""


async def run_bot(
    settings: Settings,
    host: PluginHost,
    *,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[], None] | None = None,
    changes: asyncio.Queue[Settings] | None = None,
) -> None:
    """Runs the bot until `stop` is set or the task is cancelled, and ends it cleanly: no new work,
    running handlers finish, the job being painted is handed back. Updates come by webhook where
    `telegram.webhook_base` is set, by polling otherwise.

    `on_ready` is called once, when updates are about to be taken. Settings that come through
    `changes` are taken over as far as a running bot can.

    Raises:
        OwnerError: something whoever runs the bot has to change, such as a refused token.
    """
    stop = stop or asyncio.Event()
    build_models_on_use()
    bot = connected(settings)
    bot.session.middleware(ToldCalls(host))
    async with contextlib.AsyncExitStack() as cleanup:
        cleanup.push_async_callback(bot.session.close)
        health = Health()
        webhook = Webhook(bot, settings.telegram) if settings.telegram.webhook_base else None
        routes = [*health.routes(), *(webhook.routes() if webhook is not None else [])]
        # First of all: hosts end what does not listen on its port soon, and ask it how it is.
        await cleanup.enter_async_context(serving(settings, host, routes))
        me = await unless_set(stop, introduced(bot))
        if me is None:
            return
        log.info("bot_starts", username=me.username, id=me.id)
        running = await cleanup.enter_async_context(
            _running(settings, host, bot, webhook=webhook, health=health, changes=changes)
        )
        health.started()
        return_free_memory()
        if on_ready is not None:
            on_ready()
        await until_any_ends([*start([stop.wait()], cleanup), *running])
        log.info("bot_stops")


@contextlib.asynccontextmanager
async def _running(
    settings: Settings,
    host: PluginHost,
    bot: Bot,
    *,
    webhook: Webhook | None,
    health: Health,
    changes: asyncio.Queue[Settings] | None,
) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Everything between Telegram and the journal, running; yields the tasks that must not end."""
    async with contextlib.AsyncExitStack() as cleanup:
        assembly = await cleanup.enter_async_context(opened(settings, host, bot))
        health.add("journal", assembly.check)
        job_service = JobService(
            store=assembly.store,
            storage=assembly.storage,
            queue=assembly.queue,
            reporter=assembly.delivery,
            presets=assembly.presets,
            limits=limits_of(settings.queue),
            estimates=assembly.estimates,
            owners=settings.telegram.admins,
        )
        assembly.store.observe(job_service)
        dispatcher = _dispatcher(host, settings, assembly.storage, job_service, assembly.reloading)

        def renew(now: Renewed) -> None:
            dispatcher["settings"] = now.settings
            job_service.renew(
                now.presets, limits_of(now.settings.queue), now.settings.telegram.admins
            )

        assembly.reloading.on_change(renew)
        intake = Intake(bot=bot, dispatcher=dispatcher, journal=assembly.storage.journal)
        worker = assembly.worker() if assembly.queue.embedded_worker else None
        if worker is not None:
            cleanup.push_async_callback(worker.close)
        await dispatcher.emit_startup(bot=bot, dispatcher=dispatcher, **dispatcher.workflow_data)
        cleanup.push_async_callback(_shut_down, dispatcher, bot)
        listening = start([assembly.store.listen()], cleanup)
        await assembly.recovery.recover()
        await intake.replay()
        # Undone in the opposite order: no more updates are taken, handlers and the worker come to
        # rest, and only then does anything end that they use.
        painting = start([worker.serve()] if worker is not None else [], cleanup)
        cleanup.push_async_callback(_come_to_rest, intake, worker)
        others = [
            _taking(intake, webhook, dispatcher.resolve_used_update_types()),
            keep_house(assembly.storage.journal, assembly.folders, settings.queue),
            repeatedly(assembly.recovery.recover, "recovery"),
            repeatedly(intake.replay, "replay"),
        ]
        if worker is not None:
            others.append(assembly.keep_ready(worker))
        if changes is not None:
            others.append(assembly.reloading.follow(changes))
        yield [*listening, *painting, *start(others, cleanup)]


async def _taking(intake: Intake, webhook: Webhook | None, allowed_updates: list[str]) -> None:
    """Takes updates until cancelled, the way that the settings choose."""
    if webhook is None:
        await intake.poll()
    else:
        await webhook.serve(intake.take, allowed_updates)


async def _come_to_rest(intake: Intake, worker: Worker | None) -> None:
    await asyncio.gather(
        intake.drain(SECONDS_TO_DRAIN), *([worker.drain()] if worker is not None else [])
    )


async def _shut_down(dispatcher: Dispatcher, bot: Bot) -> None:
    try:
        await dispatcher.emit_shutdown(bot=bot, dispatcher=dispatcher, **dispatcher.workflow_data)
    except Exception:
        log.exception("shutdown_handler_failed")


def _dispatcher(
    host: PluginHost,
    settings: Settings,
    storage: Storage,
    job_service: JobService,
    reloading: Reloading,
) -> Dispatcher:
    dispatcher = Dispatcher(
        storage=storage.dialogue,
        events_isolation=storage.isolation,
        name="impasto",
        settings=settings,
        job_service=job_service,
    )
    access_control = AccessControl(settings.telegram)
    dispatcher.update.outer_middleware(access_control)
    reloading.on_change(lambda now: access_control.renew(now.settings.telegram))
    # Called, not collected: names of routers say nothing about their order.
    for record, routers in host.call("impasto_routers", settings=settings):
        try:
            _include(dispatcher, record, routers)
        except PluginError as error:
            host.fail(record, error, "impasto_routers")
    if host.strict:
        host.check_strict()
    dispatcher.include_router(error_replies(host))
    return dispatcher


def _include(dispatcher: Dispatcher, record: PluginRecord, routers: Any) -> None:
    if not isinstance(routers, list | tuple) or not all(isinstance(r, Router) for r in routers):
        raise PluginError(
            record.name, f"impasto_routers must return a list of aiogram routers, not {routers!r}"
        )
    for router in routers:
        if router.parent_router is not None:
            raise PluginError(
                record.name,
                f"impasto_routers returned {router!r}, which belongs to another router; make new "
                "routers in every call",
            )
    for router in routers:  # there may be none
        dispatcher.include_router(router)
