"""What every handler is given: one person's conversation as one update finds it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from aiogram import BaseMiddleware, Bot
from aiogram.enums import ParseMode
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message, TelegramObject
from aiogram.utils.callback_answer import CallbackAnswer, CallbackAnswerMiddleware

from impasto_dialog.albums import Albums
from impasto_dialog.gallery import Gallery
from impasto_dialog.texts import Texts, texts_for

if TYPE_CHECKING:
    from impasto.jobs.studio import Studio

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One person in one private chat, and everything an answer needs."""

    bot: Bot
    chat: int
    person: int
    texts: Texts
    state: FSMContext
    studio: Studio
    gallery: Gallery
    albums: Albums

    async def say(self, text: str, keyboard: InlineKeyboardMarkup | None = None) -> Message:
        """Sends an HTML text."""
        return await self.bot.send_message(
            self.chat, text, reply_markup=keyboard, parse_mode=ParseMode.HTML
        )

    async def remove(self, message: int | None) -> None:
        """Deletes a message of the bot that has served; that it stays is no reason to stop."""
        if message is None:
            return
        try:
            await self.bot.delete_message(self.chat, message)
        except TelegramAPIError as error:
            log.debug("message_not_removed", chat=self.chat, error=error.message)


class TalkMiddleware(BaseMiddleware):
    """Gives handlers of messages and callback queries their `talk`."""

    def __init__(self, gallery: Gallery, albums: Albums) -> None:
        self._gallery = gallery
        self._albums = albums

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        person = data["event_from_user"]
        chat = data.get("event_chat")
        data["talk"] = Talk(
            bot=data["bot"],
            # A button of a very old message comes without its chat; buttons live in private
            # chats, whose id is the person's.
            chat=chat.id if chat else person.id,
            person=person.id,
            texts=texts_for(person.language_code),
            state=data["state"],
            studio=data["studio"],
            gallery=self._gallery,
            albums=self._albums,
        )
        return await handler(event, data)


class AnswerOnce(CallbackAnswerMiddleware):
    """Answers each callback query after its handler; too late an answer harms nobody."""

    async def answer(  # type: ignore[override]  # the base returns an awaitable, too
        self, event: CallbackQuery, callback_answer: CallbackAnswer
    ) -> None:
        try:
            await event.answer(text=callback_answer.text, show_alert=callback_answer.show_alert)
        except TelegramBadRequest as error:
            log.debug("callback_not_answered", error=error.message)
