"""The person's jobs: listed, stopped or kept as they are, and, once finished, painted again, sent
as a file or shared, all of it by the job and `file_id`s, without an upload."""

from __future__ import annotations

import html
from collections.abc import Mapping

from aiogram.enums import ChatAction, ParseMode
from aiogram.exceptions import AiogramError
from aiogram.types import (
    CallbackQuery,
    FSInputFile,
    InlineQuery,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
    Message,
    User,
)

from impasto.jobs.job import ChosenStyle, Job, JobState, TelegramPicture
from impasto.jobs.service import JobService
from impasto.telegram.retry import Done, Refused, means, overlooked
from impasto_dialog import keyboards
from impasto_dialog.gallery import close, open_gallery_for
from impasto_dialog.keyboards import FinishJob, OfJob, RepeatJob, StopJob
from impasto_dialog.looks import Look, Variation
from impasto_dialog.style import accept, choose
from impasto_dialog.talk import Memory, Talk, recall
from impasto_dialog.texts import duration, styles_label

SHARE_LINK = "share"
"""`t.me/<bot>?start=share`, where the way to a first picture begins."""

MAX_LISTED = 20
"""Jobs in one /status: keeps the text and its keyboard within Telegram's limits."""

MOST_FILE_BYTES = 50 * 1000 * 1000
"""What a bot may send: https://core.telegram.org/bots/api#senddocument"""


async def status(message: Message, talk: Talk) -> None:
    texts = talk.texts
    unfinished = await talk.job_service.jobs_of(talk.person)
    jobs = [job for job in unfinished if job.state.is_in_the_works][:MAX_LISTED]
    if not jobs:
        await talk.say("status-none", keyboards.styles_only(texts))
        return
    lines = [texts("status-title")]
    lines += [await _status_line(talk, number, job) for number, job in enumerate(jobs, start=1)]
    await talk.send("\n".join(lines), keyboards.stop_any(texts, [job.id for job in jobs]))


async def _status_line(talk: Talk, number: int, job: Job) -> str:
    texts = talk.texts
    outlook = await talk.job_service.outlook(job)
    label = styles_label(job.styles, talk.job_service.presets, texts)
    seconds = outlook.seconds_left
    if job.state is JobState.RUNNING:
        percent = int(outlook.share * 100)
        line = texts("status-painting", number=number, style=label, percent=percent)
        time = seconds is not None and texts("painting-time", duration=duration(seconds, texts))
    else:
        line = texts("status-waiting", number=number, style=label, count=outlook.ahead)
        time = seconds is not None and texts("status-time", duration=duration(seconds, texts))
    return f"{line} · {time}" if time else line


async def cancel(message: Message, talk: Talk) -> None:
    """Closes the open dialog; when none is open, stops what is being painted."""
    if await close(talk):
        await talk.say("cancelled-dialog")
        return
    stopped = [
        await talk.job_service.cancel(job.id, talk.person)
        for job in await talk.job_service.jobs_of(talk.person)
    ]
    if count := sum(job is not None for job in stopped):
        await talk.say("cancelled-jobs", count=count)
    else:
        await talk.say("nothing-to-cancel")


async def stop(query: CallbackQuery, callback_data: StopJob, talk: Talk) -> None:
    job = await talk.job_service.cancel(callback_data.job, talk.person)
    talk.toast("toast-stopped" if job else _why_not(talk))


async def finish(query: CallbackQuery, callback_data: FinishJob, talk: Talk) -> None:
    job = await talk.job_service.finish_early(callback_data.job, talk.person)
    talk.toast("toast-finishing" if job else _why_not(talk))


def _why_not(talk: Talk) -> str:
    return "toast-not-yours" if talk.in_group else "toast-not-running"


async def own_job(
    query: CallbackQuery, callback_data: OfJob, event_from_user: User, job_service: JobService
) -> Mapping[str, Job] | bool:
    """Filter: gives the handler the button's `job` if it belongs to the person who taps it."""
    job = await job_service.job(callback_data.job, event_from_user.id)
    return {"job": job} if job else False


