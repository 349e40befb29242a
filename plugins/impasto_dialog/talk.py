"""What every handler is given: one person's conversation as one update finds it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from aiogram import BaseMiddleware, Bot
from aiogram.enums import ChatType, ParseMode
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message, TelegramObject
from aiogram.utils.callback_answer import CallbackAnswer, CallbackAnswerMiddleware

from impasto.settings import PaintingSettings
from impasto_dialog.albums import Albums
from impasto_dialog.gallery import Sheets
from impasto_dialog.looks import Look, Quality
from impasto_dialog.preferences import Preferences, PreferenceStore
from impasto_dialog.texts import Texts, texts_for

if TYPE_CHECKING:
    from impasto.jobs.service import JobService

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all conversations of one bot have in common."""

    sheets: Sheets
    albums: Albums


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One person in one chat, and everything an answer needs."""

    bot: Bot
    chat: int
    person: int
    name: str
    in_group: bool
    texts: Texts
    look: Look
    state: FSMContext
    job_service: JobService
    painting: PaintingSettings
    shared: Shared
    preferences: PreferenceStore

    @property
    def is_owner(self) -> bool:
        """Whether this person is one of the bot's owners."""
        return self.person in self.job_service.owners

    async def say(
        self,
        text: str,
        keyboard: InlineKeyboardMarkup | None = None,
    ) -> Message:
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


async def possible(look: Look, job_service: JobService) -> Look:
    """The look as it can be painted here; what is there is only looked up for who wants it."""
    if look.quality is not Quality.FINE:
        return look
    return look.within(offers_fine=await job_service.estimates.offers_fine())


class TalkMiddleware(BaseMiddleware):
    """Gives handlers of messages and callback queries their `talk`."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        person, bot, state = data["event_from_user"], data["bot"], data["state"]
        chat = data.get("event_chat")
        store = PreferenceStore(state.storage, bot=bot.id, person=person.id)
        known: Preferences = await store.load()
        job_service: JobService = data["job_service"]
        data["talk"] = Talk(
            bot=bot,
            # A button of a very old message may come without its chat; the private one is as good.
            chat=chat.id if chat else person.id,
            person=person.id,
            name=person.first_name,
            in_group=chat is not None and chat.type != ChatType.PRIVATE,
            texts=texts_for(known.language or person.language_code),
            look=await possible(known.look, job_service),
            state=state,
            job_service=job_service,
            painting=data["settings"].painting,
            shared=self._shared,
            preferences=store,
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
