"""/stats: how the bot is getting on, for its owners."""

from __future__ import annotations

import time
from typing import Final

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message

from impasto.jobs.job import JobState
from impasto.jobs.service import JobService
from impasto_dialog.talk import Talk
from impasto_dialog.wording import duration

_STARTED_AT: Final = time.monotonic()
COUNTED: Final = {
    "waiting": (JobState.ACCEPTED,),
    "running": (JobState.RUNNING,),
    "delivering": (JobState.PAINTED,),
    "done": (JobState.DELIVERED,),
    "failed": (JobState.FAILED, JobState.EXPLAINED),
    "cancelled": (JobState.CANCELLED, JobState.ABANDONED),
}


def build() -> Router:
    router = Router(name="dialog.stats")
    router.message.register(stats, Command("stats"), is_owner)
    return router


async def is_owner(message: Message, job_service: JobService) -> bool:
    """Filter: to all others /stats is a word like any other."""
    return message.from_user is not None and message.from_user.id in job_service.owners


async def stats(message: Message, talk: Talk) -> None:
    counts = {name: await talk.job_service.count(*states) for name, states in COUNTED.items()}
    one = await talk.job_service.estimates.seconds_for_others(1)
    all_waiting = await talk.job_service.estimates.seconds_for_others(
        counts["waiting"] + counts["running"]
    )
    unknown = talk.texts.plain("stats-unknown")
    await talk.say(
        talk.texts(
            "stats",
            **counts,
            one=unknown if one is None else duration(one, talk.texts),
            all=unknown if all_waiting is None else duration(all_waiting, talk.texts),
            device=talk.job_service.estimates.device or unknown,
            uptime=duration(time.monotonic() - _STARTED_AT, talk.texts),
        )
    )