async def another_style(query: CallbackQuery, talk: Talk, job: Job) -> None:
    talk.albums.stop(talk.chat)
    await open_gallery_for(talk, job.content, "choose-another-style", job.reply_to)


async def repeat(query: CallbackQuery, callback_data: RepeatJob, talk: Talk, job: Job) -> None:
    """Once per button, however often it is tapped in a row."""
    look = Look.of(job.wishes).varied(callback_data.how)
    carried = callback_data.pack()
    if look is None or (await recall(talk.state)).repeated == carried:
        talk.toast("toast-already-painting")
        return
    refused = await accept(talk, job.content, job.styles, look, job.reply_to)
    if refused is not None:
        talk.toast_plain(refused, alert=True)
        return
    await talk.state.update_data(repeated=carried)
    talk.toast("toast-painting-again")
    if callback_data.how is Variation.SAME and isinstance(query.message, Message):
        keyboard = keyboards.another_style(talk.texts, job.id)
        # "Try again" may stay where it cannot be replaced: the new job is accepted all the same.
        with overlooked("button_not_replaced"):
            await query.message.edit_reply_markup(reply_markup=keyboard)


async def use_as_style(query: CallbackQuery, talk: Talk, job: Job) -> None:
    photo_id = job.photo_id
    if photo_id is None and isinstance(query.message, Message) and query.message.photo:
        photo_id = query.message.photo[-1].file_id
    if photo_id is None:
        talk.toast("toast-file-gone", alert=True)
        return
    await close(talk)
    await choose(talk, Memory(), ChosenStyle(picture=TelegramPicture(file_id=photo_id)))


async def share(query: InlineQuery, talk: Talk) -> None:
    """Inline mode, which the button "Share" begins: the picture of the job that the query names,
    to the person whose it is."""
    job = await talk.job_service.job(query.query.strip(), talk.person)
    if job is None or job.photo_id is None:
        button = InlineQueryResultsButton(
            text=talk.texts.plain("share-none"), start_parameter=SHARE_LINK
        )
        await query.answer([], cache_time=0, is_personal=True, button=button)
        return
    label = styles_label(job.styles, talk.job_service.presets, talk.texts)
    shared = InlineQueryResultCachedPhoto(
        id=job.id,
        photo_file_id=job.photo_id,
        caption=html.escape(label),
        parse_mode=ParseMode.HTML,
    )
    await query.answer([shared], cache_time=0, is_personal=True)


async def send_file(query: CallbackQuery, talk: Talk, job: Job) -> None:
    label = styles_label(job.styles, talk.job_service.presets, talk.texts)
    caption = talk.texts("file-caption", style=label)
    file = job.file_id or _file_on_disk(job)
    if job.file_id is None:
        with overlooked("upload_not_announced"):
            action = ChatAction.UPLOAD_DOCUMENT
            await talk.bot.send_chat_action(talk.chat, action, message_thread_id=talk.thread)
    if file is not None:
        sent = await _sent(job, file, caption, talk)
    else:  # another machine may have painted the picture
        sent = await talk.job_service.have_file_sent(job, caption)
    if not sent:
        talk.toast("toast-file-gone", alert=True)


async def _sent(job: Job, file: str | FSInputFile, caption: str, talk: Talk) -> bool:
    try:
        message = await talk.bot.send_document(
            talk.chat,
            file,
            message_thread_id=talk.thread,
            caption=caption,
            parse_mode=ParseMode.HTML,
            disable_content_type_detection=True,
        )
    except (OSError, AiogramError) as error:
        if not isinstance(error, OSError) and not means(error, Refused, Done):
            raise
        return means(error, Done)
    if message.document and job.file_id is None:
        await talk.job_service.keep_file_id(job, message.document.file_id)
    return True


def _file_on_disk(job: Job) -> FSInputFile | None:
    result = job.result
    if result is None or not result.is_file() or result.stat().st_size > MOST_FILE_BYTES:
        return None
    return FSInputFile(result, filename=f"impasto-{job.label}{result.suffix}")
