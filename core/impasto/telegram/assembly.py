"""What `impasto run` and `impasto worker` have in common: storage, queue, presets, the talk about
jobs and, where it is wanted, the painting; put together, run, and ended cleanly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from aiogram import Bot

from impasto.contracts import JobQueue, Presenter, Storage, StylePreset
from impasto.errors import NotAvailable, OwnerError
from impasto.jobs.estimates import Estimates
from impasto.jobs.folders import JobFolders
from impasto.jobs.job import JobState
from impasto.jobs.painter_process import ChildLost
from impasto.jobs.recovery import Recovery
from impasto.jobs.store import JobStore
from impasto.jobs.worker import Worker
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto.telegram.delivery import Delivery
from impasto.telegram.downloads import TelegramPictures
from impasto.telegram.full_quality import FullQuality
from impasto.telegram.owner_alerts import OwnerAlerts
from impasto.telegram.pacing import Pacing
from impasto.telegram.persistent_calls import PersistentCalls
from impasto.telegram.reloading import Reloading, Renewed

log = structlog.get_logger(__name__)
T = TypeVar("T")

RECOVERY_SECONDS = 5.0
"""So often is looked for what processes that are gone left unfinished."""


@dataclass(frozen=True)
class Assembly:
    """Made by `opened`; closed when that ends."""

    settings: Settings
    bot: Bot
    storage: Storage
    queue: JobQueue
    presets: Sequence[StylePreset]
    store: JobStore
    estimates: Estimates
    delivery: Delivery
    folders: JobFolders
    recovery: Recovery
    reloading: Reloading
    alarm: OwnerAlerts

    def worker(self) -> Worker:
        """The parent of a painting process that is to be started."""
        worker = Worker(
            settings=self.settings,
            store=self.store,
            pictures=TelegramPictures(self.bot),
            reporter=self.delivery,
            presets=self.presets,
            folders=self.folders,
            queue=self.queue,
            on_loss=self.alarm.painter_lost,
            on_full_disk=self.alarm.disk_full,
        )
        self.store.observe(worker)
        self.reloading.on_change(lambda now: worker.renew(now.settings, now.presets))
        return worker

    async def check(self) -> None:
        """Raises what keeps the journal from being read."""
        await self.storage.journal.count(JobState.RUNNING)

    async def keep_ready(self, worker: Worker) -> None:
        """Warms the worker up, and stays.

        Raises:
            OwnerError: its painting process cannot ever start.
        """
        try:
            ready = await worker.ready()
            self.estimates.device, self.estimates.paints_fine = ready.device, ready.offers_fine
        except ChildLost as loss:
            if loss.exit_code is not None and loss.exit_code > 0:
                raise OwnerError(
                    "the painting process cannot start; its own message above says why"
                ) from loss
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, host: PluginHost, bot: Bot, *, only_paints: bool = False
) -> AsyncIterator[Assembly]:
    """What the settings name, opened; `only_paints` in a worker.

    Raises:
        OwnerError: something cannot be opened, is not there, or does not go with the rest.
    """
    async with contextlib.AsyncExitStack() as cleanup:
        storage = _chosen(host, "impasto_storages", Storage, "storage", settings)
        queue = _chosen(host, "impasto_queues", JobQueue, "queue", settings)
        _check(queue, storage, only_paints=only_paints)
        presets = host.collect("impasto_styles", StylePreset, settings=settings)
        cleanup.push_async_callback(storage.close)
        await storage.open()
        bot.session.middleware(Pacing(storage.buckets, settings.telegram))
        cleanup.push_async_callback(queue.close)
        await queue.open()
        store = JobStore(storage.journal, host)
        pace = Estimates(storage.journal, settings.painting)
        delivery = Delivery(
            bot=bot,
            store=store,
            estimates=pace,
            presenter=_presenter(host, settings, presets),
            edit_seconds=settings.telegram.edit_seconds,
        )
        cleanup.push_async_callback(delivery.close)
        full_quality = FullQuality(PersistentCalls(bot), store)
        cleanup.push_async_callback(full_quality.close)
        folders = JobFolders(settings.state_dir, settings.queue.keep_hours)
        store.observe(delivery, full_quality, folders)
        alarm = OwnerAlerts(bot, settings.telegram.admins)
        reloading = Reloading(settings, host)

        def renew(now: Renewed) -> None:
            pace.renew(now.settings.painting)
            delivery.renew(_presenter(host, now.settings, now.presets))
            alarm.owners = tuple(now.settings.telegram.admins)

        reloading.on_change(renew)
        yield Assembly(
            reloading=reloading,
            alarm=alarm,
            settings=settings,
            bot=bot,
            storage=storage,
            queue=queue,
            presets=presets,
            store=store,
            estimates=pace,
            delivery=delivery,
            folders=folders,
            recovery=Recovery(store, queue, delivery),
        )


async def repeatedly(work: Callable[[], Coroutine[Any, Any, None]], what: str) -> None:
    """Does this every RECOVERY_SECONDS, until cancelled; a failure is logged and not the end."""
    while True:
        await asyncio.sleep(RECOVERY_SECONDS)
        try:
            await work()
        except Exception:
            log.exception("work_failed", what=what, again_in_seconds=RECOVERY_SECONDS)


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


def _check(queue: JobQueue, storage: Storage, *, only_paints: bool) -> None:
    """Raises OwnerError when these do not go together."""
    if only_paints and queue.embedded_worker:
        raise OwnerError(
            f"with queue.kind {queue.name!r} the bot paints by itself: start `impasto run`, or set "
            'queue.kind to one of many machines, such as "saq"'
        )
    if not queue.embedded_worker and not storage.is_shared:
        raise OwnerError(
            f"queue.kind {queue.name!r} has its pictures painted by other processes, which cannot "
            f"use queue.storage {storage.name!r}; set queue.storage to one that is shared, such as "
            '"redis"'
        )


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
