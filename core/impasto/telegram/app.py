"""The bot: Telegram, storage, queue, plugins and worker put together, run, and ended cleanly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import structlog
from aiogram import Bot, Dispatcher, Router
from aiogram.fsm.storage.memory import SimpleEventIsolation

from impasto.contracts import Presenter, StylePreset
from impasto.errors import NotAvailable, OwnerError, PluginError
from impasto.jobs.child_process import ChildLost
from impasto.jobs.folders import JobFolders
from impasto.jobs.journal import Storage
from impasto.jobs.ledger import Ledger
from impasto.jobs.pace import Pace
from impasto.jobs.queue import JobQueue
from impasto.jobs.recovery import hand_back_orphans, resume
from impasto.jobs.studio import Studio
from impasto.jobs.worker import Worker
from impasto.plugins import PluginHost, PluginRecord
from impasto.settings import Settings
from impasto.telegram.apologies import apologies
from impasto.telegram.connection import connected, introduced
from impasto.telegram.delivery import Delivery
from impasto.telegram.downloads import TelegramPictures
from impasto.telegram.intake import Intake

log = structlog.get_logger(__name__)
T = TypeVar("T")

SECONDS_TO_DRAIN = 6.0
"""At the end, running handlers have this long; with the worker's and delivery's share it stays
below the 10 s that process managers commonly give."""


async def run_bot(
    settings: Settings,
    host: PluginHost,
    *,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Runs the bot until `stop` is set or the task is cancelled, and ends it cleanly: no new work,
    running handlers finish, the job being painted is handed back.

    `on_ready` is called once, when updates are about to be taken.

    Raises:
        OwnerError: something whoever runs the bot has to change, such as a refused token.
    """
    stop = stop or asyncio.Event()
    bot = connected(settings)
    async with contextlib.AsyncExitStack() as cleanup:
        cleanup.push_async_callback(bot.session.close)
        me = await _unless(stop, introduced(bot))
        if me is None:
            return
        log.info("bot_starts", username=me.username, id=me.id)
        running = await cleanup.enter_async_context(_running(settings, host, bot))
        if on_ready is not None:
            on_ready()
        await _until_any_ends([*_start([stop.wait()], cleanup), *running])
        log.info("bot_stops")


