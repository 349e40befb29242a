"""The life of the painting child: started in the background, kept from job to job, replaced when it
dies, holds too much memory, or was configured with the settings of before."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from impasto.contracts import StylePreset
from impasto.jobs.painter_process import PAINTING_COMMAND, FromChild, PaintingChild
from impasto.messages import Configure, PresetFile
from impasto.plugins import settings_for_painting
from impasto.settings import Settings

log = structlog.get_logger(__name__)

SECONDS_TO_START = 60.0
"""A child may take so long to start, however soon it is to speak when it paints."""


class ChildKeeper:
    """Has one child at a time, begun when it is first asked for."""

    def __init__(
        self,
        settings: Settings,
        presets: Sequence[StylePreset],
        *,
        command: Sequence[str] = PAINTING_COMMAND,
    ) -> None:
        self.has_gpu = False
        """Whether the child that started last paints on one."""
        self._configure = _configuration(settings, presets)
        self._command = command
        self._silence = settings.queue.silence_seconds
        self._most_memory = settings.queue.worker_memory_mb * 1_000_000 or None
        self._is_stale = False
        """The child was configured with other settings than those of now."""
        self._starting: asyncio.Task[PaintingChild] | None = None

    def renew(self, settings: Settings, presets: Sequence[StylePreset]) -> None:
        """The next job gets a new child, of these settings."""
        self._configure = _configuration(settings, presets)
        self._is_stale = True

    async def child(self) -> PaintingChild:
        """The running child, or a new one.

        Raises:
            ChildLost: it does not start.
        """
        while True:
            # Shielded: whoever is stopped while waiting for the child must not stop its start.
            child = await asyncio.shield(self._started())
            if child.is_alive:
                return child
            log.warning("painting_child_died_idle", pid=child.pid)
            await self.replace()

    async def child_for_a_job(self) -> PaintingChild:
        """The running child, or a new one where it died, holds too much memory, or is stale.

        Raises:
            ChildLost: it does not start.
        """
        await self.child()
        await self.recycle()
        return await self.child()

    async def recycle(self) -> None:
        """Replaces a child that holds too much memory or is stale. Best between two jobs, when
        nobody waits for the new one."""
        child = self._running()
        if child is not None and (child.has_grown() or self._is_stale):
            log.info("painting_child_recycled", pid=child.pid)
            await self.replace()

    def watching(self, child: PaintingChild) -> contextlib.AbstractAsyncContextManager[None]:
        """Watches over the child's memory during one job: too much of it, and it is killed."""
        return child.watched(self._most_memory)

    async def next_message(self, child: PaintingChild) -> FromChild:
        """What the child says next while it paints.

        Raises:
            ChildLost: it ended, or was silent for `queue.silence_seconds`.
        """
        return await child.receive(self._silence)

    async def replace(self) -> None:
        """Ends what is left of the child and starts a new one."""
        child, self._starting = self._running(), None
        if child is not None:
            await child.kill()
        self._started()

    async def close(self) -> None:
        """Ends the child."""
        starting, self._starting = self._starting, None
        if starting is None:
            return
        if not starting.done():
            starting.cancel()
        results = await asyncio.gather(starting, return_exceptions=True)
        if isinstance(results[0], PaintingChild):
            await results[0].close()

    def _running(self) -> PaintingChild | None:
        """The child that has started last, if it has."""
        if self._starting is None or not self._starting.done() or _has_failed(self._starting):
            return None
        return self._starting.result()

    def _started(self) -> asyncio.Task[PaintingChild]:
        """The start of the child in use, begun now if there is none."""
        if self._starting is None or _has_failed(self._starting):
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(_log_failed_start)
        return self._starting

    async def _start(self) -> PaintingChild:
        self._is_stale = False
        child = await PaintingChild.start(
            self._configure, patience=max(self._silence, SECONDS_TO_START), command=self._command
        )
        log.info("painting_child_ready", pid=child.pid, device=child.ready.device)
        self.has_gpu = child.ready.device != "cpu"
        for plugin in child.ready.plugins:
            if plugin.error:
                log.error("painting_plugin_failed", plugin=plugin.name, error=plugin.error)
        return child


def _has_failed(task: asyncio.Task[PaintingChild]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _log_failed_start(task: asyncio.Task[PaintingChild]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("painting_child_did_not_start", why=str(error))


def _configuration(settings: Settings, presets: Sequence[StylePreset]) -> Configure:
    return Configure(
        settings=settings_for_painting(settings),
        presets=[
            PresetFile(path=preset.picture, brush_size=preset.brush_size) for preset in presets
        ],
    )
