"""What this installation can paint and how fast, learned from its last paintings; what that
promises, and how large a picture is painted when nobody is to wait for it too long.

The work of a painting is the sum over its levels of their pixels times their steps, as each step
sees each pixel a few times. It does not go with the pixels alone: a picture that is just large
enough for a level of few steps is less work than one a little smaller.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from itertools import count
from statistics import median
from typing import Final

from impasto.contracts import Journal, PaintOptions
from impasto.jobs.job import Effort, Job
from impasto.messages import Measured, Painted, Progress, Ready
from impasto.settings import AUTO, PaintingSettings
from impasto.sizes import (
    PHOTO_SIZE,
    limited,
    plan_levels,
    result_size,
    step_shares,
    with_fine_finish,
)

FINE_COST: Final = 2.0
"""How many times as long as another one of its size a step takes that finishes a fine picture;
docs/performance.md has the seconds of both."""
FEWEST_PIXELS: Final = 480 * 360
"""No picture is painted smaller than this to be ready sooner."""
CAPS_PER_OCTAVE: Final = 4
"""Pixel caps that follow from the pace are some of this many from one to its half: what is computed
and compiled for a picture's size serves the next picture, too, though the pace has changed a
little."""
LAST = 9
"""How many paintings are looked at: one that was disturbed does not move their median."""


def effort_of(painted: Painted, planned_steps: int, fine_steps: int) -> Effort:
    """The effort of a whole painting, which may have needed fewer steps than the `planned_steps`
    that it was allowed; `fine_steps` of them are those that finish a fine picture."""
    steps = planned_steps or painted.steps
    made_fine = fine_steps if painted.fine_network is not None else 0
    return Effort(
        pixels=painted.width * painted.height,
        steps=max(1, steps - made_fine),
        fine_steps=made_fine,
        seconds=painted.seconds,
        device=painted.device,
        offers_fine=painted.offers_fine,
    )


def work(pixels: int, steps: int, fine_steps: int, coarse_weight: float) -> float:
    """The work of a painting of this many pixels, in pixels evaluated by steps that are not fine;
    `coarse_weight` as in the settings."""
    side = max(1, math.isqrt(pixels))
    levels = plan_levels((side, side), steps, step_shares(coarse_weight))
    if fine_steps:
        levels = with_fine_finish(levels, fine_steps, FINE_COST)
    return sum(level.work for level in levels)


def pixels_within(patience: float, usual: int, seconds_for: Callable[[int], float]) -> int:
    """The most pixels, up to `usual`, that `seconds_for` says are painted within `patience`
    seconds; where none are, as few as a picture may have."""
    for number in count():
        pixels = int(usual / 2 ** (number / CAPS_PER_OCTAVE))
        if pixels <= FEWEST_PIXELS:
            break
        if seconds_for(pixels) <= patience:
            return pixels
    return min(usual, FEWEST_PIXELS)


class Estimates:
    """Estimates from what this process has painted, or else the journal knows, or else the painting
    process measured; None where that is nothing."""

    def __init__(self, journal: Journal, painting: PaintingSettings) -> None:
        self._journal = journal
        self.painting = painting
        """The section `[painting]` of the settings."""
        self._own: deque[Effort] = deque(maxlen=LAST)
        """Of what this process has painted, newest first: its machine has a pace of its own."""
        self.device: str | None = None
        """Name of the device that paints, once the painting process has said it."""
        self.paints_fine: bool | None = None
        """Whether there can be fine pictures, once the painting process has said it."""
        self._measured: list[Effort] = []
        """What it measured when it started: for times only, as long as nothing was painted."""

    def painter_ready(self, ready: Ready, pace: Measured | None) -> None:
        """The painting process of this machine is up, and has measured its pace."""
        self.device, self.paints_fine = ready.device, ready.offers_fine
        if pace is not None and pace.seconds is not None:
            effort = Effort(
                pixels=pace.pixels, steps=pace.steps, seconds=pace.seconds, device=ready.device
            )
            self._measured = [effort]

    def renew(self, painting: PaintingSettings) -> None:
        """Promises by these settings from here on."""
        self.painting = painting

    def learn(self, effort: Effort) -> None:
        """This process has painted a picture with this effort: from here on its own pace counts,
        and not that of others."""
        self._own.appendleft(effort)

    async def options_in_time(self, job: Job) -> PaintOptions | None:
        """The job's options with a pixel cap at which it is painted within
        `painting.patience_seconds`; None where the size is as asked for, or as usual."""
        efforts = await self._efforts()
        options = self._limited(job, efforts)
        pixels = self._pixels(job, efforts)
        if pixels == _pixels_of(job, options):
            return None
        return options.model_copy(update={"max_pixels": pixels})

    async def pixel_cap(self) -> int:
        """Most pixels of a result when nothing else is asked for, on the device that paints."""
        return self._cap(await self._efforts())

    async def offers_fine(self) -> bool:
        """Whether it makes a difference to ask for a picture as fine: there can be such pictures,
        and not all are."""
        return not self.painting.fine and self._can_be_fine(await self._efforts())

    async def seconds_until_done(self, job: Job, ahead: int) -> float | None:
        """In how many seconds a waiting job may be finished, with `ahead` jobs before it, which are
        taken for paintings like the last ones, or else like it; None when nothing is known."""
        efforts = await self._efforts()
        known = efforts or self._measured
        if not known:
            return None
        own = self._seconds_at(self._pixels(job, efforts), job.options, known)
        if not efforts:
            return own + ahead * own
        return own + await self._seconds_for_others(ahead, efforts)

    async def seconds_left(self, job: Job, progress: Progress | None) -> float | None:
        """In how many seconds a running job may be finished, of which `progress` is the newest that
        this process knows, if it does; None when nothing is known. The first progress of a job does
        not say it yet."""
        if progress is not None and progress.seconds_left is not None:
            return progress.seconds_left
        taken = job.time_in_state.total_seconds() if progress is None else progress.seconds
        seconds = await self.seconds_until_done(job, ahead=0)
        return None if seconds is None else max(0.0, seconds - taken)

    async def seconds_for_others(self, count: int) -> float | None:
        """How many seconds `count` paintings like the last ones may take."""
        efforts = await self._efforts()
        return await self._seconds_for_others(count, efforts) if efforts else None

    async def _seconds_for_others(self, count: int, efforts: list[Effort]) -> float:
        workers = await self._journal.workers()
        return count / workers * median(effort.seconds for effort in efforts)

    async def _efforts(self) -> list[Effort]:
        """Of the last paintings on the device in use, newest first: this process's own ones, else
        those that the journal knows."""
        efforts = list(self._own)
        if not efforts:
            jobs = await self._journal.last_painted(LAST)
            efforts = [job.effort for job in jobs if job.effort is not None]
        device = self.device or (efforts[0].device if efforts else None)
        return [effort for effort in efforts if effort.device == device]

    def _cap(self, efforts: list[Effort]) -> int:
        painting = self.painting
        return painting.max_pixels_cpu if self._on_cpu(efforts) else painting.max_pixels_gpu

    def _on_cpu(self, efforts: list[Effort]) -> bool:
        device = self.device or (efforts[0].device if efforts else self.painting.device)
        return device in ("cpu", AUTO)

    def _can_be_fine(self, efforts: list[Effort]) -> bool:
        if self.paints_fine is not None:
            return self.paints_fine
        return bool(efforts) and efforts[0].offers_fine

    def _pixels(self, job: Job, efforts: list[Effort]) -> int:
        """Of the job's result: as asked for, as usual, or fewer for the sake of time."""
        asked, patience = job.options, self.painting.patience_seconds
        usual = _pixels_of(job, self._limited(job, efforts))
        is_asked_for = asked.patient or asked.fine or asked.max_pixels or asked.max_side
        if not efforts or not patience or is_asked_for:
            return usual
        return pixels_within(
            patience, usual, lambda pixels: self._seconds_at(pixels, asked, efforts)
        )

    def _limited(self, job: Job, efforts: list[Effort]) -> PaintOptions:
        return limited(job.options, self.painting, self._cap(efforts), on_cpu=self._on_cpu(efforts))

    def _seconds_at(self, pixels: int, options: PaintOptions, efforts: list[Effort]) -> float:
        painting = self.painting
        is_fine = painting.fine if options.fine is None else options.fine
        fine_steps = painting.fine_steps if is_fine and self._can_be_fine(efforts) else 0
        coarse = painting.coarse_weight
        pace = median(e.seconds / work(e.pixels, e.steps, e.fine_steps, coarse) for e in efforts)
        return pace * work(pixels, options.steps or painting.steps, fine_steps, coarse)


def _pixels_of(job: Job, options: PaintOptions) -> int:
    """Of the job's result by these options; its photo is taken for a large one where Telegram does
    not say how large it is."""
    return math.prod(result_size(job.content.sides or PHOTO_SIZE, options))
