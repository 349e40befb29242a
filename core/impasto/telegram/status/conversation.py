"""All that is said about one job, by one task, so that no two edits of its message ever race.

The status message is announced, edited while painting goes on (only the latest progress is shown),
and turned into the result. What the journal must know is noted at once.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from aiogram import Bot
from aiogram.types import Message

from impasto.contracts import Say
from impasto.errors import InvalidTransition, is_of_machine
from impasto.jobs.estimates import Estimates
from impasto.jobs.job import JOB_VANISHED, PHOTOS_FORBIDDEN, Job, JobState
from impasto.jobs.store import JobStore
from impasto.messages import Failure, Progress
from impasto.telegram.pictures import photo_of
from impasto.telegram.retry import (
    UNANSWERED,
    ChatMoved,
    MessageGone,
    PersonGone,
    PhotosForbidden,
    Refused,
    TopicGone,
)
from impasto.telegram.status.message import StatusMessage
from impasto.telegram.status.presenter import SafePresenter

log = structlog.get_logger(__name__)

LEAST_SLOWDOWN = 5
"""While a job waits, its edits come slower by the number of jobs ahead of it, at least by this
factor: there may be hundreds that all move up at once, and far behind it matters little."""

_NOT_SENT = Failure(
    code="painting_failed",
    sentence="The picture could not be sent; please try again or send another photo.",
)


class Conversation:
    """What the person is told about one job, from the first message to the last."""

    def __init__(
        self,
        job: Job,
        *,
        bot: Bot,
        store: JobStore,
        estimates: Estimates,
        presenter: SafePresenter,
        edit_seconds: float,
    ) -> None:
        self.announced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done after the first try to show that the job waits."""
        self.is_over = asyncio.Event()
        """Set when the job has ended and the person remains to be told."""
        self.is_announced_here = False
        """Whether this process sends the first message. A worker that claims the job before it is
        sent leaves that to the bot."""
        self._message = StatusMessage(
            job,
            bot=bot,
            store=store,
            on_failure=self._set_announced,
            is_over=lambda: self._has_ended,
        )
        self._store = store
        self._estimates = estimates
        self._presenter = presenter
        self._edit_seconds = edit_seconds
        self._news = asyncio.Event()
        self.newest_progress: Progress | None = None
        self._shown: Progress | None = None
        self._newest_message = 0
        """Id of the newest message in the chat, as far as this process knows."""
        self._preview: Path | None = None
        self._edited_at = float("-inf")
        self._place: Say | None = None
        self._placed_at = float("-inf")
        self._ahead = 0
        self._is_hidden = False
        self._is_left = False
        self._has_ended = False
        """The job is neither waiting nor being painted any more, here or elsewhere."""
        # What is not done again when `run` is repeated after an unexpected error.
        self._is_pictured = False
        self._is_notified = False

    @property
    def job(self) -> Job:
        return self._message.job

    def show(self, progress: Progress) -> None:
        """Newer progress; an older one that was not shown yet is dropped."""
        self.newest_progress = progress
        self._preview = progress.preview or self._preview
        self._news.set()

    def message_came(self, message_id: int) -> None:
        """There is a message in the chat, of the person, of the bot or of others in a group."""
        self._newest_message = max(self._newest_message, message_id)
        if self._is_news_that_it_is_out_of_view():
            self._news.set()

    def reword(self) -> None:
        """The journal has another language for this job."""
        self._shown = None
        self._news.set()

    def queue_moved(self) -> None:
        """Another job has begun or ended: where this one waits, its place may have changed."""
        pause = self._edit_seconds * max(LEAST_SLOWDOWN, self._ahead)
        is_due = asyncio.get_running_loop().time() >= self._placed_at + pause
        if self.newest_progress is None and self.announced.done() and is_due:
            self._news.set()

    def finish(self) -> None:
        """The journal has the end of this job; the person is told next."""
        self._is_left = False
        self._has_ended = True
        self.is_over.set()
        self._news.set()

    def leave(self, job: Job) -> None:
        """Another process talks about this job from now on, or has ended it."""
        self.finish()
        if job.state is JobState.CANCELLED and job.status_message is not None:
            # An edit of ours may arrive after the other process's last one: confirm once more.
            return
        self._is_left = True
        self._has_ended = not job.state.is_in_the_works

    async def run(self) -> None:
        """Returns when the person was told how the job ended, and the journal knows it."""
        try:
            while True:
                try:
                    return await self._talk()
                except ChatMoved as moved:
                    # Messages of the group have no ids in the supergroup.
                    nothing = {"status_message": None, "reply_to": None, "thread": None}
                    await self._message.note(chat=moved.to, **nothing)
                except TopicGone as gone:
                    log.info("topic_gone", job=self.job.id, why=str(gone))
                    await self._message.note(thread=None)
                except InvalidTransition:
                    if await self._message.refresh():
                        raise
                    # There is no such job any more, of which it tells next.
        except PersonGone as gone:
            log.info("person_gone", job=self.job.id, why=str(gone))
            await self._abandon()
        except InvalidTransition as error:
            log.info("job_changed_meanwhile", job=self.job.id, why=str(error))
        finally:
            self._set_announced()

    async def _talk(self) -> None:
        if not await self._message.refresh():
            await self._tell_that_it_vanished()
            return
        # Not only while it waits: a worker may have begun just after it was accepted.
        is_to_show = self.is_announced_here and self.job.state.is_in_the_works
        if is_to_show and self.job.status_message is None:
            await self._announce()
        self._set_announced()
        while not self.is_over.is_set():
            await self._news.wait()
            self._news.clear()
            await self._note_newest()
            if await self._is_over_within(self._seconds_to_next_edit()):
                break
            await (self._show_place() if self.newest_progress is None else self._show_progress())
        if self._is_left:
            return
        if not await self._message.refresh():
            await self._tell_that_it_vanished()
            return
        if self.job.state is JobState.PAINTED:
            await self._deliver()
        # Not "elif": what cannot be delivered has failed by now.
        if self.job.state is JobState.FAILED:
            await self._explain()
        if self.job.state is JobState.CANCELLED:
            await self._confirm_cancelled()

    def _set_announced(self) -> None:
        if not self.announced.done():
            self.announced.set_result(None)

    async def _announce(self) -> None:
        say = await self._waiting()
        # `_edited_at` stays as it is: the first preview may follow at once.
        await self._message.announce(say, self._presenter.plain("waiting", self.job))
        self._place = say

    async def _waiting(self) -> Say:
        self._placed_at = asyncio.get_running_loop().time()
        self._ahead = await self._store.journal.ahead_of(self.job.id)
        seconds = await self._estimates.seconds_until_done(self.job, self._ahead)
        return self._presenter.say("waiting", self.job, self._ahead, seconds)

    def _seconds_to_next_edit(self) -> float:
        return self._edited_at + self._edit_seconds - asyncio.get_running_loop().time()

    async def _is_over_within(self, seconds: float) -> bool:
        if seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self.is_over.wait()
            except TimeoutError:
                return False
        return self.is_over.is_set()

    async def _note_newest(self) -> None:
        """Has the journal know that the status message is out of view: another process may deliver
        the picture, on another machine or after a crash."""
        if self._is_news_that_it_is_out_of_view():
            await self._message.note(later_message=self._newest_message)

    def _is_news_that_it_is_out_of_view(self) -> bool:
        status = self.job.status_message
        return status is not None and not self.job.is_out_of_view and self._newest_message > status

    async def _show_place(self) -> None:
        """The place in the queue as it is now."""
        await self._message.refresh()
        if self.job.state is not JobState.ACCEPTED:
            return
        place = await self._waiting()
        if place != self._place and await self._show(place, None):
            self._place = place

    async def _show_progress(self) -> None:
        """One edit with what is newest."""
        progress, preview = self.newest_progress, self._preview
        if progress is None or progress is self._shown:
            return
        # Another process may have sent the message, or have noted another language.
        await self._message.refresh()
        picture = await _read(preview)
        left = await self._estimates.seconds_left(self.job, progress)
        told = progress.model_copy(update={"seconds_left": left})
        say = self._presenter.say("painting", self.job, told)
        if await self._show(say, picture):
            self._preview = None if self._preview is preview else self._preview
            self._shown = progress

    async def _show(self, say: Say, picture: bytes | None) -> bool:
        """Whether one try of an edit has shown this."""
        if self._is_hidden or self.job.status_message is None:
            return False
        try:
            await self._message.try_to_show(say, picture)
        except UNANSWERED as error:
            log.debug("progress_dropped", job=self.job.id, why=str(error))
        except (MessageGone, Refused) as refusal:
            # The person deleted it, most likely: only the result comes as a new message.
            log.info("progress_not_shown", job=self.job.id, why=str(refusal))
            self._is_hidden = True
        else:
            return True
        finally:
            self._edited_at = asyncio.get_running_loop().time()
        return False

    async def _deliver(self) -> None:
        if not self._is_pictured:
            picture = await _photo_of(self.job.result)
            if picture:
                await self._note_newest()
                await self._message.choose_place(
                    self._presenter.choices("moved", self.job),
                    self._presenter.choices("ready", self.job),
                )
            problem = await self._put_picture(picture) if picture else Refused("it is gone")
            if problem is not None:
                await self._fail(problem)
                return
            self._is_pictured = True
        if not self._is_notified and not self.job.has_said_ready:
            await self._message.send_text(*self._presenter.choices("ready", self.job), reply=True)
            self._is_notified = True
        await self._move(JobState.DELIVERED)

    async def _put_picture(self, picture: bytes) -> Refused | None:
        """Shows the result; returns why Telegram does not take it, if it does not."""
        problem = None
        for say in self._presenter.choices("painted", self.job):
            try:
                await self._message.show_result(picture, say)
            except Refused as refusal:
                problem = refusal
                log.error("result_refused", job=self.job.id, why=str(refusal))
            else:
                return None
        return problem

    async def _fail(self, problem: Refused) -> None:
        log.error("result_not_delivered", job=self.job.id, why=str(problem))
        is_forbidden = isinstance(problem, PhotosForbidden)
        await self._move(JobState.FAILED, failure=PHOTOS_FORBIDDEN if is_forbidden else _NOT_SENT)

    async def _explain(self) -> None:
        await self._move(JobState.EXPLAINED, **await self._say_why(self.job))

    async def _tell_that_it_vanished(self) -> None:
        """Nothing can be noted of a job that the journal does not have."""
        facts = {"state": JobState.FAILED, "failure": JOB_VANISHED}
        await self._say_why(self.job.model_copy(update=facts))

    async def _say_why(self, job: Job) -> dict[str, object]:
        """Says why there is no picture, in a new message, since an edit does not notify; returns
        what is to be noted of it. The status message is deleted before, so that repeating this
        after a crash leaves one explanation, not two."""
        if self._is_notified:
            return {}
        choices = self._presenter.choices("failed", job)
        if not await self._message.delete():
            await self._message.edit_text(choices[0])
        sent = await self._message.send_text(*choices)
        self._is_notified = True
        return _now_shown_by(sent)

    async def _confirm_cancelled(self) -> None:
        choices = self._presenter.choices("cancelled", self.job)
        facts: dict[str, object] = {}
        if self.job.status_message is not None:
            await self._message.edit_text(*choices)
        else:
            facts = _now_shown_by(await self._message.send_text(*choices))
        await self._settle(**facts)

    async def _abandon(self) -> None:
        if not await self._message.refresh():
            return
        if not self.job.state.is_final:
            await self._move(JobState.ABANDONED)
        await self._settle()

    async def _settle(self, **facts: object) -> None:
        """Notes of a cancelled job that its person was told, as far as they can be."""
        if self.job.is_untold:
            await self._message.note(is_untold=False, **facts)

    async def _move(self, to: JobState, **facts: object) -> None:
        self._message.job = await self._store.move(self.job.id, to, **facts)


def _now_shown_by(sent: Message | None) -> dict[str, object]:
    return {} if sent is None else {"status_message": sent.message_id, "status_has_picture": False}


async def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return await asyncio.to_thread(path.read_bytes)
    except OSError:
        return None


async def _photo_of(result: Path | None) -> bytes | None:
    """None where the file is gone. What the machine cannot do now it may do later."""
    if result is None:
        return None
    try:
        return await asyncio.to_thread(photo_of, result)
    except OSError as error:
        if is_of_machine(error):
            raise
        log.warning("result_unreadable", path=str(result), why=str(error))
        return None