@contextlib.asynccontextmanager
async def _running(
    settings: Settings, host: PluginHost, bot: Bot
) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Everything between Telegram and the journal, running; yields the tasks that must not end."""
    async with contextlib.AsyncExitStack() as cleanup:
        storage = _chosen(host, "impasto_storages", Storage, "storage", settings)
        queue = _chosen(host, "impasto_queues", JobQueue, "queue", settings)
        presets = host.collect("impasto_styles", StylePreset, settings=settings)
        cleanup.push_async_callback(storage.close)
        await storage.open()
        cleanup.push_async_callback(queue.close)
        await queue.open()

        ledger = Ledger(storage.journal, host)
        pace = Pace(storage.journal, settings.painting)
        delivery = Delivery(
            bot=bot,
            ledger=ledger,
            pace=pace,
            presenter=_presenter(host, settings, presets),
            edit_seconds=settings.telegram.edit_seconds,
        )
        cleanup.push_async_callback(delivery.close)
        studio = Studio(
            ledger=ledger,
            queue=queue,
            reporter=delivery,
            presets=presets,
            jobs_per_person=settings.queue.jobs_per_person,
            pace=pace,
        )
        dispatcher = _dispatcher(host, settings, storage, studio)
        intake = Intake(bot=bot, dispatcher=dispatcher, journal=storage.journal)
        folders = JobFolders(settings.state_dir, settings.queue.keep_hours)
        ledger.watch(folders.job_changed)
        worker: Worker | None = None
        if queue.embedded_worker:
            worker = Worker(
                settings=settings,
                ledger=ledger,
                pictures=TelegramPictures(bot),
                reporter=delivery,
                presets=presets,
                folders=folders,
            )
            cleanup.push_async_callback(worker.close)
            await hand_back_orphans(ledger)
        await dispatcher.emit_startup(bot=bot, dispatcher=dispatcher, **dispatcher.workflow_data)
        cleanup.push_async_callback(_shut_down, dispatcher, bot)
        await resume(ledger, queue, delivery)
        await intake.replay()
        # Undone in the opposite order: no more updates are taken, handlers and the worker come to
        # rest, and only then does anything end that they use.
        painting = _start([queue.serve(worker.work)] if worker is not None else [], cleanup)
        cleanup.push_async_callback(_come_to_rest, intake, worker)
        others = [intake.poll(), folders.sweep_hourly(storage.journal)]
        if worker is not None:
            others.append(_started(worker, pace))
        yield painting + _start(others, cleanup)


def _start(
    work: Sequence[Coroutine[Any, Any, Any]], cleanup: contextlib.AsyncExitStack
) -> list[asyncio.Task[Any]]:
    tasks = [asyncio.create_task(one) for one in work]
    cleanup.push_async_callback(_cancelled, tasks)
    return tasks


async def _come_to_rest(intake: Intake, worker: Worker | None) -> None:
    await asyncio.gather(
        intake.drain(SECONDS_TO_DRAIN), *([worker.drain()] if worker is not None else [])
    )


async def _shut_down(dispatcher: Dispatcher, bot: Bot) -> None:
    try:
        await dispatcher.emit_shutdown(bot=bot, dispatcher=dispatcher, **dispatcher.workflow_data)
    except Exception:
        log.exception("shutdown_handler_failed")


async def _started(worker: Worker, pace: Pace) -> None:
    """Warms the worker up, and stays; ends the bot when its painting process cannot ever start."""
    try:
        pace.device = (await worker.ready()).device
    except ChildLost as loss:
        if loss.exit_code is not None and loss.exit_code > 0:
            raise OwnerError(
                "the painting process cannot start; its own message above says why"
            ) from loss
    await asyncio.Event().wait()


async def _until_any_ends(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Waits until one of these ends; raises what that one raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _cancelled(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` returns, or None when `stop` is set first."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        await _cancelled([task, stopped])


def _chosen(host: PluginHost, hook: str, contract: type[T], kind: str, settings: Settings) -> T:
    """The object of a hook that the settings name."""
    name = settings.queue.storage if kind == "storage" else settings.queue.kind
    offers: dict[str, T] = {
        str(getattr(item, "name", "")): item
        for item in host.collect(hook, contract, settings=settings)
    }
    if name not in offers:
        known = ", ".join(sorted(offers)) or "none"
        why = [f"no plugin offers it; there is {known}", host.left_out()]
        raise NotAvailable(kind, name, sorted(offers), "; ".join(filter(None, why)))
    return offers[name]


def _presenter(host: PluginHost, settings: Settings, presets: Sequence[StylePreset]) -> Presenter:
    presenters = host.collect(
        "impasto_presenters",
        Presenter,
        settings=settings,
        presets=presets,
    )
    if not presenters:
        problem = "no plugin has words for the messages about a job (hook impasto_presenters)"
        raise OwnerError("; ".join(filter(None, [problem, host.left_out()])))
    return presenters[0]


def _dispatcher(
    host: PluginHost, settings: Settings, storage: Storage, studio: Studio
) -> Dispatcher:
    dispatcher = Dispatcher(
        storage=storage.dialogue,
        events_isolation=SimpleEventIsolation(),
        name="impasto",
        settings=settings,
        studio=studio,
    )
    # Called, not collected: names of routers say nothing about their order.
    for record, routers in host.call("impasto_routers", settings=settings):
        try:
            _include(dispatcher, record, routers)
        except PluginError as error:
            host.fail(record, error, "impasto_routers")
    if host.strict:
        host.check_strict()
    dispatcher.include_router(apologies(host))
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
    dispatcher.include_routers(*routers)
