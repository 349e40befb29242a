"""The message in the chat that shows a job: sent, edited, replaced where it is gone.

Its id is in the journal, so that what is told can be told again without a second picture.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from aiogram.methods import (
    DeleteMessage,
    EditMessageCaption,
    EditMessageMedia,
    EditMessageText,
    SendMessage,
    SendPhoto,
)
from aiogram.types import BufferedInputFile, InputMediaPhoto, Message, ReplyParameters

from impasto.contracts import Say
from impasto.jobs.job import Job
from impasto.jobs.store import JobStore
from impasto.telegram.persistent_calls import MessageGone, PersistentCalls, Refused

log = structlog.get_logger(__name__)

FILE_NAME = "impasto.jpg"


class StatusMessage:
    """A job's message; `job` is the job as the journal had it last.

    Methods with `insist` in their name try until Telegram answers, the others once. All may raise
    PersonGone and ChatMoved, and those that try once TryLater: see `persistent_calls`.
    """

    def __init__(self, job: Job, *, line: PersistentCalls, store: JobStore) -> None:
        self.job = job
        self.on_trouble: Callable[[], None] = lambda: None
        self._line = line
        self._store = store

    async def refresh(self) -> None:
        self.job = await self._store.journal.get(self.job.id) or self.job

    async def note(self, **facts: object) -> None:
        self.job = await self._store.note(self.job.id, **facts)

    async def insist_on_announcing(self, say: Say, plain: Say) -> None:
        """The first message: the person's own photo where Telegram takes it again, else a text."""
        sent = await self._insist_on_own_photo(say) if self.job.content.as_photo else None
        has_picture = sent is not None
        if sent is None:
            sent = await self.insist_on_saying(say, plain)
        if sent is None:
            return
        await self.refresh()
        if self.job.status_message not in (None, sent.message_id):
            # Another process had the result to show before this message was through.
            await self._remove(sent.message_id)
            return
        await self.note(status_message=sent.message_id, status_has_picture=has_picture)

    async def insist_on_saying(self, *choices: Say, reply: bool = False) -> Message | None:
        """Sends the first of these texts that Telegram takes; None when it takes none. With `reply`
        it answers the status message, else what the person asked with."""
        answered = self.job.status_message if reply else self.job.reply_to
        for say in choices:
            method = SendMessage(
                chat_id=self.job.chat,
                text=say.text,
                reply_markup=say.keyboard,
                reply_parameters=_reply_to(answered),
            )
            try:
                return await self._line.insist(method, self.on_trouble)
            except (Refused, MessageGone) as refusal:
                log.error("words_refused", job=self.job.id, why=str(refusal), text=say.text)
        return None

    async def show_words(self, say: Say) -> None:
        """Raises MessageGone or Refused."""
        await self._line.once(self._edit_of_words(say))

    async def insist_on_words(self, *choices: Say) -> None:
        """Shows the first of these that Telegram takes, as far as there is a message that can be
        edited."""
        for say in choices:
            try:
                await self._line.insist(self._edit_of_words(say))
            except MessageGone as gone:
                log.info("status_not_edited", job=self.job.id, why=str(gone))
            except Refused as refusal:
                log.error("words_refused", job=self.job.id, why=str(refusal), text=say.text)
                continue
            return

    async def show_preview(self, picture: bytes, say: Say) -> None:
        """Raises MessageGone or Refused."""
        try:
            await self._line.once(self._edit_of_picture(picture, say))
        except MessageGone:
            if self.job.status_has_picture:
                raise
            # A text, and a server that does not turn texts into pictures.
            sent = await self._line.once(self._new_picture(picture, say, silent=True))
            await self._move_to(sent)
        else:
            await self._has_picture()

    async def insist_on_result(self, picture: bytes, say: Say) -> None:
        """Puts the result into the message, into a new one where that is gone.

        Raises:
            Refused: Telegram does not take this picture with these words.
        """
        if self.job.status_message is not None:
            try:
                edited = await self._line.insist(self._edit_of_picture(picture, say))
            except MessageGone as gone:
                log.info("result_sent_anew", job=self.job.id, why=str(gone))
            else:
                await self._has_picture()
                await self._note_photo(edited)
                return
        sent = await self._line.insist(self._new_picture(picture, say, silent=False))
        await self._move_to(sent)
        await self._note_photo(sent)

    async def insist_on_removal(self) -> bool:
        """Whether there is no such message any more."""
        if self.job.status_message is None:
            return True
        return await self._remove(self.job.status_message)

    async def _insist_on_own_photo(self, say: Say) -> Message | None:
        """None when Telegram does not take it again."""
        method = SendPhoto(
            chat_id=self.job.chat,
            photo=self.job.content.file_id,
            caption=say.text,
            reply_markup=say.keyboard,
            reply_parameters=_reply_to(self.job.reply_to),
        )
        try:
            return await self._line.insist(method, self.on_trouble)
        except (Refused, MessageGone) as refusal:
            log.info("photo_not_shown", job=self.job.id, why=str(refusal))
            return None

    async def _has_picture(self) -> None:
        if not self.job.status_has_picture:
            await self.note(status_has_picture=True)

    async def _note_photo(self, shown: Message | bool | None) -> None:
        if isinstance(shown, Message) and shown.photo:
            await self.note(photo_id=shown.photo[-1].file_id)

    async def _move_to(self, sent: Message | None) -> None:
        """The job is shown by a new message from now on; the old one, if still there, goes."""
        if sent is None:
            return
        old = self.job.status_message
        await self.note(status_message=sent.message_id, status_has_picture=True)
        if old is not None:
            await self._remove(old)

    async def _remove(self, message_id: int) -> bool:
        method = DeleteMessage(chat_id=self.job.chat, message_id=message_id)
        try:
            await self._line.insist(method)
        except (Refused, MessageGone) as refusal:
            return "not found" in str(refusal)
        return True

    def _edit_of_words(self, say: Say) -> EditMessageCaption | EditMessageText:
        chat, message = self.job.chat, self.job.status_message
        if self.job.status_has_picture:
            return EditMessageCaption(
                chat_id=chat, message_id=message, caption=say.text, reply_markup=say.keyboard
            )
        return EditMessageText(
            chat_id=chat, message_id=message, text=say.text, reply_markup=say.keyboard
        )

    def _edit_of_picture(self, picture: bytes, say: Say) -> EditMessageMedia:
        file = BufferedInputFile(picture, filename=FILE_NAME)
        return EditMessageMedia(
            chat_id=self.job.chat,
            message_id=self.job.status_message,
            media=InputMediaPhoto(media=file, caption=say.text),
            reply_markup=say.keyboard,
        )

    def _new_picture(self, picture: bytes, say: Say, *, silent: bool) -> SendPhoto:
        return SendPhoto(
            chat_id=self.job.chat,
            photo=BufferedInputFile(picture, filename=FILE_NAME),
            caption=say.text,
            reply_markup=say.keyboard,
            disable_notification=silent,
            reply_parameters=_reply_to(self.job.reply_to),
        )


def _reply_to(message: int | None) -> ReplyParameters | None:
    if message is None:
        return None
    return ReplyParameters(message_id=message, allow_sending_without_reply=True)
