"""Jobs that were accepted: stop them, list them, paint their photo again."""

from __future__ import annotations

import contextlib

from aiogram import Router
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from aiogram.utils.callback_answer import CallbackAnswer

from impasto.jobs.job import JobState
from impasto_dialog import keyboards
from impasto_dialog.callbacks import AnotherStyle, RepeatJob, StopJob
from impasto_dialog.flows import accept, close, open_gallery_for, reopen_gallery
from impasto_dialog.memory import recall
from impasto_dialog.presenter import style_label
from impasto_dialog.talk import Talk
from impasto_dialog.texts import fill

MAX_LISTED = 20
"""Jobs in one /status: keeps the text and its keyboard within Telegram's limits."""


def build() -> Router:
    router = Router(name="dialog.jobs")
    router.message.register(cancel, Command("cancel"))
    router.message.register(status, Command("status"))
    router.callback_query.register(stop, StopJob.filter())
    router.callback_query.register(another_style, AnotherStyle.filter())
    router.callback_query.register(repeat, RepeatJob.filter())
    return router


async def cancel(message: Message, talk: Talk) -> None:
    """Closes the open dialog; when none is open, stops what is being painted."""
    if await close(talk):
        await talk.say(talk.texts.cancelled_dialog)
        return
    stopped = [
        await talk.studio.cancel(job.id, talk.person)
        for job in await talk.studio.jobs_of(talk.person)
    ]
    count = sum(job is not None for job in stopped)
    texts = talk.texts
    await talk.say(texts.count(texts.cancelled_jobs, count) if count else texts.nothing_to_cancel)


async def status(message: Message, talk: Talk) -> None:
    texts = talk.texts
    unfinished = (JobState.ACCEPTED, JobState.RUNNING)
    jobs = [job for job in await talk.studio.jobs_of(talk.person) if job.state in unfinished]
    jobs = jobs[:MAX_LISTED]
    if not jobs:
        await talk.say(texts.status_none, keyboards.styles_only(texts))
        return
    lines = [texts.status_title]
    for number, job in enumerate(jobs, start=1):
        is_running = job.state is JobState.RUNNING
        line = texts.status_painting if is_running else texts.status_waiting
        label = style_label(job, talk.studio.presets, texts)
        lines.append(fill(line, number=number, style=label))
    await talk.say("\n".join(lines), keyboards.stop_any(texts, [job.id for job in jobs]))


async def stop(
    query: CallbackQuery, callback_data: StopJob, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    job = await talk.studio.cancel(callback_data.job, talk.person)
    callback_answer.text = talk.texts.toast_stopped if job else talk.texts.toast_not_running


async def another_style(
    query: CallbackQuery, callback_data: AnotherStyle, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    job = await talk.studio.job(callback_data.job, talk.person)
    if job is None:
        callback_answer.text = talk.texts.toast_old_button
        await reopen_gallery(talk)
        return
    talk.albums.stop(talk.chat)
    await open_gallery_for(talk, job.content, talk.texts.choose_another_style)


async def repeat(
    query: CallbackQuery, callback_data: RepeatJob, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    """Once per failure, however often the button is tapped."""
    job = await talk.studio.job(callback_data.job, talk.person)
    if job is None:
        callback_answer.text = talk.texts.toast_old_button
        await reopen_gallery(talk)
    elif (await recall(talk.state)).repeated_job == job.id:
        callback_answer.text = talk.texts.toast_already_painting
    elif await accept(talk, job.content, job.styles):
        await talk.state.update_data(repeated_job=job.id)
        await _replace_try_again(query, talk, job.id)
    else:
        callback_answer.text = talk.texts.failures["too_many_jobs"]
        callback_answer.show_alert = True


async def _replace_try_again(query: CallbackQuery, talk: Talk, job_id: str) -> None:
    if isinstance(query.message, Message):
        keyboard = keyboards.another_style(talk.texts, job_id)
        # The new job is what matters: that the old message stays as it is, is no failure.
        with contextlib.suppress(TelegramAPIError):
            await query.message.edit_reply_markup(reply_markup=keyboard)
