"""The folder of a job, `state_dir/jobs/<id>/`, with its pictures, previews and result; and tidying
up: pictures are removed first, then what the journal knows of their jobs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from impasto.contracts import Journal, StylePreset
from impasto.errors import PaintingFailed, PictureError
from impasto.jobs.job import Job, JobState, TelegramPicture
from impasto.jobs.store import JobObserver
from impasto.messages import Paint, StyleFile
from impasto.settings import QueueSettings

log = structlog.get_logger(__name__)


class NotFetched(Exception):
    """A picture cannot be had just now."""

    def __init__(self, why: str, *, others_work: bool, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.others_work = others_work
        """Whether it is the only one: no outage is the reason."""
        self.seconds = seconds
        """Time until it is worth asking again, where that is known."""


class PictureSource(Protocol):
    """Where pictures come from."""

    async def fetch(self, picture: TelegramPicture, into: Path) -> None:
        """Writes the picture's bytes to the file `into`.

        Raises:
            PictureError: it is too large or gone for good.
            NotFetched: some tries did not get it. Nobody waits for it longer than they take.
            OSError: the file cannot be written.
        """
        ...


class JobFolders(JobObserver):
    """Makes job folders and removes those of finished jobs after `keep_hours`."""

    def __init__(self, state_dir: Path, keep_hours: float) -> None:
        self.root = state_dir.resolve() / "jobs"
        self._keep = timedelta(hours=keep_hours)
        self._removals: set[asyncio.Task[None]] = set()

    def of(self, job_id: str) -> Path:
        return self.root / job_id

    async def make(self, job_id: str) -> Path:
        folder = self.of(job_id)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        return folder

    async def remove(self, job_id: str) -> None:
        """Removes a job's folder, if it is there."""
        folder = self.of(job_id)

        def remove() -> None:
            try:
                shutil.rmtree(folder)
            except FileNotFoundError:
                pass
            except OSError as error:
                log.warning("job_folder_not_removed", folder=str(folder), error=str(error))

        await asyncio.to_thread(remove)

    async def release(self, job: Job) -> None:
        """The job is final: removes its folder, but for a result that is to be kept for a while.
        Photos, styles and previews are of no more use, and would fill the disk."""
        if not job.state.is_final:
            return
        if job.is_forgotten or not self._keep or job.result is None:
            await self.remove(job.id)
        else:
            await asyncio.to_thread(_remove_all_but, job.result.name, self.of(job.id))

    def job_changed(self, job: Job) -> None:
        """The folder of a job that was told is released at once. Of a cancelled one the worker does
        that, once the child writes no more."""
        if job.state in (JobState.DELIVERED, JobState.EXPLAINED):
            self._release_later(job)

    def job_forgotten(self, job: Job) -> None:
        """Pictures of somebody who had the bot forget them go at once."""
        self._release_later(job)

    async def sweep(self, journal: Journal) -> int:
        """Removes folders whose time is over and those of no job; returns how many. Releases those
        of jobs whose process ended before it could."""
        removed = 0
        for folder in await asyncio.to_thread(self._folders):
            job = await journal.get(folder.name)
            if job is None or self._is_over(job):
                await self.remove(folder.name)
                removed += 1
            else:
                await self.release(job)
        return removed

    def _release_later(self, job: Job) -> None:
        removal = asyncio.create_task(self.release(job))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)

    def _is_over(self, job: Job) -> bool:
        return job.state.is_final and (job.is_forgotten or job.time_in_state >= self._keep)

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        return sorted(path for path in self.root.iterdir() if path.is_dir())


async def with_pictures(
    job: Job, folders: JobFolders, source: PictureSource, presets: Mapping[str, StylePreset]
) -> Paint:
    """Fetches the job's pictures into its folder; what the painting process is to be told.

    Raises:
        ChatError: a picture or a preset is gone, or a picture is too large.
        NotFetched: a picture cannot be had just now.
        OSError: a file cannot be written.
    """
    folder = await folders.make(job.id)
    content = folder / "content"
    await source.fetch(job.content, content)
    styles = []
    for index, style in enumerate(job.styles):
        if style.picture is not None:
            path = folder / f"style_{index}"
            await _fetch_style(style.picture, path, source)
        else:
            path = await _preset_picture(presets.get(style.preset or ""))
        styles.append(StyleFile(path=path, weight=style.weight))
    return Paint(job_id=job.id, content=content, styles=styles, options=job.options, folder=folder)


async def tidy_up(journal: Journal, folders: JobFolders, queue: QueueSettings) -> None:
    """Removes job folders after `keep_hours`, and jobs whose folder is gone after
    `remember_days`."""
    swept = await folders.sweep(journal)
    kept = max(timedelta(days=queue.remember_days), timedelta(hours=queue.keep_hours))
    pruned = await journal.prune(datetime.now(UTC) - kept)
    log.debug("tidied_up", folders=swept, jobs=pruned)


async def _fetch_style(picture: TelegramPicture, path: Path, source: PictureSource) -> None:
    try:
        await source.fetch(picture, path)
    except PictureError as error:
        error.facts["role"] = "style"  # as the painting child marks it
        raise


async def _preset_picture(preset: StylePreset | None) -> Path:
    if preset is None or not await asyncio.to_thread(preset.picture.is_file):
        raise PaintingFailed("style_gone", "This style is gone; please choose another one.")
    return preset.picture.resolve()


def _remove_all_but(name: str, folder: Path) -> None:
    """Removes the other files of a folder, if it is there."""
    try:
        for path in folder.iterdir():
            if path.name != name:
                path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        log.warning("job_folder_not_tidied", folder=str(folder), error=str(error))
