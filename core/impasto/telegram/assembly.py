"""What `impasto run` and `impasto worker` have in common: storage, queue, presets, all that is
said about jobs and, where it is wanted, the painting; each made as the settings say, and told of
what concerns it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

import structlog
from aiogram import Bot
from aiogram.types import User

from impasto.contracts import Errands, JobQueue, Presenter, Storage, StylePreset
from impasto.errors import NotAvailable, OwnerError
from impasto.jobs.estimates import Estimates
from impasto.jobs.folders import JobFolders
from impasto.jobs.job import JobState
from impasto.jobs.painter_process import ChildLost
from impasto.jobs.recovery import Recovery
from impasto.jobs.store import JobStore
from impasto.jobs.trials import Trials
from impasto.jobs.worker import Worker
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto.settings.description import merged
from impasto.telegram.delivery import Delivery
from impasto.telegram.notices import OwnerAlerts
from impasto.telegram.pacing import Pacing
from impasto.telegram.pictures import TelegramPictures
from impasto.telegram.status.presenter import SafePresenter

log = structlog.get_logger(__name__)
T = TypeVar("T")

Taker = Callable[[Settings, Sequence[StylePreset]], None]
"""Takes over settings, and the presets of plugins as they are by these."""


class Reloading:
    """Hands settings that have changed to all who asked for it with `on_change`."""

    def __init__(self, settings: Settings, host: PluginHost) -> None:
        self._settings = settings
        self._host = host
        self._takers: list[Taker] = []

    def on_change(self, taker: Taker) -> None:
        self._takers.append(taker)

    async def follow(self, changes: asyncio.Queue[Settings]) -> None:
        """Takes over whatever settings come, until cancelled."""
        while True:
            await self.take(await changes.get())

    async def take(self, wanted: Settings) -> None:
        """Takes over what can change in a running bot, names the rest in the log, and collects the
        styles anew: in a thread, since their pictures are looked into."""
        self._settings, taken, left = merged(self._settings, wanted)
        presets = await asyncio.to_thread(
            self._host.collect, "impasto_styles", StylePreset, settings=self._settings
        )
        for taker in self._takers:
            try:
                taker(self._settings, presets)
            except Exception:
                log.exception("change_not_taken_over")
        log.info("settings_reloaded", changed=taken, styles=len(presets))
        if left:
            log.warning("settings_need_a_restart", settings=left)


class Assembly:
    """Made by `opened`; closed when that ends."""

    def __init__(
        self,
        settings: Settings,
        host: PluginHost,
        bot: Bot,
        *,
        me: User,
        storage: Storage,
        queue: JobQueue,
    ) -> None:
        """`me` is the bot; storage and queue are open."""
        self.settings = settings
        self.host = host
        self.bot = bot
        self.storage = storage
        self.queue = queue
        self.presets = host.collect("impasto_styles", StylePreset, settings=settings)
        self.store = JobStore(storage.journal, host)
        self.estimates = Estimates(storage.journal, settings.painting)
        self.presenter = SafePresenter(_presenter(host, settings, self.presets), me)
        self.delivery = Delivery(
            bot=bot,
            store=self.store,
            estimates=self.estimates,
            presenter=self.presenter,
            edit_seconds=settings.telegram.edit_seconds,
        )
        self.folders = JobFolders(settings.state_dir, settings.queue.keep_hours)
        self.store.observe(self.delivery, self.folders)
        self.recovery = Recovery(self.store, queue, self.delivery)
        self.pictures = TelegramPictures(bot, settings.telegram.folders)
        self.trials = Trials(
            store=self.store,
            pictures=self.pictures,
            folders=self.folders,
            presets=self.presets,
            errands=queue if isinstance(queue, Errands) else None,
        )
        self.alerts = OwnerAlerts(bot, settings.telegram.admins, self.presenter)
        self.reloading = Reloading(settings, host)
        self.reloading.on_change(self._renew)

    def worker(self) -> Worker:
        """The parent of a painting process that is to be started."""
        worker = Worker(
            settings=self.settings,
            store=self.store,
            pictures=self.pictures,
            reporter=self.delivery,
            presets=self.presets,
            folders=self.folders,
            queue=self.queue,
            estimates=self.estimates,
            trials=self.trials,
            on_loss=self.alerts.painter_lost,
            on_machine_failing=self.alerts.machine_fails,
            on_plugin_failing=self.alerts.plugin_fails,
        )
        self.store.observe(worker)
        self.reloading.on_change(worker.renew)
        return worker

    async def check(self) -> None:
        """Raises what keeps the journal from being read."""
        await self.storage.journal.count(JobState.RUNNING)

    async def watch(self) -> None:
        """As `check`, of which the owners hear."""
        try:
            await self.check()
        except Exception as error:
            self.alerts.machine_fails(error)
            raise

    async def keep_ready(self, worker: Worker) -> None:
        """Warms the worker up, and has it do what other machines ask for.

        Raises:
            OwnerError: its painting process cannot ever start.
        """
        try:
            self.estimates.painter_ready(await worker.ready(), worker.pace)
        except ChildLost as loss:
            if loss.exit_code is not None and loss.exit_code > 0:
                raise OwnerError(
                    "the painting process cannot start; its own message above says why"
                ) from loss
        if isinstance(self.queue, Errands):
            await self.trials.serve(self.queue)
        await asyncio.Event().wait()

    def _renew(self, now: Settings, presets: Sequence[StylePreset]) -> None:
        self.estimates.renew(now.painting)
        self.trials.renew(presets)
        self.presenter.renew(_presenter(self.host, now, presets))
        self.alerts.owners = tuple(now.telegram.admins)


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, host: PluginHost, bot: Bot, *, only_paints: bool = False
) -> AsyncIterator[Assembly]:
    """What the settings name, opened; `only_paints` in a worker.

    Raises:
        OwnerError: something cannot be opened, is not there, or does not go with the rest.
    """
    storage = _chosen(host, "impasto_storages", Storage, "storage", settings)
    queue = _chosen(host, "impasto_queues", JobQueue, "queue", settings)
    _check(queue, storage, only_paints=only_paints)
    async with contextlib.AsyncExitStack() as cleanup:
        cleanup.push_async_callback(storage.close)
        await storage.open()
        bot.session.middleware(Pacing(storage.buckets, settings.telegram))
        cleanup.push_async_callback(queue.close)
        await queue.open()
        me = await bot.me()
        assembly = Assembly(settings, host, bot, me=me, storage=storage, queue=queue)
        cleanup.push_async_callback(assembly.delivery.close)
        yield assembly


def _chosen(host: PluginHost, hook: str, contract: type[T], kind: str, settings: Settings) -> T:
    """The object of a hook that the settings name."""
    name = settings.queue.storage if kind == "storage" else settings.queue.kind
    offers: dict[str, T] = {
        str(getattr(item, "name", "")): item
        for item in host.collect(hook, contract, settings=settings)
    }
    if name not in offers:
        raise NotAvailable(kind, name, sorted(offers), left_out=host.left_out())
    return offers[name]


def _check(queue: JobQueue, storage: Storage, *, only_paints: bool) -> None:
    """Raises OwnerError when these do not go together."""
    if only_paints and queue.embedded_worker:
        raise OwnerError(
            f"with queue.kind {queue.name!r} the bot paints by itself: start `impasto run`, or set "
            'queue.kind to one for many machines, such as "saq"'
        )
    if not queue.embedded_worker and not storage.is_shared:
        raise OwnerError(
            f"queue.kind {queue.name!r} has its pictures painted by other processes, which cannot "
            f"use queue.storage {storage.name!r}; set queue.storage to one that is shared, such as "
            '"redis"'
        )


def _presenter(host: PluginHost, settings: Settings, presets: Sequence[StylePreset]) -> Presenter:
    presenters = host.collect("impasto_presenters", Presenter, settings=settings, presets=presets)
    if not presenters:
        problem = "no plugin has words for the messages about a job (hook impasto_presenters)"
        raise OwnerError("; ".join(filter(None, [problem, host.left_out()])))
    return presenters[0]
