"""What is counted and timed, in Prometheus' own registry, and the page that Prometheus reads.

Labels have few values, as https://prometheus.io/docs/practices/naming asks: presets by name,
everybody's own styles as one.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

from impasto.jobs.job import Job, JobState
from impasto.memory import resident_bytes

if TYPE_CHECKING:
    from impasto.jobs.service import JobService

T = TypeVar("T")

OWN: Final = "own"
MIXED: Final = "mixed"
MOST_REMEMBERED: Final = 10_000
"""Painted pictures that are being delivered; if there are more, the oldest are not timed."""

SECONDS: Final = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
SPEEDS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)

JOBS = Counter("impasto_jobs", "Changes of a job's state.", ["state", "style"])
RETRIES = Counter("impasto_job_retries", "Jobs that were started again.")
DEATHS = Counter("impasto_painter_deaths", "Painting processes that died under a job.")
FAILURES = Counter("impasto_job_failures", "Jobs that failed, by the code of the reason.", ["code"])
UNFINISHED = Gauge("impasto_unfinished_jobs", "Jobs that are not final, at the moment.", ["state"])
STAGES = Histogram(
    "impasto_stage_seconds",
    "Seconds that a job was waiting, painted and delivered.",
    ["stage"],
    buckets=SECONDS,
)
ANSWERS = Histogram(
    "impasto_answer_seconds", "Seconds from a job's acceptance to its picture.", buckets=SECONDS
)
SPEED = Histogram("impasto_steps_per_second", "Optimizer steps a second.", buckets=SPEEDS)
CALLS = Counter("impasto_telegram_calls", "Calls to Telegram.", ["method", "result"])
MEMORY = Gauge("impasto_resident_bytes", "Resident memory (Linux only).", ["process"])

UNFINISHED_STATES: Final = tuple(state for state in JobState if not state.is_final)

_painted_at: OrderedDict[str, datetime] = OrderedDict()
_deaths_of: OrderedDict[str, int] = OrderedDict()
_job_services: list[JobService] = []
"""Of the bot that runs in this process; empty in a worker."""


def job_changed(job: Job, change: JobState) -> None:
    JOBS.labels(change.value, style_of(job)).inc()
    _count_deaths(job)
    match change:
        case JobState.RUNNING if job.attempts > 1:
            RETRIES.inc()
        case JobState.RUNNING:
            STAGES.labels("waiting").observe(_seconds(job.accepted_at, job.changed_at))
        case JobState.PAINTED:
            _remember(_painted_at, job.id, job.changed_at)
            if job.seconds:
                STAGES.labels("painting").observe(job.seconds)
                SPEED.observe((job.steps or 0) / job.seconds)
        case JobState.DELIVERED:
            ANSWERS.observe(_seconds(job.accepted_at, job.changed_at))
            painted_at = _painted_at.pop(job.id, None)
            if painted_at is not None:
                STAGES.labels("delivering").observe(_seconds(painted_at, job.changed_at))
        case JobState.FAILED if job.failure is not None:
            FAILURES.labels(job.failure.code).inc()


def telegram_called(method: str, result: str) -> None:
    CALLS.labels(method, result).inc()


def style_of(job: Job) -> str:
    """The preset's name, else whether it was a picture of a person's own or a mix."""
    if len(job.styles) > 1:
        return MIXED
    return job.styles[0].preset or OWN


def _count_deaths(job: Job) -> None:
    """Deaths are noted with a job and change no state, so they are seen at its next change."""
    known = _deaths_of.pop(job.id, 0)
    DEATHS.inc(max(0, job.deaths - known))
    if job.deaths and not job.state.is_final:
        _remember(_deaths_of, job.id, job.deaths)


def _remember(memory: OrderedDict[str, T], job_id: str, fact: T) -> None:
    memory[job_id] = fact
    while len(memory) > MOST_REMEMBERED:
        memory.popitem(last=False)


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())


async def bot_started(job_service: JobService) -> None:
    _job_services[:] = [job_service]


async def bot_stopped() -> None:
    _job_services.clear()


async def page(_: web.Request) -> web.Response:
    """All metrics; states, which are no events, are looked up now."""
    for job_service in _job_services:
        for state in UNFINISHED_STATES:
            UNFINISHED.labels(state.value).set(await job_service.count(state))
    MEMORY.labels("bot").set(resident_bytes(os.getpid()) or 0)
    MEMORY.labels("painting").set(sum(resident_bytes(pid) or 0 for pid in _children()))
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _children() -> list[int]:
    """Processes started by this one, usually just the painting process. Empty where the kernel does
    not list them, see proc(5)."""
    found: list[int] = []
    for file in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        try:
            found += map(int, file.read_text(encoding="ascii").split())
        except OSError:  # that thread has ended
            continue
    return found
