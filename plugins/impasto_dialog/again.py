"""What can be done with a finished job: all of it by `file_id`s and the job, without an upload."""

from __future__ import annotations

import contextlib

from aiogram import Router
from aiogram.enums import ChatAction, ParseMode
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest
from aiogram.types import CallbackQuery, FSInputFile, Message
from aiogram.utils.callback_answer import CallbackAnswer

from impasto.jobs.job import ChosenStyle, Job, TelegramPicture
from impasto_dialog import keyboards
from impasto_dialog.callbacks import AnotherStyle, OfJob, RepeatJob, SendFile, UseAsStyle
from impasto_dialog.flows import accept, choose, close, open_gallery_for, reopen_gallery
from impasto_dialog.keyboards import Variation, varied
from impasto_dialog.looks import Look
from impasto_dialog.memory import Memory, recall
from impasto_dialog.talk import Talk
from impasto_dialog.wording import styles_label

MOST_FILE_BYTES = 50 * 1000 * 1000
"""What a bot may send: https://core.telegram.org/bots/api#senddocument"""


def build() -> Router:
    router = Router(name="dialog.again")
    router.callback_query.register(another_style, AnotherStyle.filter())
    router.callback_query.register(repeat, RepeatJob.filter())
    router.callback_query.register(use_as_style, UseAsStyle.filter())
    router.callback_query.register(send_file, SendFile.filter())
    return router


async def another_style(
    query: CallbackQuery, callback_data: AnotherStyle, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    job = await _own_job(callback_data, talk, callback_answer)
    if job is not None:
        talk.shared.albums.stop(talk.chat)
        await open_gallery_for(talk, job.content, "choose-another-style", job.reply_to)


async def repeat(
    query: CallbackQuery, callback_data: RepeatJob, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    """Once per button, however often it is tapped in a row."""
    job = await _own_job(callback_data, talk, callback_answer)
    if job is None:
        return
    how = Variation(callback_data.how) if callback_data.how in list(Variation) else Variation.SAME
    look = varied(Look.of(job.wishes), how)
    carried = callback_data.pack()
    texts = talk.texts
    if look is None or (await recall(talk.state)).repeated == carried:
        callback_answer.text = texts.plain("toast-already-painting")
        return
    refused = await accept(talk, job.content, job.styles, look, job.reply_to)
    if refused is not None:
        callback_answer.text = refused
        callback_answer.show_alert = True
        return
    await talk.state.update_data(repeated=carried)
    callback_answer.text = texts.plain("toast-painting-again")
    if how is Variation.SAME:
        await _replace_try_again(query, talk, job.id)


async def use_as_style(
    query: CallbackQuery, callback_data: UseAsStyle, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    job = await _own_job(callback_data, talk, callback_answer)
    if job is None:
        return
    photo_id = job.photo_id or _photo_of(query)
    if photo_id is None:
        callback_answer.text = talk.texts.plain("toast-file-gone")
        callback_answer.show_alert = True
        return
    await close(talk)
    await choose(talk, Memory(), ChosenStyle(picture=TelegramPicture(file_id=photo_id)))


async def send_file(
    query: CallbackQuery, callback_data: SendFile, talk: Talk, callback_answer: CallbackAnswer
) -> None:
    job = await _own_job(callback_data, talk, callback_answer)
    if job is None:
        return
    file = _file_of(job)
    sent = await (_sent(job, file, talk) if file is not None else _sent_from_elsewhere(job, talk))
    if not sent:
        callback_answer.text = talk.texts.plain("toast-file-gone")
        callback_answer.show_alert = True


async def _sent(job: Job, file: str | FSInputFile, talk: Talk) -> bool:
    if not isinstance(file, str):
        await _show_upload(talk)
    try:
        message = await talk.bot.send_document(
            talk.chat,
            file,
            caption=_caption(job, talk),
            parse_mode=ParseMode.HTML,
            disable_content_type_detection=True,
        )
    except (OSError, TelegramBadRequest):
        return False
    if message.document and job.file_id is None:
        await talk.job_service.keep_file_id(job, message.document.file_id)
    return True


async def _sent_from_elsewhere(job: Job, talk: Talk) -> bool:
    """By the machine that painted the picture, where that is another one."""
    await _show_upload(talk)
    return await talk.job_service.have_file_sent(job, _caption(job, talk))


async def _show_upload(talk: Talk) -> None:
    with contextlib.suppress(TelegramAPIError):
        await talk.bot.send_chat_action(talk.chat, ChatAction.UPLOAD_DOCUMENT)


def _caption(job: Job, talk: Talk) -> str:
    label = styles_label(job.styles, talk.job_service.presets, talk.texts)
    return talk.texts("file-caption", style=label)


def _file_of(job: Job) -> str | FSInputFile | None:
    """What Telegram has already, else the file on the disk, else None."""
    if job.file_id is not None:
        return job.file_id
    result = job.result
    if result is None or not result.is_file() or result.stat().st_size > MOST_FILE_BYTES:
        return None
    return FSInputFile(result, filename=f"impasto-{job.label}{result.suffix}")


async def _own_job(data: OfJob, talk: Talk, callback_answer: CallbackAnswer) -> Job | None:
    """The button's job if it is this person's; else says so and, in private, offers the gallery."""
    job = await talk.job_service.job(data.job, talk.person)
    if job is None and talk.in_group:
        callback_answer.text = talk.texts.plain("toast-not-yours")
    elif job is None:
        callback_answer.text = talk.texts.plain("toast-old-button")
        await reopen_gallery(talk)
    return job


def _photo_of(query: CallbackQuery) -> str | None:
    message = query.message
    photo = message.photo if isinstance(message, Message) else None
    return photo[-1].file_id if photo else None


async def _replace_try_again(query: CallbackQuery, talk: Talk, job_id: str) -> None:
    if isinstance(query.message, Message):
        keyboard = keyboards.another_style(talk.texts, job_id)
        # The new job is what matters: that the old message stays as it is, is no failure.
        with contextlib.suppress(TelegramAPIError):
            await query.message.edit_reply_markup(reply_markup=keyboard)
