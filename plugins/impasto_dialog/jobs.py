"""Jobs in the making: list them, cancel them, stop them and keep what there is."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from aiogram.utils.callback_answer import CallbackAnswer

from impasto.jobs.job import JobState
from impasto_dialog import keyboards
from impasto_dialog.callbacks import FinishJob, StopJob
from impasto_dialog.flows import close
from impasto_dialog.talk import Talk
from impasto_dialog.wording import styles_label

MAX_LISTED = 20
"""Jobs in one /status: keeps the text and its keyboard within Telegram's limits."""


def build() -> Router:
    """The buttons under a job's message, wherever that is."""
    router = Router(name="dialog.jobs")
    router.callback_query.register(stop, StopJob.filter())
    router.callback_query.register(finish, FinishJob.filter())
    return router


def build_private() -> Router:
    router = Router(name="dialog.jobs.private")
    router.message.register(cancel, Command("cancel"))
    router.message.register(status, Command("status"))
    return router


async def cancel(message: Message, talk: Talk) -> None:
    """Closes the open dialog; when none is open, stops what is being painted."""
    if await close(talk):
        await talk.say(talk.texts("cancelled-dialog"))
        return
    stopped = [
        await talk.job_service.cancel(job.id, talk.person)
        for job in await talk.job_service.jobs_of(talk.person)
    ]
    count = sum(job is not None for job in stopped)
    texts = talk.texts
    await talk.say(texts("cancelled-jobs", count=count) if count else texts("nothing-to-cancel"))


async def status(message: Message, talk: Talk) -> None:
    texts = talk.texts
    unfinished = await talk.job_service.jobs_of(talk.person)
    jobs = [job for job in unfinished if job.state.is_in_the_works]
    jobs = jobs[:MAX_LISTED]
    if not jobs:
        await talk.say(texts("status-none"), keyboards.styles_only(texts))
        return
    lines = [texts("status-title")]
    for number, job in enumerate(jobs, start=1):
        label = styles_label(job.styles, talk.job_service.presets, texts)
        line = "status-painting" if job.state is JobState.RUNNING else "status-waiting"
        lines.append(texts(line, number=number, style=label))
    await talk.say("\n".join(lines), keyboards.stop_any(texts, [job.id for job in jobs]))


async def stop(
    query: CallbackQuery, callback_data: StopJob, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    job = await talk.job_service.cancel(callback_data.job, talk.person)
    callback_answer.text = talk.texts.plain("toast-stopped" if job else _why_not(talk))


async def finish(
    query: CallbackQuery, callback_data: FinishJob, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    job = await talk.job_service.finish_early(callback_data.job, talk.person)
    callback_answer.text = talk.texts.plain("toast-finishing" if job else _why_not(talk))


def _why_not(talk: Talk) -> str:
    return "toast-not-yours" if talk.in_group else "toast-not-running"
