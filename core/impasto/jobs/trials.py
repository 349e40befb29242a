"""Trials: a photo in several presets, small, so that people can choose by their own photo.

A trial is no job. It is begun only while no job waits or is painted, and dropped as soon as one
comes; it counts for nobody's limits, the journal does not know of it, and nothing of it is left.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence

import structlog

from impasto.contracts import PaintOptions, StylePreset
from impasto.errors import ImpastoError
from impasto.jobs.folders import JobFolders, NotFetched, PictureSource
from impasto.jobs.job import JobState, TelegramPicture
from impasto.jobs.painter_process import ChildKeeper, ChildLost, PaintingChild
from impasto.jobs.store import JobStore
from impasto.messages import DropTrial, StyleToTry, Try

log = structlog.get_logger(__name__)

SECONDS_TO_STOP = 3.0
"""A child that goes on with a trial for longer than this after it was dropped is killed."""
MOST_WAITING = 4
"""People whose trials wait for another's; whoever comes then has none."""


class Trials:
    """Paints one trial at a time, where this process has a painting child (`paint_with`)."""

    def __init__(
        self,
        *,
        store: JobStore,
        pictures: PictureSource,
        folders: JobFolders,
        presets: Sequence[StylePreset],
    ) -> None:
        self._store = store
        self._pictures = pictures
        self._folders = folders
        self._keeper: ChildKeeper | None = None
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0
        self._has_job = False
        self._at_work: _AtWork | None = None
        self.renew(presets)

    def renew(self, presets: Sequence[StylePreset]) -> None:
        """From here on these are the presets."""
        self._presets = {preset.name: preset for preset in presets}

    def paint_with(self, keeper: ChildKeeper) -> None:
        """Has trials painted by the child of a worker, which calls `make_way` and `may_begin`."""
        self._keeper = keeper

    async def make_way(self) -> None:
        """There is a job: drops the trial that is being painted, and returns when the child has
        stopped, between two steps. None is begun before `may_begin`."""
        self._has_job = True
        if self._at_work is not None:
            self._at_work.drop()
            await self._at_work.is_over.wait()

    def may_begin(self) -> None:
        """There is no job in hand any more."""
        self._has_job = False

    async def thumbnails(
        self, content: TelegramPicture, styles: Mapping[str, PaintOptions]
    ) -> Mapping[str, bytes] | None:
        """See `JobService.try_styles`."""
        if self._waiting >= MOST_WAITING:
            return None
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await self._thumbnails(content, styles)
        finally:
            self._waiting -= 1

    async def _thumbnails(
        self, content: TelegramPicture, styles: Mapping[str, PaintOptions]
    ) -> Mapping[str, bytes] | None:
        if not await self._is_idle():
            return None
        trial_id = f"trial-{secrets.token_hex(8)}"
        folder = await self._folders.make(trial_id)  # one that is left behind is swept
        try:
            photo = folder / "content"
            await self._pictures.fetch(content, photo)
            if not await self._is_idle():
                return None
            child = self._child()  # a job may have come meanwhile
            if child is None:
                return None
            wanted = [
                StyleToTry(name=name, path=preset.picture.resolve(), options=options)
                for name, options in styles.items()
                if (preset := self._presets.get(name)) is not None
            ]
            trial = Try(trial_id=trial_id, photo=photo, styles=wanted)
            found = await self._painted(child, trial)
            return found if len(found) == len(styles) else None
        except (ImpastoError, ChildLost, NotFetched, OSError) as error:
            log.warning("styles_not_tried", why=f"{type(error).__name__}: {error}")
            return None
        finally:
            await self._folders.remove(trial_id)

    async def _painted(self, child: PaintingChild, trial: Try) -> Mapping[str, bytes]:
        """Also where whoever wants it is gone, the child's answers are read to their end."""
        work = self._at_work = _AtWork(child, trial)
        reading = asyncio.create_task(work.read())
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            work.drop()
            await asyncio.gather(reading, return_exceptions=True)
            raise
        finally:
            self._at_work = None

    async def _is_idle(self) -> bool:
        if self._child() is None:
            return False
        return not await self._store.journal.count(JobState.ACCEPTED, JobState.RUNNING)

    def _child(self) -> PaintingChild | None:
        """The child, if it is up and has no job."""
        if self._keeper is None or self._has_job:
            return None
        child = self._keeper.running()
        return child if child is not None and child.is_alive else None


class _AtWork:
    """A trial that a child has been told to paint."""

    def __init__(self, child: PaintingChild, trial: Try) -> None:
        self.is_over = asyncio.Event()
        self._child = child
        self._trial_id = trial.trial_id
        self._kill_timer: asyncio.TimerHandle | None = None
        child.tell(trial)

    async def read(self) -> Mapping[str, bytes]:
        try:
            return await self._child.thumbnails(self._trial_id)
        finally:
            self.is_over.set()
            if self._kill_timer is not None:
                self._kill_timer.cancel()

    def drop(self) -> None:
        if self._kill_timer is None:
            self._child.tell(DropTrial(trial_id=self._trial_id))
            loop = asyncio.get_running_loop()
            self._kill_timer = loop.call_later(SECONDS_TO_STOP, self._child.kill_now)
