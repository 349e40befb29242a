"""What dialog handlers use: the presets, and jobs to accept, look up and cancel."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType

from impasto.contracts import (
    NO_LIMITS,
    JobQueue,
    LimitReached,
    Limits,
    PaintOptions,
    Storage,
    StylePreset,
)
from impasto.contracts.options import recommended
from impasto.errors import InvalidTransition, TooManyJobs
from impasto.jobs.estimates import Estimates
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.jobs.store import JobObserver, JobStore, Reporter
from impasto.jobs.trials import Trials
from impasto.settings import QueueSettings

SECONDS_FOR_FILE = 15.0
"""A file of some MB is on its way to Telegram in less."""

SHARE_TO_WAIT_FOR = 0.25
"""A person who found too many pictures waiting is asked to come back when this share of them is
painted: when the first one is, all would come at once for its one place."""


MOST_GUESSED = 0.99
"""Share of a picture that is said to be done by the clock alone."""


_origins: ContextVar[Iterator[str] | None] = ContextVar("origins", default=None)
"""Of the jobs of the update that is being handled, see `Job.origin`."""


@contextmanager
def handling_update(update_id: int) -> Iterator[None]:
    """Jobs accepted inside, also by tasks started inside, belong to this update: when it is handled
    again after a crash, `JobService.accept` returns the jobs it already led to."""
    token = _origins.set(f"update {update_id} job {number}" for number in count(1))
    try:
        yield
    finally:
        _origins.reset(token)


def limits_of(queue: QueueSettings) -> Limits:
    """The limits that the settings name, where 0 is none."""
    return Limits(
        unfinished=queue.jobs_per_person,
        hourly=queue.pictures_per_hour or None,
        waiting=queue.most_waiting or None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Of an unfinished job."""

    ahead: int
    """How many jobs are painted before it."""
    share: float
    """How much of it is painted, 0 to 1."""
    seconds_left: float | None
    """Until it is finished; None where nothing is known."""


