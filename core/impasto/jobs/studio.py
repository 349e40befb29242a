"""What dialog handlers use: the presets, and jobs to accept, look up and cancel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType

from impasto.contracts import PaintOptions, StylePreset
from impasto.errors import InvalidTransition, TooManyJobs
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.jobs.ledger import Ledger
from impasto.jobs.pace import Pace
from impasto.jobs.ports import Reporter
from impasto.jobs.queue import JobQueue

_CAN_CANCEL = (JobState.ACCEPTED, JobState.RUNNING)


@dataclass(slots=True)
class _UpdateInHand:
    update_id: int
    accepted: int = 0


_update_in_hand: ContextVar[_UpdateInHand | None] = ContextVar("update_in_hand", default=None)


@contextmanager
def handling_update(update_id: int) -> Iterator[None]:
    """Jobs accepted inside, also by tasks started inside, belong to this update: when it is handled
    again after a crash, `Studio.accept` returns the jobs it already led to."""
    token = _update_in_hand.set(_UpdateInHand(update_id))
    try:
        yield
    finally:
        _update_in_hand.reset(token)


def _next_origin() -> str | None:
    update = _update_in_hand.get()
    if update is None:
        return None
    update.accepted += 1
    return f"update {update.update_id} job {update.accepted}"


class Studio:
    """Accepts, looks up and cancels jobs; aiogram passes it to handlers as `studio`."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        queue: JobQueue,
        reporter: Reporter,
        presets: Sequence[StylePreset],
        jobs_per_person: int,
        pace: Pace,
    ) -> None:
        self.presets = tuple(presets)
        self.pace = pace
        self._presets = {preset.name: preset for preset in presets}
        self._ledger = ledger
        self._queue = queue
        self._reporter = reporter
        self._jobs_per_person = jobs_per_person

    def preset(self, name: str) -> StylePreset | None:
        """A preset by name; None when there is none, as after a button of an old message."""
        return self._presets.get(name)

    async def accept(
        self,
        *,
        person: int,
        chat: int,
        language: str,
        content: TelegramPicture,
        styles: Sequence[ChosenStyle],
        options: PaintOptions | None = None,
        wishes: Mapping[str, str | bool] = MappingProxyType({}),
        reply_to: int | None = None,
    ) -> Job:
        """Takes a job: from here on it ends in a picture or in the reason why there is none.

        The person is shown a status message; there is nothing for the caller to say. `wishes` are
        kept with the job for the dialog's own words, see `Job.wishes`; `reply_to` is the message
        that the status message answers.

        Raises:
            TooManyJobs: the person has as many unfinished jobs as the settings allow.
        """
        job = Job(
            person=person,
            chat=chat,
            language=language,
            content=content,
            styles=tuple(styles),
            options=options or PaintOptions(),
            wishes=dict(wishes),
            reply_to=reply_to,
            origin=_next_origin(),
        )
        stored = await self._ledger.add(job, limit=self._jobs_per_person)
        if stored is None:
            limit = self._jobs_per_person
            raise TooManyJobs(
                "too_many_jobs",
                f"You already have {limit} pictures in the works; wait for one or cancel it.",
                limit=limit,
            )
        if stored.state is JobState.ACCEPTED:
            await self._reporter.accepted(stored)
            await self._queue.put(stored.id)
        return stored

    async def cancel(self, job_id: str, person: int) -> Job | None:
        """Cancels a waiting or running job of this person; None when there is no such job."""
        job = await self.job(job_id, person)
        if job is None or job.state not in _CAN_CANCEL:
            return None
        try:
            cancelled = await self._ledger.move(job_id, JobState.CANCELLED)
        except InvalidTransition:  # finished in between
            return None
        self._reporter.finished(cancelled)
        return cancelled

    async def finish_early(self, job_id: str, person: int) -> Job | None:
        """Has a picture of this person that is being painted finished as it is; None when there is
        no such job."""
        job = await self.job(job_id, person)
        if job is None or job.state is not JobState.RUNNING:
            return None
        return await self._ledger.hurry(job_id)

    async def keep_file_id(self, job: Job, file_id: str) -> None:
        """The full-quality file was sent: from now on Telegram has it."""
        await self._ledger.note(job.id, file_id=file_id)

    async def job(self, job_id: str, person: int) -> Job | None:
        """A job of this person; None also when it is somebody else's."""
        job = await self._ledger.journal.get(job_id)
        return job if job is not None and job.person == person else None

    async def jobs_of(self, person: int) -> list[Job]:
        """The person's unfinished jobs, oldest first."""
        return await self._ledger.journal.of_person(person)
