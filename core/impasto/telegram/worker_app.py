"""A worker: paints the jobs that bots accept, on this machine, and talks to Telegram about them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from impasto.jobs.folders import keep_house
from impasto.lean_aiogram import build_models_on_use
from impasto.memory import return_free_memory
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto.tasks import start, unless_set, until_any_ends
from impasto.telegram.assembly import Assembly, opened, repeatedly
from impasto.telegram.calls import ToldCalls
from impasto.telegram.connection import connected, introduced
from impasto.telegram.web import Health, serving

log = structlog.get_logger(__name__)


async def run_worker(
    settings: Settings,
    host: PluginHost,
    *,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[], None] | None = None,
    changes: asyncio.Queue[Settings] | None = None,
) -> None:
    """Paints until `stop` is set or the task is cancelled, and ends cleanly: the job in hand is
    handed back to the others.

    `on_ready` is called once, when jobs are about to be taken. Settings that come through `changes`
    are taken over as far as a running worker can.

    Raises:
        OwnerError: something whoever runs the worker has to change, such as a refused token, or a
            queue whose jobs the bot paints itself.
    """
    stop = stop or asyncio.Event()
    build_models_on_use()
    bot = connected(settings)
    bot.session.middleware(ToldCalls(host))
    async with contextlib.AsyncExitStack() as cleanup:
        cleanup.push_async_callback(bot.session.close)
        health = Health()
        await cleanup.enter_async_context(serving(settings, host, health.routes()))
        me = await unless_set(stop, introduced(bot))
        if me is None:
            return
        log.info("worker_starts", username=me.username, id=me.id)
        assembly = await cleanup.enter_async_context(opened(settings, host, bot, only_paints=True))
        health.add("journal", assembly.check)
        health.started()
        return_free_memory()
        await _paint_until(stop, assembly, cleanup, on_ready or (lambda: None), changes)
        log.info("worker_stops")


async def _paint_until(
    stop: asyncio.Event,
    assembly: Assembly,
    cleanup: contextlib.AsyncExitStack,
    on_ready: Callable[[], None],
    changes: asyncio.Queue[Settings] | None,
) -> None:
    worker = assembly.worker()
    cleanup.push_async_callback(worker.close)
    listening = start([assembly.store.listen()], cleanup)
    await assembly.recovery.recover()
    # Undone in the opposite order: the job in hand is handed back while the worker still serves.
    painting = start([worker.serve()], cleanup)
    cleanup.push_async_callback(worker.drain)
    others = [
        stop.wait(),
        assembly.keep_ready(worker),
        repeatedly(assembly.recovery.recover, "recovery"),
        keep_house(assembly.storage.journal, assembly.folders, assembly.settings.queue),
    ]
    if changes is not None:
        others.append(assembly.reloading.follow(changes))
    on_ready()
    await until_any_ends([*listening, *painting, *start(others, cleanup)])
