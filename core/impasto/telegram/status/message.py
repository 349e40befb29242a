"""The message in the chat that shows a job: sent, edited, replaced where it is gone.

Its id is in the journal, so that after a crash the same message is edited once more and there is
no second picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from aiogram import Bot
from aiogram.methods import (
    DeleteMessage,
    EditMessageCaption,
    EditMessageMedia,
    EditMessageText,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiogram.types import (
    BufferedInputFile,
    InputFile,
    InputMediaPhoto,
    Message,
    ReplyParameters,
)

from impasto.contracts import Say
from impasto.jobs.job import Job
from impasto.jobs.store import JobStore
from impasto.telegram.retry import MessageGone, Refused, call_once, call_until_answered

log = structlog.get_logger(__name__)
T = TypeVar("T")

FILE_NAME = "impasto.jpg"


class StatusMessage:
    """A job's message; `job` is the job as the journal had it last.

    `try_to_show` makes one try, all others try until Telegram answers and call `on_failure` after
    each failed try; `announce` gives up when `is_over` says so. All may raise PersonGone, ChatMoved
    and TopicGone.

    Where `choices` are taken, the first of these texts that Telegram does not refuse is shown.
    """

    def __init__(
        self,
        job: Job,
        *,
        bot: Bot,
        store: JobStore,
        on_failure: Callable[[], None],
        is_over: Callable[[], bool],
    ) -> None:
        self.job = job
        self._bot = bot
        self._store = store
        self._on_failure = on_failure
        self._is_over = is_over

    async def refresh(self) -> bool:
        """Whether the journal has the job, as it should."""
        job = await self._store.journal.get(self.job.id)
        self.job = job or self.job
        return job is not None

    async def note(self, **facts: object) -> None:
        self.job = await self._store.note(self.job.id, **facts)

    async def announce(self, *choices: Say) -> None:
        """The first message: the person's own photo where Telegram takes it again, else a text. Of
        a job that is over it would come too late."""
        sent = await self._send_own_photo(choices[0]) if self.job.content.as_photo else None
        has_picture = sent is not None
        if sent is None:
            sent = await self.send_text(*choices, is_needless=self._is_over)
        if sent is None:
            return
        await self.note(
            status_message=sent.message_id, status_has_picture=has_picture, instead_of=None
        )
        if self.job.status_message != sent.message_id:
            # Meanwhile another process sent one, since it had the result to show.
            await self._delete(sent.message_id)

    async def send_text(
        self, *choices: Say, reply: bool = False, is_needless: Callable[[], bool] = lambda: False
    ) -> Message | None:
        """A new message; None when Telegram takes none of these, or `is_needless` says so.
        With `reply` it answers the status message, else the message that asked for the picture."""
        answered = self.job.status_message if reply else self.job.reply_to
        for say in choices:
            method = SendMessage(
                chat_id=self.job.chat,
                message_thread_id=self.job.thread,
                text=say.text,
                reply_markup=say.keyboard,
                reply_parameters=_reply_to(answered),
            )
            try:
                return await self._call(method, is_needless)
            except (Refused, MessageGone) as refusal:
                log.error("words_refused", job=self.job.id, why=str(refusal), text=say.text)
        return None

    async def edit_text(self, *choices: Say) -> None:
        """Changes the words, as far as there is a message that can be edited."""
        for say in choices:
            try:
                await self._call(self._edit_of_text(say))
            except MessageGone as gone:
                log.info("status_not_edited", job=self.job.id, why=str(gone))
            except Refused as refusal:
                log.error("words_refused", job=self.job.id, why=str(refusal), text=say.text)
                continue
            return

    async def choose_place(self, moved: Sequence[Say], ready: Sequence[Say]) -> None:
        """Decides, once for all tries, which message the result goes into: the status message while
        it is in view, else a new one, which replies to it and notifies.

        The old one says then what one of `moved` says. The new one says `ready` first, as a result
        that is sent itself would come twice where this process ends before the journal knows of it.
        """
        job = self.job
        if job.status_message is None or job.result_message is not None:
            return
        sent = None
        if job.is_out_of_view:
            await self.edit_text(*moved)
            sent = await self.send_text(*ready, reply=True)
        if sent is None:
            await self.note(result_message=job.status_message)
            return
        await self.note(
            status_message=sent.message_id,
            status_has_picture=False,
            result_message=sent.message_id,
            has_said_ready=True,
        )

    async def try_to_show(self, say: Say, picture: bytes | None) -> None:
        """Shows progress, with a preview if there is one.

        Raises:
            CallFailed: it is not shown.
        """
        if picture is None:
            await call_once(self._bot, self._edit_of_text(say))
            return
        try:
            await call_once(self._bot, self._edit_of_picture(picture, say))
        except MessageGone:
            if self.job.status_has_picture:
                raise
            # The message is a text, and this server does not turn texts into pictures.
            sent = await call_once(self._bot, self._new_photo(_file(picture), say, silent=True))
            await self._move_to(sent)
        else:
            await self._note_picture()

    async def show_result(self, picture: bytes, say: Say) -> None:
        """Puts the result into the message, into a new one where that is gone.

        Raises:
            Refused: Telegram does not take this picture with these words.
        """
        if self.job.status_message is not None:
            try:
                edited = await self._call(self._edit_of_picture(picture, say))
            except MessageGone as gone:
                log.info("result_sent_anew", job=self.job.id, why=str(gone))
            else:
                await self._note_picture()
                await self._note_photo_id(edited)
                return
        sent = await self._call(self._new_photo(_file(picture), say))
        await self._move_to(sent)
        await self._note_photo_id(sent)

    async def delete(self) -> bool:
        """Whether there is no such message any more."""
        return self.job.status_message is None or await self._delete(self.job.status_message)

    async def _call(
        self, method: TelegramMethod[T], is_needless: Callable[[], bool] = lambda: False
    ) -> T | None:
        return await call_until_answered(self._bot, method, self._on_failure, is_needless)

    async def _send_own_photo(self, say: Say) -> Message | None:
        """None when Telegram does not take it again, or the job is over."""
        method = self._new_photo(self.job.content.file_id, say)
        try:
            return await self._call(method, self._is_over)
        except (Refused, MessageGone) as refusal:
            log.info("photo_not_shown", job=self.job.id, why=str(refusal))
            return None

    async def _note_picture(self) -> None:
        if not self.job.status_has_picture:
            await self.note(status_has_picture=True)

    async def _note_photo_id(self, shown: Message | bool | None) -> None:
        if isinstance(shown, Message) and shown.photo:
            await self.note(photo_id=shown.photo[-1].file_id)

    async def _move_to(self, sent: Message | None) -> None:
        """A new message shows the job from now on; the old one is deleted."""
        if sent is None:
            return
        old = None
        while self.job.status_message != sent.message_id:
            old = self.job.status_message
            await self.note(status_message=sent.message_id, status_has_picture=True, instead_of=old)
        if old is not None:
            await self._delete(old)

    async def _delete(self, message_id: int) -> bool:
        try:
            await self._call(DeleteMessage(chat_id=self.job.chat, message_id=message_id))
        except (Refused, MessageGone) as refusal:
            return "not found" in str(refusal)
        return True

    def _edit_of_text(self, say: Say) -> EditMessageCaption | EditMessageText:
        chat, message = self.job.chat, self.job.status_message
        if self.job.status_has_picture:
            return EditMessageCaption(
                chat_id=chat, message_id=message, caption=say.text, reply_markup=say.keyboard
            )
        return EditMessageText(
            chat_id=chat, message_id=message, text=say.text, reply_markup=say.keyboard
        )

    def _edit_of_picture(self, picture: bytes, say: Say) -> EditMessageMedia:
        return EditMessageMedia(
            chat_id=self.job.chat,
            message_id=self.job.status_message,
            media=InputMediaPhoto(media=_file(picture), caption=say.text),
            reply_markup=say.keyboard,
        )

    def _new_photo(
        self, photo: InputFile | str, say: Say, *, silent: bool | None = None
    ) -> SendPhoto:
        return SendPhoto(
            chat_id=self.job.chat,
            message_thread_id=self.job.thread,
            photo=photo,
            caption=say.text,
            reply_markup=say.keyboard,
            disable_notification=silent,
            reply_parameters=_reply_to(self.job.reply_to),
        )


def _file(picture: bytes) -> InputFile:
    return BufferedInputFile(picture, filename=FILE_NAME)


def _reply_to(message: int | None) -> ReplyParameters | None:
    if message is None:
        return None
    return ReplyParameters(message_id=message, allow_sending_without_reply=True)
