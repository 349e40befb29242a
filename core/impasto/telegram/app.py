"""The programs `impasto run` and `impasto worker`: what the settings name, put together, run, and
ended cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from aiogram import Dispatcher

from impasto.contracts import ChatCommand, StylePreset
from impasto.jobs.folders import tidy_up
from impasto.jobs.service import JobService, limits_of
from impasto.jobs.worker import Worker
from impasto.lean_aiogram import build_models_on_use
from impasto.memory import return_free_memory
from impasto.plugins import PluginHost
from impasto.plugins.event_loop import contained_tasks
from impasto.settings import Settings
from impasto.tasks import repeatedly, start, unless_set, until_any_ends
from impasto.telegram.access import AccessControl
from impasto.telegram.assembly import Assembly, opened
from impasto.telegram.connection import ToldCalls, connected, introduced
from impasto.telegram.intake import Intake
from impasto.telegram.notices import ErrorReplies
from impasto.telegram.routers import PluginRouters
from impasto.telegram.web import Health, serving
from impasto.telegram.webhook import Webhook

log = structlog.get_logger(__name__)

SECONDS_TO_DRAIN = 6.0
"""At the end, running handlers have this long; with the worker's and delivery's share it stays
below the 10 s that process managers commonly give."""

RECOVERY_SECONDS = 5.0
"""Between two looks for what processes that are gone left unfinished."""

SECONDS_BETWEEN_TIDYINGS = 3600.0

SECONDS_BETWEEN_LOOKS = 30.0
"""For jobs that a shared journal has lost; each takes a question for every job at hand."""


async def run_bot(
    settings: Settings,
    host: PluginHost,
    *,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[], None] | None = None,
    changes: asyncio.Queue[Settings] | None = None,
    only_paints: bool = False,
) -> None:
    """Runs the bot until `stop` is set or the task is cancelled, and ends it cleanly: no new work,
    running handlers finish, the job being painted is handed back. Updates come by webhook where
    `telegram.webhook_base` is set, by polling otherwise.

    `on_ready` is called once, when updates are about to be taken. Settings that come through
    `changes` are taken over as far as a running bot can. With `only_paints` this is a worker, which
    takes no updates: it paints the jobs that bots accept, and talks to Telegram about them.

    Raises:
        OwnerError: something whoever runs the bot has to change, such as a refused token.
    """
    program = "worker" if only_paints else "bot"
    stop = stop or asyncio.Event()
    build_models_on_use()
    bot = connected(settings)
    bot.session.middleware(ToldCalls(host))
    async with contextlib.AsyncExitStack() as cleanup:
        cleanup.enter_context(contained_tasks(host))
        cleanup.push_async_callback(bot.session.close)
        health = Health()
        takes_posts = bool(settings.telegram.webhook_base) and not only_paints
        webhook = Webhook(bot, settings.telegram) if takes_posts else None
        routes = [*health.routes(), *(webhook.routes() if webhook is not None else [])]
        # First of all: hosts end what does not listen on its port soon, and ask it how it is.
        await cleanup.enter_async_context(serving(settings, host, routes))
        me = await unless_set(stop, introduced(bot))
        if me is None:
            return
        log.info(f"{program}_starts", username=me.username, id=me.id)
        assembly = await cleanup.enter_async_context(
            opened(settings, host, bot, only_paints=only_paints)
        )
        tasks = await _started(assembly, only_paints, webhook, changes, cleanup)
        health.started(assembly.check)
        return_free_memory()
        if on_ready is not None:
            on_ready()
        await until_any_ends([*tasks, *start([stop.wait()], cleanup)])
        log.info(f"{program}_stops")


run_worker = functools.partial(run_bot, only_paints=True)


async def _started(
    assembly: Assembly,
    only_paints: bool,
    webhook: Webhook | None,
    changes: asyncio.Queue[Settings] | None,
    cleanup: contextlib.AsyncExitStack,
) -> list[asyncio.Task[Any]]:
    """Everything between Telegram and the journal, running: tasks that must not end.

    It is undone in the opposite order: no more updates are taken, handlers and the worker come to
    rest, and only then does anything end that they use.
    """
    paints_here = only_paints or assembly.queue.embedded_worker
    worker = assembly.worker() if paints_here else None
    if worker is not None:
        cleanup.push_async_callback(worker.close)
    intake = None if only_paints else await _intake(assembly, cleanup)
    listening = start([assembly.store.listen()], cleanup)
    await assembly.recovery.recover()
    if intake is not None:
        await intake.replay()
    painting = start([worker.serve()] if worker is not None else [], cleanup)
    cleanup.push_async_callback(_come_to_rest, intake, worker)
    journal, queue = assembly.storage.journal, assembly.settings.queue
    tidying = functools.partial(tidy_up, journal, assembly.folders, queue)
    others = [
        repeatedly(tidying, "tidying up", SECONDS_BETWEEN_TIDYINGS),
        repeatedly(assembly.recovery.recover, "recovery", RECOVERY_SECONDS),
        repeatedly(assembly.watch, "journal", RECOVERY_SECONDS),
    ]
    if assembly.storage.is_shared:
        vanished = assembly.store.look_for_vanished
        others.append(repeatedly(vanished, "vanished", SECONDS_BETWEEN_LOOKS))
    if intake is not None:
        updates = intake.poll() if webhook is None else webhook.serve(intake.take, intake.wanted)
        others.append(updates)
        others.append(repeatedly(intake.replay, "replay", RECOVERY_SECONDS))
    if worker is not None:
        others.append(assembly.keep_ready(worker))
    if changes is not None:
        others.append(assembly.reloading.follow(changes))
    return [*listening, *painting, *start(others, cleanup)]


async def _come_to_rest(intake: Intake | None, worker: Worker | None) -> None:
    """Lets handlers finish and hands back the job in hand, at the same time."""
    async with asyncio.TaskGroup() as both:
        if intake is not None:
            both.create_task(intake.drain(SECONDS_TO_DRAIN))
        if worker is not None:
            both.create_task(worker.drain())


async def _intake(assembly: Assembly, cleanup: contextlib.AsyncExitStack) -> Intake:
    """Takes updates for the handlers of plugins, which are told of the start here."""
    settings = assembly.settings
    job_service = JobService(
        store=assembly.store,
        storage=assembly.storage,
        queue=assembly.queue,
        reporter=assembly.delivery,
        presets=assembly.presets,
        limits=limits_of(settings.queue),
        estimates=assembly.estimates,
        trials=assembly.trials,
        owners=settings.telegram.admins,
    )
    assembly.store.observe(job_service)
    access = AccessControl(settings.telegram, assembly.presenter)
    dispatcher = Dispatcher(
        storage=assembly.storage.dialogue,
        events_isolation=assembly.storage.isolation,
        name="impasto",
        settings=settings,
        job_service=job_service,
        chat_commands=assembly.host.collect(
            "impasto_chat_commands", ChatCommand, settings=settings
        ),
    )
    replies = ErrorReplies(assembly.host, assembly.presenter, assembly.alerts)
    dispatcher.update.outer_middleware(replies.contain)
    dispatcher.update.outer_middleware(access)
    dispatcher.message.outer_middleware(assembly.delivery.see_received)
    routers = PluginRouters(dispatcher, assembly.host)
    routers.include(settings)
    dispatcher.include_router(replies.router())

    def renew(now: Settings, presets: Sequence[StylePreset]) -> None:
        dispatcher["settings"] = now
        access.renew(now.telegram)
        job_service.renew(presets, limits_of(now.queue), now.telegram.admins)

    assembly.reloading.on_change(renew)
    cleanup.push_async_callback(routers.close, assembly.bot)
    await routers.open(assembly.bot)
    return Intake(bot=assembly.bot, dispatcher=dispatcher, journal=assembly.storage.journal)
