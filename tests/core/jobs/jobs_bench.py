"""What tests of jobs share: a chat side that only remembers, and jobs for the scripted child."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from impasto.errors import PictureError
from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.jobs.store import JobStore
from impasto.messages import Progress
from impasto_local_queue import LocalQueue

OWNER = 99
"""Somebody for whom there are no limits."""

SCRIPTED_CHILD = Path(__file__).with_name("scripted_child.py")


class Pictures:
    """A picture source whose file ids are the pictures."""

    def __init__(self) -> None:
        self.failing: dict[str, Exception] = {}
        self.fetching = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def fetch(self, picture: TelegramPicture, into: Path) -> None:
        self.fetching.set()
        await self.may_go_on.wait()
        if picture.file_id in self.failing:
            raise self.failing[picture.file_id]
        if picture.file_id == "gone":
            raise PictureError("file_gone", "Gone.", hours=1)
        into.write_text(picture.file_id)


class Reports:
    """A reporter that remembers, and wakes whoever waits for something."""

    def __init__(self) -> None:
        self.announced: list[str] = []
        self.progressed: list[Progress] = []
        self.reworded_to: list[tuple[str, str]] = []
        """Jobs and their new languages."""
        self.ended: list[Job] = []
        self.changed = asyncio.Event()

    def accepted(self, job: Job) -> Awaitable[None]:
        self.announced.append(job.id)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def progress(self, job: Job, progress: Progress) -> None:
        self.progressed.append(progress)
        self.changed.set()

    def progress_of(self, job_id: str) -> Progress | None:
        return next((p for p in reversed(self.progressed) if p.job_id == job_id), None)

    def reworded(self, job: Job) -> None:
        self.reworded_to.append((job.id, job.language))

    def finished(self, job: Job) -> None:
        self.ended.append(job)
        self.changed.set()

    async def until(self, condition: Callable[[Reports], Any]) -> None:
        async with asyncio.timeout(30):
            while not condition(self):
                await self.changed.wait()
                self.changed.clear()


def job_that(does: str, person: int = 1, **fields: Any) -> Job:
    """A job whose content tells the scripted child what to do."""
    content = TelegramPicture(file_id=json.dumps({"do": does}))
    styles = fields.pop("styles", (ChosenStyle(preset="wave"),))
    return Job(person=person, chat=person, content=content, styles=styles, **fields)


class CountingQueue(LocalQueue):
    """A queue that counts its announcements."""

    def __init__(self) -> None:
        super().__init__()
        self.announced = 0

    async def announce(self) -> None:
        self.announced += 1
        await super().announce()


async def state_of(store: JobStore, job: Job) -> JobState:
    stored = await store.journal.get(job.id)
    assert stored is not None
    return stored.state


WAY = {
    JobState.ACCEPTED: [],
    JobState.RUNNING: [JobState.RUNNING],
    JobState.PAINTED: [JobState.RUNNING, JobState.PAINTED],
    JobState.DELIVERED: [JobState.RUNNING, JobState.PAINTED, JobState.DELIVERED],
    JobState.FAILED: [JobState.FAILED],
    JobState.EXPLAINED: [JobState.FAILED, JobState.EXPLAINED],
    JobState.CANCELLED: [JobState.CANCELLED],
    JobState.ABANDONED: [JobState.ABANDONED],
}


async def brought_to(store: JobStore, state: JobState, **fields: object) -> Job:
    job = job_that("paint", **fields)
    await store.add(job)
    for step in WAY[state]:
        job = await store.move(job.id, step)
    return job
