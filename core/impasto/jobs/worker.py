"""The worker: parent of the painting child. Claims a job, fetches its pictures, has it painted,
writes down what came of it; replaces a child that dies or falls silent; hands back what it cannot
finish."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from impasto.contracts import StylePreset
from impasto.errors import ChatError, InvalidTransition, PaintingFailed, PictureError
from impasto.jobs.child_process import PAINTING_COMMAND, ChildLost, PaintingChild
from impasto.jobs.folders import JobFolders
from impasto.jobs.in_hand import InHand, Stop, StopRequested
from impasto.jobs.job import ChosenStyle, Failure, Job, JobState
from impasto.jobs.ledger import Ledger
from impasto.jobs.pace import effort_of
from impasto.jobs.ports import PictureSource, Reporter
from impasto.messages import (
    Configure,
    Failed,
    Outcome,
    Paint,
    Painted,
    PresetFile,
    Progress,
    Ready,
    Stopped,
    StyleFile,
)
from impasto.settings import Settings

log = structlog.get_logger(__name__)


class Worker:
    """Paints one job at a time; `work` is what a queue awaits for each ticket."""

    def __init__(
        self,
        *,
        settings: Settings,
        ledger: Ledger,
        pictures: PictureSource,
        reporter: Reporter,
        presets: Sequence[StylePreset],
        folders: JobFolders,
        command: Sequence[str] = PAINTING_COMMAND,
    ) -> None:
        self._attempts = settings.queue.attempts
        self._configure = Configure(
            settings=settings.without_secrets(),
            presets=[
                PresetFile(path=preset.picture, brush_size=preset.brush_size) for preset in presets
            ],
        )
        self._ledger = ledger
        self._pictures = pictures
        self._reporter = reporter
        self._presets = {preset.name: preset for preset in presets}
        self._folders = folders
        self._command = command
        self._silence = settings.queue.silence_seconds
        self._starting: asyncio.Task[PaintingChild] | None = None
        self._in_hand: InHand | None = None
        self._unwritten: tuple[InHand, Outcome] | None = None
        """What came of a job, until the journal has it."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        ledger.watch(self._job_changed)
        ledger.on_hurry(self._job_hurried)

    def warm_up(self) -> None:
        """Starts the child in the background, so that the first job need not wait for it."""
        self._started()

    async def ready(self) -> Ready:
        """What the child said when it was up.

        Raises:
            ChildLost: it does not start.
        """
        return (await self._child()).ready

    async def work(self) -> bool:
        """Paints the next waiting job; False when none waits or the worker is being stopped."""
        if self._draining:
            return False
        if self._unwritten is not None:
            await self._conclude(*self._unwritten)
            return True
        self._idle.clear()
        try:
            job = await self._ledger.claim()
            if job is None:
                return False
            self._in_hand = InHand(job)
            if self._draining:
                self._in_hand.request_stop(Stop.SHUTDOWN)
            await self._handle(self._in_hand)
            return True
        finally:
            self._in_hand = None
            self._idle.set()

    async def drain(self) -> None:
        """Takes no more jobs and hands the one in hand back, unless it gets finished meanwhile.
        Takes little more than SECONDS_TO_STOP."""
        self._draining = True
        if self._in_hand is not None:
            self._in_hand.request_stop(Stop.SHUTDOWN)
        await self._idle.wait()

    async def close(self) -> None:
        """Ends the child. A job still in hand stays `running` in the journal: see `drain`."""
        starting, self._starting = self._starting, None
        if starting is None:
            return
        if not starting.done():
            starting.cancel()
        results = await asyncio.gather(starting, return_exceptions=True)
        if isinstance(results[0], PaintingChild):
            await results[0].close()

    def _job_changed(self, job: Job, change: JobState) -> None:
        hand = self._in_hand
        gone = change in (JobState.CANCELLED, JobState.ABANDONED)
        if gone and hand is not None and hand.job.id == job.id:
            hand.request_stop(Stop.TAKEN_AWAY)

    def _job_hurried(self, job_id: str) -> None:
        if self._in_hand is not None and self._in_hand.job.id == job_id:
            self._in_hand.hurry()

    async def _handle(self, hand: InHand) -> None:
        try:
            paint = await hand.unless_stopped(self._prepare(hand.job))
            outcome = await self._painted(hand, paint)
        except StopRequested:
            outcome = Stopped(job_id=hand.job.id)
        except ChatError as error:
            outcome = Failed(
                job_id=hand.job.id, code=error.code, sentence=str(error), facts=error.facts
            )
        except Exception as error:
            log.exception("job_not_painted", job=hand.job.id)
            outcome = _given_up(hand.job, f"{type(error).__name__}: {error}")
        await self._conclude(hand, outcome)

    async def _prepare(self, job: Job) -> Paint:
        """Fetches the job's pictures into its folder."""
        folder = await self._folders.make(job.id)
        content = folder / "content"
        await self._pictures.fetch(job.content, content)
        styles = [
            await self._style_file(job, index, style) for index, style in enumerate(job.styles)
        ]
        return Paint(
            job_id=job.id, content=content, styles=styles, options=job.options, folder=folder
        )

    async def _style_file(self, job: Job, index: int, style: ChosenStyle) -> StyleFile:
        if style.picture is not None:
            path = self._folders.of(job.id) / f"style_{index}"
            try:
                await self._pictures.fetch(style.picture, path)
            except PictureError as error:
                error.facts["role"] = "style"  # as the painting child marks it
                raise
            return StyleFile(path=path, weight=style.weight)
        preset = self._presets.get(style.preset or "")
        if preset is None or not await asyncio.to_thread(preset.picture.is_file):
            raise PaintingFailed("style_gone", "This style is gone; please choose another one.")
        return StyleFile(path=preset.picture.resolve(), weight=style.weight)

    async def _painted(self, hand: InHand, paint: Paint) -> Outcome:
        """Has the job painted, by new children where old ones die."""
        while True:
            try:
                child = await hand.unless_stopped(self._child())
                return await self._painted_by(child, hand, paint)
            except ChildLost as loss:
                await self._replace_child()
                if hand.stop is not None:
                    return Stopped(job_id=hand.job.id)
                hand.job = await self._ledger.note(hand.job.id, deaths=hand.job.deaths + 1)
                log.warning(
                    "painting_child_lost", job=hand.job.id, why=str(loss), deaths=hand.job.deaths
                )
                if hand.job.deaths >= self._attempts:
                    return _given_up(hand.job, str(loss))

    async def _painted_by(self, child: PaintingChild, hand: InHand, paint: Paint) -> Outcome:
        child.tell(paint)
        hand.given_to(child)
        try:
            while True:
                message = await child.receive(self._silence)
                if isinstance(message, Ready) or message.job_id != paint.job_id:
                    continue
                if not isinstance(message, Progress):
                    return message
                hand.planned_steps = message.steps
                if hand.stop is None:
                    self._reporter.progress(hand.job, message)
        finally:
            hand.taken_from_child()

    async def _conclude(self, hand: InHand, outcome: Outcome) -> None:
        """Writes down what came of the job and has the person told."""
        self._unwritten = (hand, outcome)
        try:
            await self._write(hand, outcome)
        except InvalidTransition:
            log.info("job_was_taken_away", job=hand.job.id)
            await self._release(hand.job.id)
        self._unwritten = None

    async def _write(self, hand: InHand, outcome: Outcome) -> None:
        job = hand.job
        if isinstance(outcome, Painted):
            job = await self._ledger.move(
                job.id,
                JobState.PAINTED,
                result=outcome.result,
                seconds=outcome.seconds,
                reduced=outcome.reduced,
                effort=None if hand.is_hurried else effort_of(outcome, hand.planned_steps),
            )
            self._reporter.finished(job)
        elif isinstance(outcome, Stopped) and hand.stop is Stop.SHUTDOWN:
            await self._ledger.move(
                job.id, JobState.ACCEPTED, attempts=job.attempts - 1, finish_early=False
            )
        elif isinstance(outcome, Stopped) and hand.stop is Stop.TAKEN_AWAY:
            await self._release(job.id)
        else:
            failed = outcome if isinstance(outcome, Failed) else _given_up(job, "it stopped")
            await self._fail(job, failed)

    async def _fail(self, job: Job, failed: Failed) -> None:
        log.warning(
            "job_failed", job=job.id, code=failed.code, plugin=failed.plugin, detail=failed.detail
        )
        failure = Failure(code=failed.code, sentence=failed.sentence, facts=failed.facts)
        self._reporter.finished(await self._ledger.move(job.id, JobState.FAILED, failure=failure))

    async def _release(self, job_id: str) -> None:
        job = await self._ledger.journal.get(job_id)
        if job is not None:
            await self._folders.release(job)

    async def _child(self) -> PaintingChild:
        """The running child, or a new one."""
        while True:
            # Shielded: whoever is stopped while waiting for the child must not stop its start.
            child = await asyncio.shield(self._started())
            if child.is_alive:
                return child
            log.warning("painting_child_died_idle", pid=child.pid)
            await self._replace_child()

    def _started(self) -> asyncio.Task[PaintingChild]:
        """The start of the child in use, begun now if there is none."""
        if self._starting is None or _has_failed(self._starting):
            self._starting = asyncio.create_task(self._start_child())
            self._starting.add_done_callback(_log_failed_start)
        return self._starting

    async def _start_child(self) -> PaintingChild:
        child = await PaintingChild.start(
            self._configure, patience=self._silence, command=self._command
        )
        log.info("painting_child_ready", pid=child.pid, device=child.ready.device)
        for plugin in child.ready.plugins:
            if plugin.error:
                log.error("painting_plugin_failed", plugin=plugin.name, error=plugin.error)
        return child

    async def _replace_child(self) -> None:
        """Ends what is left of the child and starts a new one."""
        starting, self._starting = self._starting, None
        if starting is not None and starting.done() and not _has_failed(starting):
            await starting.result().kill()
        self.warm_up()


def _has_failed(task: asyncio.Task[PaintingChild]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _log_failed_start(task: asyncio.Task[PaintingChild]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("painting_child_did_not_start", why=str(error))


def _given_up(job: Job, detail: str) -> Failed:
    return Failed(
        job_id=job.id,
        code="painting_failed",
        sentence="Painting this picture failed; please try again or send another one.",
        detail=detail,
    )