class JobService(JobObserver):
    """Accepts, looks up and cancels jobs; aiogram passes it to handlers as `job_service`.

    Limits are not for `owners` (ids of people).
    """

    def __init__(
        self,
        *,
        store: JobStore,
        storage: Storage,
        queue: JobQueue,
        reporter: Reporter,
        presets: Sequence[StylePreset],
        limits: Limits,
        estimates: Estimates,
        trials: Trials,
        owners: Collection[int] = (),
    ) -> None:
        self.presets = tuple(presets)
        """Every preset style, in the order of the gallery."""
        self.estimates = estimates
        """How long paintings take here, and how large they can be."""
        self.limits = limits
        """Most jobs of one person and of all, which `accept` keeps to."""
        self.owners = frozenset(owners)
        """Ids of the people who run the bot."""
        self._store = store
        self._storage = storage
        self._queue = queue
        self._reporter = reporter
        self._trials = trials
        self._files: dict[str, asyncio.Future[None]] = {}

    def renew(
        self, presets: Sequence[StylePreset], limits: Limits, owners: Collection[int]
    ) -> None:
        """Accepts jobs by these from here on."""
        self.presets = tuple(presets)
        self.limits = limits
        self.owners = frozenset(owners)

    def preset(self, name: str) -> StylePreset | None:
        """A preset by name; None when there is none, as after a button of an old message."""
        return next((preset for preset in self.presets if preset.name == name), None)

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
        thread: int | None = None,
    ) -> Job:
        """Takes a job: from here on it ends in a picture or in the reason why there is none.

        The person is shown a status message; there is nothing for the caller to say. Without
        `options` it is painted as the settings say and as its presets recommend. `wishes` are kept
        with the job for the dialog's own words, see `Job.wishes`; `reply_to` is the message that
        the status message answers, `thread` the topic of the chat (aiogram's `event_thread_id`).

        Raises:
            TooManyJobs: there are as many jobs as the limits allow.
        """
        origins = _origins.get()
        job = Job(
            person=person,
            chat=chat,
            thread=thread,
            language=language,
            content=content,
            styles=tuple(styles),
            options=options or self._recommended(styles),
            wishes=dict(wishes),
            reply_to=reply_to,
            origin=next(origins) if origins is not None else None,
        )
        limits = NO_LIMITS if person in self.owners else self.limits
        try:
            stored = await self._store.add(job, limits=limits)
        except LimitReached as reached:
            raise await self._refusal(reached, limits) from None
        # One of an update that is handled again may be past this, and yet not have been shown.
        if stored.state.is_in_the_works:
            await self._reporter.accepted(stored)
        if stored.state is JobState.ACCEPTED:
            await self._queue.announce()
        return stored

    async def cancel(self, job_id: str, person: int) -> Job | None:
        """Cancels a waiting or running job of this person; None when there is no such job.

        One that is cancelled already is told again: where its button is still there, the person
        was not told, or in another message.
        """
        job = await self.job(job_id, person)
        if job is not None and job.state is JobState.CANCELLED:
            self._reporter.finished(job)
            return job
        if job is None or not job.state.is_in_the_works:
            return None
        try:
            cancelled = await self._store.move(job_id, JobState.CANCELLED, is_untold=True)
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
        return await self._store.hurry(job_id)

    async def try_styles(
        self, content: TelegramPicture, styles: Mapping[str, PaintOptions]
    ) -> Mapping[str, bytes] | None:
        """A photo in each of these presets, small, so that a person can choose by it: JPEGs of 320
        pixels on the longer side, by the preset's name. Takes a second or two.

        It is no job and counts for no limit. None where there is no time for it: while pictures
        wait, while whatever could paint it paints one, and as soon as that is to. Cancel the call
        when nobody wants the answer any more.

        Args:
            styles: how the finished picture would be painted, by the preset's name.
        """
        return await self._trials.thumbnails(content, styles)

    async def forget(self, person: int) -> None:
        """Ends what is unfinished for this person and forgets their pictures, styles and wishes:
        what is left of their jobs are numbers. Their dialogue state goes too, in all chats."""
        for job in await self.jobs_of(person):
            if await self.cancel(job.id, person) is None:
                with suppress(InvalidTransition):  # it has just ended
                    await self._store.move(job.id, JobState.ABANDONED)
        await self._store.forget(person)
        await self._storage.forget_dialogue(person)

    async def keep_file_id(self, job: Job, file_id: str) -> None:
        """The full-quality file was sent: from now on Telegram has it."""
        await self._store.note(job.id, file_id=file_id)

    async def have_file_sent(self, job: Job, caption: str) -> bool:
        """Has the machine that painted the picture send it in full quality, with this caption
        (HTML); False when none that has it answers within SECONDS_FOR_FILE."""
        if job.result is None or not self._storage.is_shared:
            return False
        sent = self._files.setdefault(job.id, asyncio.get_running_loop().create_future())
        try:
            await self._store.note(job.id, file_caption=caption)
            async with asyncio.timeout(SECONDS_FOR_FILE):
                await asyncio.shield(sent)
        except TimeoutError:
            await self._store.note(job.id, file_caption=None)
        finally:
            self._files.pop(job.id, None)
        return sent.done()

    async def job(self, job_id: str, person: int) -> Job | None:
        """A job of this person; None also when it is somebody else's, or forgotten."""
        job = await self._store.journal.get(job_id)
        if job is None or job.person != person or job.is_forgotten:
            return None
        return job

    async def count(self, *states: JobState) -> int:
        """How many jobs of all people are in any of these states."""
        return await self._store.journal.count(*states)

    async def jobs_of(self, person: int) -> list[Job]:
        """The person's unfinished jobs, oldest first."""
        return await self._store.journal.of_person(person)

    async def outlook(self, job: Job) -> Outlook:
        """How far an unfinished job has come, and when it may be finished."""
        if job.state is not JobState.RUNNING:
            ahead = await self._store.journal.ahead_of(job.id)
            seconds = await self.estimates.seconds_until_done(job, ahead)
            return Outlook(ahead=ahead, share=0.0, seconds_left=seconds)
        progress = self._reporter.progress_of(job.id)
        left = await self.estimates.seconds_left(job, progress)
        if progress is not None:
            share = progress.share
        else:  # another process paints it
            taken = job.time_in_state.total_seconds()
            share = 0.0 if left is None else min(taken / ((taken + left) or 1.0), MOST_GUESSED)
        return Outlook(ahead=0, share=share, seconds_left=left)

    async def speak(self, person: int, language: str) -> None:
        """Has the person's unfinished jobs told in another language from now on."""
        for job in await self.jobs_of(person):
            if job.language != language:
                self._reporter.reworded(await self._store.note(job.id, language=language))

    def job_changed(self, job: Job) -> None:
        """A file that `have_file_sent` waits for was sent."""
        sent = self._files.get(job.id)
        if sent is not None and job.file_id is not None and not sent.done():
            sent.set_result(None)

    def _recommended(self, styles: Sequence[ChosenStyle]) -> PaintOptions:
        presets = [preset for style in styles if (preset := self.preset(style.preset or ""))]
        return recommended(presets, self.estimates.painting) if presets else PaintOptions()

    async def _refusal(self, reached: LimitReached, limits: Limits) -> TooManyJobs:
        match reached.limit:
            case "unfinished":
                most = limits.unfinished or 0
                return TooManyJobs(
                    "too_many_jobs",
                    f"You already have {most} pictures in the works; wait for one or cancel it.",
                    limit=most,
                )
            case "hourly":
                minutes = math.ceil(reached.seconds / 60)
                return TooManyJobs(
                    "too_many_this_hour",
                    f"You have had {limits.hourly} pictures within an hour; come back in about "
                    f"{minutes} min.",
                    limit=limits.hourly or 0,
                    seconds=math.ceil(reached.seconds),
                )
            case "waiting":
                share = math.ceil((limits.waiting or 0) * SHARE_TO_WAIT_FOR)
                seconds = await self.estimates.seconds_for_others(share)
                if seconds is None:
                    when, facts = "a little later", {}
                else:
                    when = f"in about {math.ceil(seconds / 60)} min"
                    facts = {"seconds": math.ceil(seconds)}
                return TooManyJobs(
                    "too_many_waiting",
                    f"Too many pictures are waiting to be painted; come back {when}.",
                    **facts,
                )
