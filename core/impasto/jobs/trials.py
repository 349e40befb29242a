"""Trials: a photo in several presets, small, so that people can choose by their own photo.

A trial is no job. It is begun only while no job waits, by a painting process that has none, and
dropped as soon as that one is given a job; it counts for nobody's limits, the journal does not know
of it, and nothing of it is left. Where other machines paint, it is an errand for one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import structlog
from pydantic import ConfigDict, TypeAdapter, ValidationError

from impasto.contracts import Errands, PaintOptions, StylePreset
from impasto.errors import ImpastoError, described
from impasto.jobs.folders import JobFolders, NotFetched, PictureSource
from impasto.jobs.job import JobState, TelegramPicture
from impasto.jobs.painter_process import ChildKeeper, ChildLost, PaintingChild
from impasto.jobs.store import JobStore
from impasto.messages import DropTrial, Message, StyleToTry, Try
from impasto.tasks import unless_set

log = structlog.get_logger(__name__)

TRIAL = "trial-"
"""How the id of a trial begins, and the name of its folder, which lies beside those of jobs."""

MOST_WAITING = 4
"""People whose trials wait for another's; whoever comes then has none."""
SECONDS_ELSEWHERE = 90.0
"""For so long a trial is waited for that another machine is to paint: a slow and busy one takes
three times as long as most, and what it has begun would be for nothing."""
PAUSE_SECONDS = 5.0
"""When the way between machines fails, errands are asked for again this much later."""

Thumbnails = Mapping[str, bytes]
_packed_thumbnails = TypeAdapter(
    dict[str, bytes], config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
)


class _Errand(Message):
    """A trial for another machine."""

    content: TelegramPicture
    styles: dict[str, PaintOptions]


class Trials:
    """Has one trial painted at a time: by the painting child of this process, where it has one
    (`paint_with`), else on another machine, where the queue has `errands`."""

    def __init__(
        self,
        *,
        store: JobStore,
        pictures: PictureSource,
        folders: JobFolders,
        presets: Sequence[StylePreset],
        errands: Errands | None = None,
    ) -> None:
        self._store = store
        self._pictures = pictures
        self._folders = folders
        self._keeper: ChildKeeper | None = None
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0
        self._errands = errands
        self._is_busy, self._is_free = asyncio.Event(), asyncio.Event()
        self._is_free.set()
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
        self._is_free.clear()
        self._is_busy.set()
        if self._at_work is not None:
            self._at_work.drop()
            await asyncio.wait({self._at_work.reading})

    def may_begin(self) -> None:
        """There is no job in hand any more."""
        self._is_busy.clear()
        self._is_free.set()

    async def thumbnails(
        self, content: TelegramPicture, styles: Mapping[str, PaintOptions]
    ) -> Thumbnails | None:
        """See `JobService.try_styles`."""
        if self._keeper is None and self._errands is not None:
            return await self._sent_for(self._errands, content, styles)
        if self._waiting >= MOST_WAITING:
            return None
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await self._thumbnails(content, styles)
        finally:
            self._waiting -= 1

    async def serve(self, errands: Errands) -> None:
        """Paints trials for other machines while there is no job here, until cancelled."""
        while True:
            await self._is_free.wait()
            try:
                errand = await unless_set(self._is_busy, errands.next_errand())
                if errand is not None:
                    await errand.answer(await self._answer(errand.request))
            except Exception as error:
                log.warning("errand_failed", why=described(error))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _sent_for(
        self, errands: Errands, content: TelegramPicture, styles: Mapping[str, PaintOptions]
    ) -> Thumbnails | None:
        if await self._does_a_job_wait():
            return None
        request = _Errand(content=content, styles=dict(styles))
        answer = await errands.send(request.model_dump_json(), SECONDS_ELSEWHERE)
        if answer is None:
            return None
        try:
            return _packed_thumbnails.validate_json(answer)
        except ValidationError as error:  # another version of this program
            log.warning("thumbnails_not_read", errors=error.error_count())
            return None

    async def _answer(self, request: str) -> str | None:
        try:
            errand = _Errand.model_validate_json(request)
        except ValidationError as error:
            log.warning("errand_not_read", errors=error.error_count())
            return None
        found = None
        with contextlib.suppress(TimeoutError):  # then nobody waits for it any more
            async with asyncio.timeout(SECONDS_ELSEWHERE):
                found = await self.thumbnails(errand.content, errand.styles)
        return None if found is None else _packed_thumbnails.dump_json(dict(found)).decode()

    async def _thumbnails(
        self, content: TelegramPicture, styles: Mapping[str, PaintOptions]
    ) -> Thumbnails | None:
        if await self._idle_child() is None:
            return None
        trial_id = f"{TRIAL}{secrets.token_hex(8)}"
        folder = await self._folders.make(trial_id)  # one that is left behind is swept
        try:
            photo = folder / "content"
            await self._pictures.fetch(content, photo)
            child = await self._idle_child()  # a job may have come meanwhile
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
            log.warning("styles_not_tried", why=described(error))
            return None
        finally:
            await self._folders.remove(trial_id)

    async def _painted(self, child: PaintingChild, trial: Try) -> Thumbnails:
        """Also where whoever wants it is gone, the child's answers are read to their end."""
        child.tell(trial)
        reading = asyncio.create_task(child.thumbnails(trial.trial_id))
        work = self._at_work = _AtWork(child, trial.trial_id, reading)
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            work.drop()
            await asyncio.gather(reading, return_exceptions=True)
            raise
        finally:
            self._at_work = None

    async def _idle_child(self) -> PaintingChild | None:
        """The child, which is waited for while it starts, if it has no job and none waits."""
        if self._keeper is None or await self._does_a_job_wait():
            return None
        try:
            child = await unless_set(self._is_busy, self._keeper.child())
        except ChildLost:  # it does not start, which the keeper tells
            return None
        return None if self._is_busy.is_set() else child

    async def _does_a_job_wait(self) -> bool:
        return await self._store.journal.count(JobState.ACCEPTED) > 0


class _AtWork(NamedTuple):
    """A trial that a child has been told to paint."""

    child: PaintingChild
    trial_id: str
    reading: asyncio.Task[dict[str, bytes]]
    """Of the child's answers."""

    def drop(self) -> None:
        # Told too late, the child would be killed at its next job.
        if not self.reading.done():
            self.child.stop(DropTrial(trial_id=self.trial_id))
