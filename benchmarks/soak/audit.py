"""What became of every job: the journal's word against what the chats show."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from impasto.jobs.job import Job, JobState
from impasto_playground import Playground
from impasto_playground.events import Watcher

from .chat_facts import READY, About, JobNews, buttons_in, news_in
from .people import End, Wish


@dataclass
class Told:
    """What took effect in the chats about one job."""

    statuses: int = 0
    """How many messages came new that show the job waiting or being painted."""
    pictures_sent: list[int] = field(default_factory=list)
    """Those that came with the result."""
    pictures_edited: list[int] = field(default_factory=list)
    """Messages that the result was put into, each time it was."""
    ends: int = 0
    """How often a message came to say that it was cancelled or failed."""
    ready: int = 0
    """How often "ready" was said in answer to one of these or, where the job could not be read any
    more, after its picture."""

    @property
    def pictures(self) -> set[int]:
        return {*self.pictures_sent, *self.pictures_edited}


class Record:
    """Writes down every call of the bot that takes effect and concerns a job."""

    def __init__(self) -> None:
        self.told: defaultdict[str, Told] = defaultdict(Told)
        self.calls: Counter[str] = Counter()
        self._job_of: dict[int, str] = {}
        """By message."""
        self._last_pictured: dict[int, str] = {}
        """By chat."""

    @contextlib.asynccontextmanager
    async def of(self, playground: Playground) -> AsyncIterator[Record]:
        with playground.faults.watch(lambda call, stage: stage == "acted") as watcher:
            reader = asyncio.create_task(self._read(watcher))
            try:
                yield self
            finally:
                watcher.close()
                await reader

    async def _read(self, watcher: Watcher) -> None:
        while (event := await watcher.next()) is not None:
            self.calls[event["method"]] += 1
            self.note(event)

    def note(self, event: dict[str, Any]) -> None:
        """One call as a watcher of the playground gives it."""
        fields, result = event["fields"], event.get("result")
        news = news_in(buttons_in(fields))
        if not isinstance(result, dict) or "chat" not in result:
            return
        if news is not None:
            self._note_news(event["method"], news, result)
        elif event["method"] == "sendMessage" and event["text"] in READY:
            replied = (fields.get("reply_parameters") or {}).get("message_id")
            last = self._last_pictured.get(result["chat"]["id"])
            job = last if replied is None else self._job_of.get(replied)
            if job is not None:
                self.told[job].ready += 1

    def _note_news(self, method: str, news: JobNews, shown: dict[str, Any]) -> None:
        told, message = self.told[news.job], shown["message_id"]
        is_new = method.startswith("send")
        self._job_of[message] = news.job
        told.statuses += is_new and news.about in (About.WAITING, About.PAINTING)
        told.ends += news.about is About.END
        if news.about is About.RESULT and method in ("sendPhoto", "editMessageMedia"):
            (told.pictures_sent if is_new else told.pictures_edited).append(message)
            self._last_pictured[shown["chat"]["id"]] = news.job


@dataclass
class Verdict:
    """The counts that a table shows. `lost`, `second_pictures` and `left_over` must be 0."""

    jobs: int = 0
    by_state: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    wishes: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    second_pictures: list[str] = field(default_factory=list)
    repeated_fresh_sends: int = 0
    ready_twice: int = 0
    left_behind: dict[str, int] = field(default_factory=dict)
    """Messages that still offer to stop a job that is over, by its state."""
    asked_again: int = 0
    vanished: dict[str, int] = field(default_factory=dict)
    """Jobs of a store that was emptied: of how many people had the picture or were told what became
    of it, and of how many not."""
    left_over: int = 0
    """Processes that outlived the others."""

    @property
    def is_good(self) -> bool:
        return not self.lost and not self.second_pictures and not self.left_over


def judge(
    jobs: Iterable[Job],
    record: Record,
    wishes: Iterable[Wish],
    left: Counter[str],
    vanished: Collection[str] = (),
) -> Verdict:
    """The verdict; `left` counts, by job, the messages that still offer to stop it, and `vanished`
    are jobs that their store lost."""
    verdict = Verdict()
    known = {job.id: job for job in jobs}
    verdict.jobs = len(known)
    verdict.by_state = dict(Counter(job.state.value for job in known.values()))
    verdict.failures = dict(Counter(job.failure.code for job in known.values() if job.failure))
    for job in known.values():
        told = record.told[job.id]
        if job.id not in vanished:
            _judge_job(job, verdict, told)
        _judge_pictures(job, verdict, told)
    for wish in wishes:
        _judge_wish(wish, known, verdict)
        if wish.job in vanished:
            kind = "untold" if wish.end is End.VANISHED else "told"
            verdict.vanished[kind] = verdict.vanished.get(kind, 0) + 1
    for job_id, count in left.items():
        job = known.get(job_id)
        if job is None or job.state.is_final:
            state = "unknown" if job is None else job.state.value
            verdict.left_behind[state] = verdict.left_behind.get(state, 0) + count
    return verdict


def _judge_job(job: Job, verdict: Verdict, told: Told) -> None:
    if not job.is_settled:
        verdict.lost.append(f"job {job.id} is still {job.state}")
    if job.state is JobState.CANCELLED and not told.ends:
        verdict.lost.append(f"job {job.id} is cancelled, and no message says so")
    if job.state is JobState.DELIVERED and not told.pictures:
        verdict.lost.append(f"job {job.id} is delivered, and no picture was shown")
    if job.state is JobState.DELIVERED and not told.ready:
        verdict.lost.append(f"job {job.id} is delivered, and nobody was told that it is ready")


def _judge_pictures(job: Job, verdict: Verdict, told: Told) -> None:
    verdict.ready_twice += max(0, told.ready - 1)
    more = len(told.pictures) - 1
    if more > 0 and told.pictures_edited:
        verdict.second_pictures.append(f"job {job.id} in messages {sorted(told.pictures)}")
    elif more > 0:
        verdict.repeated_fresh_sends += more
    # The first message about a job that is sent again, of whose first time the bot knows nothing.
    verdict.repeated_fresh_sends += max(0, told.statuses - 1)


def _judge_wish(wish: Wish, jobs: dict[str, Job], verdict: Verdict) -> None:
    count = verdict.wishes
    count[wish.end] = count.get(wish.end, 0) + 1
    verdict.asked_again += wish.asked_again
    if wish.end is End.OPEN:
        verdict.lost.append(f"person {wish.person} waits for {wish.kind}, job {wish.job}")
    if wish.job is not None and wish.job not in jobs:
        verdict.lost.append(f"job {wish.job} was shown, and the journal does not know it")
