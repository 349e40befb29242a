"""What the tests of the conversation share: a job service that paints nothing, steps of people."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from aiogram import Bot
from aiogram.types import Message
from PIL import Image

from impasto import PaintOptions, Say, StylePreset
from impasto.errors import TooManyJobs
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.jobs.service import Outlook
from impasto_playground import Person
from impasto_playground.person import Answer


class SteadyEstimates:
    """What `impasto.jobs.estimates.Estimates` knows, without anything having been painted."""

    device: str | None = None
    has_fine = False

    async def offers_fine(self) -> bool:
        return self.has_fine

    async def pixel_cap(self) -> int:
        return 230_400

    async def seconds_for_others(self, count: int) -> float | None:
        return None


class RecordingJobService:
    """Takes jobs as `impasto.jobs.service.JobService` does and paints nothing."""

    def __init__(self, presets: Sequence[StylePreset], limit: int = 3) -> None:
        self.presets = tuple(presets)
        self.limit = limit
        self.owners: frozenset[int] = frozenset()
        self.counts: dict[JobState, int] = {}
        self.refusal: TooManyJobs | None = None
        self.forgotten: list[int] = []
        self.estimates = SteadyEstimates()
        self.hurried: list[str] = []
        self.outlooks: dict[str, Outlook] = {}
        self.is_file_elsewhere = False
        self.files_wanted: list[tuple[str, str]] = []
        self.jobs: list[Job] = []
        self.tried: list[tuple[TelegramPicture, Mapping[str, PaintOptions]]] = []
        self.thumbnail: bytes | None = None
        """What a photo looks like in any style; None where there is no time to try."""
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.dropped = 0
        self._changed = asyncio.Condition()

    def preset(self, name: str) -> StylePreset | None:
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
        if self.refusal is not None:
            raise self.refusal
        if len(await self.jobs_of(person)) >= self.limit:
            raise TooManyJobs("too_many_jobs", "You have too many.", limit=self.limit)
        job = Job(
            person=person,
            chat=chat,
            thread=thread,
            language=language,
            content=content,
            styles=tuple(styles),
            options=options or PaintOptions(),
            wishes=dict(wishes),
            reply_to=reply_to,
        )
        await self._changed_to([*self.jobs, job])
        return job

    async def cancel(self, job_id: str, person: int) -> Job | None:
        job = await self.job(job_id, person)
        if job is None or job.state.is_final:
            return None
        return await self.move(job, JobState.CANCELLED)

    async def finish_early(self, job_id: str, person: int) -> Job | None:
        job = await self.job(job_id, person)
        if job is None or job.state is not JobState.RUNNING:
            return None
        self.hurried.append(job_id)
        return job

    async def try_styles(
        self, content: TelegramPicture, styles: Mapping[str, PaintOptions]
    ) -> Mapping[str, bytes] | None:
        self.tried.append((content, styles))
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        return None if self.thumbnail is None else dict.fromkeys(styles, self.thumbnail)

    async def outlook(self, job: Job) -> Outlook:
        return self.outlooks.get(job.id, Outlook(ahead=0, share=0.0, seconds_left=None))

    async def speak(self, person: int, language: str) -> None:
        for job in await self.jobs_of(person):
            await self.change(job, language=language)

    async def forget(self, person: int) -> None:
        self.forgotten.append(person)
        self.jobs = [job for job in self.jobs if job.person != person]

    async def keep_file_id(self, job: Job, file_id: str) -> None:
        await self.change(job, file_id=file_id)

    async def have_file_sent(self, job: Job, caption: str) -> bool:
        self.files_wanted.append((job.id, caption))
        return self.is_file_elsewhere

    async def job(self, job_id: str, person: int) -> Job | None:
        return next((j for j in self.jobs if (j.id, j.person) == (job_id, person)), None)

    async def count(self, *states: JobState) -> int:
        return sum(self.counts.get(state, 0) for state in states)

    async def jobs_of(self, person: int) -> list[Job]:
        return [job for job in self.jobs if job.person == person and not job.state.is_final]

    async def move(self, job: Job, state: JobState) -> Job:
        return await self.change(job, state=state)

    async def change(self, job: Job, **facts: Any) -> Job:
        changed = job.model_copy(update=facts)
        await self._changed_to([changed if j.id == job.id else j for j in self.jobs])
        return changed

    async def wait_for_jobs(self, count: int) -> list[Job]:
        """All jobs as soon as there are `count`."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self.jobs) >= count)
        return self.jobs

    async def _changed_to(self, jobs: list[Job]) -> None:
        async with self._changed:
            self.jobs = jobs
            self._changed.notify_all()


def photo(color: str = "olive", size: tuple[int, int] = (96, 64)) -> bytes:
    """A JPEG of one color."""
    packed = io.BytesIO()
    Image.new("RGB", size, color).save(packed, "JPEG")
    return packed.getvalue()


STYLES = {
    "Starry night": "1",
    "Woodblock wave": "2",
    "Stained glass": "3",
    "Витраж": "3",
}
"""What is on the buttons of the gallery for these."""


async def tap(person: Person, button: str, message: int | None = None) -> Answer:
    """Taps the newest button of this name or style, or that of one message; returns the bot's
    answer."""
    return await person.answer_to(await person.tap(STYLES.get(button, button), message))


async def start_job(person: Person, job_service: RecordingJobService, style: str = "wave") -> Job:
    """A job that is accepted in one step, by a caption."""
    count = len(job_service.jobs)
    await person.send_photo(photo(), style)
    return (await job_service.wait_for_jobs(count + 1))[count]


async def show(bot: Bot, job: Job, say: Say) -> int:
    """The message about a job, as delivery would send it; returns its id."""
    sent = await bot.send_photo(
        job.chat,
        job.content.file_id,
        caption=say.text,
        reply_markup=say.keyboard,
        parse_mode="HTML",
    )
    return sent.message_id


def says(part: str) -> Callable[[Message], bool]:
    """Whether a message has this in its text or caption."""
    return lambda message: part in (message.text or message.caption or "")


def is_gallery(message: Message) -> bool:
    return bool(message.photo and message.reply_markup)


def file_ids(message: Message) -> set[str]:
    return {size.file_id for size in message.photo or ()}
