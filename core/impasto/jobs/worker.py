"""The worker and a job's way through it: claims a job, fetches its pictures, has it painted, again
where a child died, writes down what came of it; hands back what it cannot finish."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any, TypeVar

import structlog
from structlog.contextvars import bound_contextvars

from impasto.contracts import JobQueue, PaintOptions, StylePreset
from impasto.contracts.options import PIXEL_BOUNDS
from impasto.errors import ChatError, InvalidTransition, described, is_of_machine
from impasto.jobs.estimates import Estimates, effort_of
from impasto.jobs.folders import JobFolders, NotFetched, PictureSource, with_pictures
from impasto.jobs.job import (
    LONGEST_PUT_OFF,
    PICTURE_GONE,
    Job,
    JobState,
)
from impasto.jobs.painter_process import PAINTING_COMMAND, ChildKeeper, ChildLost, PaintingChild
from impasto.jobs.store import JobObserver, JobStore, Reporter
from impasto.jobs.trials import Trials
from impasto.messages import (
    MACHINE_FAILS,
    PAINTING_FAILED,
    PLUGIN_FAILED,
    TOO_LITTLE_MEMORY,
    Cancel,
    Failed,
    Failure,
    Finish,
    Measured,
    Outcome,
    Paint,
    Painted,
    Progress,
    Ready,
    Stopped,
)
from impasto.settings import Settings
from impasto.tasks import unless_set

log = structlog.get_logger(__name__)
T = TypeVar("T")

NEARLY = 0.97
"""A picture of this share of its pixel cap, whose sides were rounded, was kept to it; one of fewer
is as large as it would be anyhow."""

PAUSE_SECONDS = 5.0
"""After an unexpected error the worker goes on this much later."""

LOOK_SECONDS = 10.0
"""A worker that nobody wakes looks this often for jobs that are put off no longer."""

MOST_FETCHES = 6
"""A job whose pictures Telegram did not give this often, while it gave others, is explained."""

FIRST_PUT_OFF_SECONDS = 10.0
"""For which such a job is passed over the first time; then twice as long each time."""


class Stop(Enum):
    """Why the job in hand is to be stopped."""

    TAKEN_AWAY = auto()  # cancelled or abandoned: the journal knows
    SHUTDOWN = auto()
    PUT_OFF = auto()  # the machine fails, or a picture cannot be had just now


class StopRequested(Exception):
    """The job in hand was stopped before the child had it."""


class InHand:
    """The job that is being worked on."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stop: Stop | None = None
        self.stop_requested = asyncio.Event()
        self.is_hurried = False
        """It was to be finished early: its effort says nothing about whole paintings."""
        self.planned_steps = 0
        self.pixels = 0
        """As the child's last progress said."""
        self.cap_for_time: int | None = None
        """Pixel cap where the usual size would take longer than `painting.patience_seconds`."""
        self.child: PaintingChild | None = None
        """The child that paints it; None before Paint was sent."""
        self.handed_back_with: dict[str, object] = {}
        """What the journal is to know of it when it waits again."""

    def request_stop(self, why: Stop) -> None:
        # The first reason stays, but what was taken away is never handed back.
        if self.stop is None or why is Stop.TAKEN_AWAY:
            self.stop = why
        if not self.stop_requested.is_set():
            self.stop_requested.set()
            self._stop_child()

    def hurry(self) -> None:
        """Has the picture finished as it is. Before the child paints there is none to keep."""
        if self.child is not None:
            self.is_hurried = True
            self.child.tell(Finish(job_id=self.job.id))

    def is_smaller_for_time(self, painted: Painted) -> bool:
        """Whether more time, and nothing else, would have made the picture larger."""
        if self.cap_for_time is None or painted.reduced:
            return False
        return painted.width * painted.height >= NEARLY * self.cap_for_time

    def given_to(self, child: PaintingChild) -> None:
        self.child = child
        if self.stop_requested.is_set():
            self._stop_child()

    def _stop_child(self) -> None:
        if self.child is not None:
            self.child.stop(Cancel(job_id=self.job.id))

    async def unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work` (not None), which is cancelled when a stop is requested.

        Raises:
            StopRequested: it was.
        """
        result = await unless_set(self.stop_requested, work)
        if result is None:
            raise StopRequested
        return result


class JournalFailed(Exception):
    """The journal could not be read or written for the job in hand: no fault of the job."""


class Worker(JobObserver):
    """Paints one job at a time."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: JobStore,
        pictures: PictureSource,
        reporter: Reporter,
        presets: Sequence[StylePreset],
        folders: JobFolders,
        queue: JobQueue,
        estimates: Estimates,
        trials: Trials,
        on_loss: Callable[[str], None],
        on_machine_failing: Callable[[Exception], None],
        on_plugin_failing: Callable[[str, str], None],
        command: Sequence[str] = PAINTING_COMMAND,
    ) -> None:
        """`on_loss` is told why, whenever a job loses its child, `on_machine_failing`, whenever a
        job is put off since the disk is full, say, and `on_plugin_failing` which plugin a job
        failed by, and why; they must not block."""
        self._attempts = settings.queue.attempts
        self._keeper = ChildKeeper(settings, presets, command=command)
        self._trials = trials
        trials.paint_with(self._keeper)
        self._queue = queue
        self._estimates = estimates
        self._on_loss = on_loss
        self._on_machine_failing = on_machine_failing
        self._on_plugin_failing = on_plugin_failing
        self._store = store
        self._pictures = pictures
        self._reporter = reporter
        self._presets = {preset.name: preset for preset in presets}
        self._folders = folders
        self._painting = settings.painting
        self._prefers_large = False
        self._in_hand: InHand | None = None
        self._unwritten: tuple[InHand, Outcome] | None = None
        """What came of a job, until the journal has it."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False

    def renew(self, settings: Settings, presets: Sequence[StylePreset]) -> None:
        """Paints by these settings from the next job on, with a new child."""
        self._keeper.renew(settings, presets)
        self._presets = {preset.name: preset for preset in presets}
        self._painting = settings.painting

    async def ready(self) -> Ready:
        """What the child said when it was up.

        Raises:
            ChildLost: it does not start.
        """
        return (await self._keeper.child()).ready

    @property
    def pace(self) -> Measured | None:
        """How fast it paints, once the first child has measured it."""
        return self._keeper.pace

    async def serve(self) -> None:
        """Paints whatever waits, until cancelled or drained; an error (a full disk, say) is waited
        out."""
        while not self._draining:
            try:
                if not await self.work():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_SECONDS):
                            await self._queue.wait()
            except Exception:
                log.exception("work_failed", again_in_seconds=PAUSE_SECONDS)
                await asyncio.sleep(PAUSE_SECONDS)

    async def work(self) -> bool:
        """Paints the next waiting job; False when none waits or the worker is being stopped.

        Raises whatever the journal raises, and OSError when the machine fails (the disk is full,
        say): nothing is lost, and it is worth calling again a little later.
        """
        if self._draining:
            return False
        if self._unwritten is not None:
            await self._conclude(*self._unwritten)
            return True
        self._idle.clear()
        try:
            job = await self._store.claim(larger_than=self._preferred())
            if job is None:
                return False
            self._in_hand = InHand(job)
            if self._draining:
                self._in_hand.request_stop(Stop.SHUTDOWN)
            await self._trials.make_way()
            with bound_contextvars(job=job.id):
                await self._handle(self._in_hand)
            await self._keeper.recycle()
            return True
        finally:
            self._in_hand = None
            self._trials.may_begin()
            self._idle.set()

    async def drain(self) -> None:
        """Takes no more jobs and hands the one in hand back, unless it gets finished meanwhile.
        Takes little more than the child's SECONDS_TO_STOP."""
        self._draining = True
        if self._in_hand is not None:
            self._in_hand.request_stop(Stop.SHUTDOWN)
        await self._idle.wait()

    async def close(self) -> None:
        """Ends the child. A job still in hand stays `running` in the journal: see `drain`."""
        await self._keeper.close()

    def job_changed(self, job: Job) -> None:
        if job.state in (JobState.CANCELLED, JobState.ABANDONED):
            self.job_left(job)

    def job_left(self, job: Job) -> None:
        if self._in_hand is not None and self._in_hand.job.id == job.id:
            self._in_hand.request_stop(Stop.TAKEN_AWAY)

    def jobs_at_hand(self) -> Iterable[Job]:
        return [] if self._in_hand is None else [self._in_hand.job]

    def job_vanished(self, job: Job) -> None:
        self.job_left(job)

    def job_hurried(self, job: Job) -> None:
        if self._in_hand is not None and self._in_hand.job.id == job.id:
            self._in_hand.hurry()

    def _preferred(self) -> int | None:
        """On a GPU every other claim looks for what is too large for a CPU; the claims between them
        take everybody in turn, so that nobody waits forever."""
        self._prefers_large = self._keeper.has_gpu and not self._prefers_large
        return self._painting.max_pixels_cpu if self._prefers_large else None

    async def _handle(self, hand: InHand) -> None:
        try:
            fetching = with_pictures(hand.job, self._folders, self._pictures, self._presets)
            paint = await hand.unless_stopped(fetching)
            outcome = await self._painted(hand, paint)
            if isinstance(outcome, Failed) and outcome.failure.code == MACHINE_FAILS:
                why = outcome.failure
                raise OSError(int(why.facts.get("errno", errno.ENOSPC)), why.sentence)
        except StopRequested:
            outcome = Stopped(job_id=hand.job.id)
        except ChatError as error:
            told = Failure(code=error.code, sentence=str(error), facts=error.facts)
            outcome = Failed(job_id=hand.job.id, failure=told)
        except NotFetched as failure:
            log.warning("pictures_not_fetched", job=hand.job.id, why=str(failure))
            if self._may_be_fetched_later(hand, failure):
                await self._put_off(hand)
                return
            outcome = Failed(job_id=hand.job.id, failure=PICTURE_GONE)
        except JournalFailed:
            await self._put_off(hand)
            raise
        except Exception as error:
            if is_of_machine(error):
                self._on_machine_failing(error)
                await self._put_off(hand)
                raise
            log.exception("job_not_painted", job=hand.job.id)
            outcome = _given_up(hand.job, described(error))
        await self._conclude(hand, outcome)

    async def _put_off(self, hand: InHand) -> None:
        """Hands the job back: it can be painted later."""
        hand.stop = hand.stop or Stop.PUT_OFF
        await self._conclude(hand, Stopped(job_id=hand.job.id))

    def _may_be_fetched_later(self, hand: InHand, failure: NotFetched) -> bool:
        """Has others painted before this one; False when that has been done often enough."""
        failed = hand.job.fetches_failed + failure.others_work
        if failed >= MOST_FETCHES:
            return False
        seconds = max(failure.seconds, FIRST_PUT_OFF_SECONDS * 2 ** max(0, failed - 1))
        pause = min(timedelta(seconds=seconds), LONGEST_PUT_OFF)
        hand.handed_back_with = {
            "fetches_failed": failed,
            "not_before": datetime.now(UTC) + pause,
        }
        return True

    async def _painted(self, hand: InHand, paint: Paint) -> Outcome:
        """Has the job painted: by new children where old ones die, once more in half the pixels
        where there is not the memory for more."""
        while True:
            again = False
            try:
                child = await hand.unless_stopped(self._keeper.child_for_a_job())
                paint = paint.model_copy(update={"options": await self._options(hand)})
                outcome = await self._painted_by(child, hand, paint)
            except ChildLost as loss:
                if hand.stop is not None:  # it was killed because it did not stop
                    await self._keeper.replace()
                    return Stopped(job_id=hand.job.id)
                self._on_loss(str(loss))
                await self._keeper.replace()
                await self._note(hand, deaths=hand.job.deaths + 1)
                log.warning(
                    "painting_child_lost", job=hand.job.id, why=str(loss), deaths=hand.job.deaths
                )
                outcome = _lost(hand.job, loss)
                again = hand.job.deaths < self._attempts
            if isinstance(outcome, Failed) and outcome.failure.code == TOO_LITTLE_MEMORY.code:
                again = await self._shrink(hand)
            if not again:
                return outcome

    async def _options(self, hand: InHand) -> PaintOptions:
        """The job's options, within what `painting.patience_seconds` allows at the pace of now."""
        try:
            in_time = await self._estimates.options_in_time(hand.job)
        except Exception as error:
            raise JournalFailed(described(error)) from error
        hand.cap_for_time = None
        if in_time is None:
            return hand.job.options
        hand.cap_for_time = in_time.max_pixels
        log.info("job_made_smaller_for_time", job=hand.job.id, max_pixels=in_time.max_pixels)
        return in_time

    async def _shrink(self, hand: InHand) -> bool:
        """Has the job tried in half the pixels from now on; False if it was tried so already."""
        job, painting = hand.job, self._painting
        if job.shrunk:
            return False
        most = painting.max_pixels_gpu if self._keeper.has_gpu else painting.max_pixels_cpu
        # Where the memory was short from the beginning, it is painted smaller than asked for.
        asked = hand.cap_for_time or job.options.max_pixels or most
        tried = hand.pixels or min(asked, job.content.pixels or most, most)
        half = max(PIXEL_BOUNDS[0], tried // 2)
        options = job.options.model_copy(update={"max_pixels": half})
        await self._note(hand, options=options, shrunk=True)
        log.warning("job_shrunk", job=job.id, max_pixels=half)
        return True

    async def _note(self, hand: InHand, **facts: object) -> None:
        try:
            hand.job = await self._store.note(hand.job.id, **facts)
        except InvalidTransition:
            raise
        except Exception as error:
            raise JournalFailed(described(error)) from error

    async def _painted_by(self, child: PaintingChild, hand: InHand, paint: Paint) -> Outcome:
        def progressed(progress: Progress) -> None:
            hand.planned_steps, hand.pixels = progress.steps, progress.pixels
            if hand.stop is None:
                self._reporter.progress(hand.job, progress)

        child.tell(paint)
        hand.given_to(child)
        try:
            return await child.outcome(hand.job.id, progressed)
        finally:
            hand.child = None

    async def _conclude(self, hand: InHand, outcome: Outcome) -> None:
        """Writes down what came of the job and has the person told."""
        self._unwritten = (hand, outcome)
        try:
            await self._write(hand, outcome)
        except InvalidTransition:
            log.info("job_was_taken_away", job=hand.job.id)
            is_known = await self._release(hand.job.id)
            if not is_known and hand.stop is None:
                self._reporter.finished(hand.job)  # who finds that it vanished, and says so
        self._unwritten = None

    async def _write(self, hand: InHand, outcome: Outcome) -> None:
        job = hand.job
        if isinstance(outcome, Painted):
            effort = effort_of(outcome, hand.planned_steps, self._painting.fine_steps)
            job = await self._store.move(
                job.id,
                JobState.PAINTED,
                result=outcome.result,
                seconds=outcome.seconds,
                steps=outcome.steps,
                reduced=outcome.reduced or job.shrunk,
                reduced_for_time=hand.is_smaller_for_time(outcome),
                effort=None if hand.is_hurried else effort,
            )
            if not hand.is_hurried:
                self._estimates.learn(effort)
            self._reporter.finished(job)
        elif isinstance(outcome, Stopped) and hand.stop in (Stop.SHUTDOWN, Stop.PUT_OFF):
            await self._store.move(
                job.id,
                JobState.ACCEPTED,
                attempts=job.attempts - 1,
                finish_early=False,
                **hand.handed_back_with,
            )
            await self._queue.announce()
        elif isinstance(outcome, Stopped) and hand.stop is Stop.TAKEN_AWAY:
            await self._release(job.id)
        else:
            failed = outcome if isinstance(outcome, Failed) else _given_up(job, "it stopped")
            await self._fail(job, failed)

    async def _fail(self, job: Job, failed: Failed) -> None:
        failure = failed.failure
        log.warning(
            "job_failed", job=job.id, code=failure.code, plugin=failed.plugin, detail=failed.detail
        )
        if failed.plugin is not None:
            self._on_plugin_failing(failed.plugin, str(failure.facts.get("why", "")))
        self._reporter.finished(await self._store.move(job.id, JobState.FAILED, failure=failure))

    async def _release(self, job_id: str) -> bool:
        """Leaves its pictures to others; whether the journal knows the job."""
        job = await self._store.journal.get(job_id)
        if job is not None:
            await self._folders.release(job)
        else:
            await self._folders.remove(job_id)
        return job is not None


def _lost(job: Job, loss: ChildLost) -> Failed:
    """The painting process died under the job too often."""
    failure = TOO_LITTLE_MEMORY if loss.for_memory else PAINTING_FAILED
    if loss.plugin is not None:
        blame = {"plugin": loss.plugin, "why": str(loss)}
        failure = PLUGIN_FAILED.model_copy(update={"facts": blame})
    return Failed(job_id=job.id, failure=failure, plugin=loss.plugin, detail=str(loss))


def _given_up(job: Job, detail: str) -> Failed:
    return Failed(job_id=job.id, failure=PAINTING_FAILED, detail=detail)
