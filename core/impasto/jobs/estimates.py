"""What this installation can paint and how fast, learned from its last paintings, and what that
promises.

The work of a painting is its pixels times its steps, as each step sees each pixel a few times.
"""

from __future__ import annotations

from statistics import median

from impasto.contracts import Journal
from impasto.jobs.job import Effort, Job
from impasto.messages import Painted
from impasto.settings import AUTO, PaintingSettings

FINE_STEP = 9
"""How many other steps a step that finishes a fine picture is worth: it costs four times as much as
they do at full size, and most of them are made at smaller ones."""
LAST = 9
"""How many paintings are looked at: one that was disturbed does not move their median."""


def effort_of(painted: Painted, planned_steps: int, fine_steps: int) -> Effort:
    """The effort of a whole painting, which may have needed fewer steps than the `planned_steps`
    that it was allowed; `fine_steps` are those that finish a fine picture."""
    steps = planned_steps or painted.steps
    if painted.fine_network is not None:
        steps += (FINE_STEP - 1) * fine_steps
    return Effort(
        pixels=painted.width * painted.height,
        steps=steps,
        seconds=painted.seconds,
        device=painted.device,
        offers_fine=painted.offers_fine,
    )


class Estimates:
    """Estimates from the journal; None where nothing is known."""

    def __init__(self, journal: Journal, painting: PaintingSettings) -> None:
        self._journal = journal
        self._painting = painting
        self.device: str | None = None
        """Name of the device that paints, once the painting process has said it."""
        self.paints_fine: bool | None = None
        """Whether there can be fine pictures, once the painting process has said it."""

    def renew(self, painting: PaintingSettings) -> None:
        """Promises by these settings from here on."""
        self._painting = painting

    async def pixel_cap(self) -> int:
        """Most pixels of a result when nothing else is asked for, on the device that paints."""
        return self._cap(await self._efforts())

    async def offers_fine(self) -> bool:
        """Whether it makes a difference to ask for a picture as fine: there can be such pictures,
        and not all are."""
        return not self._painting.fine and self._can_be_fine(await self._efforts())

    async def seconds_until_done(self, job: Job, ahead: int) -> float | None:
        """In how many seconds a waiting job may be finished, with `ahead` jobs before it, which are
        taken for paintings like the last ones; None when nothing is known."""
        efforts = await self._efforts()
        own = self._seconds_for(job, efforts)
        if own is None:
            return None
        return own + await self._seconds_for_others(ahead, efforts)

    async def seconds_for_others(self, count: int) -> float | None:
        """How many seconds `count` paintings like the last ones may take."""
        efforts = await self._efforts()
        return await self._seconds_for_others(count, efforts) if efforts else None

    async def _seconds_for_others(self, count: int, efforts: list[Effort]) -> float:
        workers = await self._journal.workers()
        return count / workers * median(effort.seconds for effort in efforts)

    async def _efforts(self) -> list[Effort]:
        """Of the last paintings on the device in use, newest first."""
        jobs = await self._journal.last_painted(LAST)
        efforts = [job.effort for job in jobs if job.effort is not None]
        device = self.device or (efforts[0].device if efforts else None)
        return [effort for effort in efforts if effort.device == device]

    def _cap(self, efforts: list[Effort]) -> int:
        device = self.device or (efforts[0].device if efforts else self._painting.device)
        on_cpu = device in ("cpu", AUTO)
        return self._painting.max_pixels_cpu if on_cpu else self._painting.max_pixels_gpu

    def _can_be_fine(self, efforts: list[Effort]) -> bool:
        if self.paints_fine is not None:
            return self.paints_fine
        return bool(efforts) and efforts[0].offers_fine

    def _seconds_for(self, job: Job, efforts: list[Effort]) -> float | None:
        if not efforts:
            return None
        steps = job.options.steps or self._painting.steps
        is_fine = self._painting.fine if job.options.fine is None else job.options.fine
        if is_fine and self._can_be_fine(efforts):
            steps += FINE_STEP * self._painting.fine_steps
        pixels = job.options.max_pixels or self._cap(efforts)
        pixels = min(pixels, job.content.pixels or pixels)
        return pixels * steps * median(e.seconds / (e.pixels * e.steps) for e in efforts)
