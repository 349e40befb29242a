"""What every handler is given: one person's conversation as one update finds it, and what the bot
remembers of it in the dialogue storage: `file_id`s and small values."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from aiogram import BaseMiddleware, Bot
from aiogram.enums import ChatType, ParseMode
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message, TelegramObject
from aiogram.utils.callback_answer import CallbackAnswer, CallbackAnswerMiddleware
from pydantic import BaseModel, ValidationError

from impasto import ChatCommand
from impasto.jobs.job import ChosenStyle, TelegramPicture
from impasto.jobs.service import JobService
from impasto.settings import PaintingSettings
from impasto.telegram.dialogue import LAST_PHOTO, preferences_of, replace_own
from impasto.telegram.retry import REFUSALS, Done, overlooked
from impasto_dialog.looks import Look, Quality
from impasto_dialog.texts import Gap, Texts, texts_for

if TYPE_CHECKING:
    from impasto_dialog.contact_sheet import Sheets
    from impasto_dialog.own_sheets import OwnSheets
    from impasto_dialog.photo import Albums

log = structlog.get_logger(__name__)


class Step(StatesGroup):
    """What the person is expected to do next; no state means that nothing is open."""

    choosing_style = State()
    """The gallery is open, with or without a photo."""
    awaiting_style_picture = State()
    awaiting_photo = State()
    """The styles are chosen."""


class Memory(BaseModel):
    """The data of one conversation."""

    turn: str = ""
    """Mark of the buttons that are valid now."""
    content: TelegramPicture | None = None
    content_message: int = 0
    styles: tuple[ChosenStyle, ...] = ()
    """Chosen so far, at most as many as are `wanted`."""
    wanted: int = 1
    """How many styles are to be mixed: 1 or 2."""
    question: str = "choose-style-first"
    """The text that the gallery asks with."""
    gallery: int | None = None
    """The message that shows the gallery, to be removed when a style is chosen."""
    page: int = 0
    """Page of the gallery that is shown."""
    reply_to: int | None = None
    """The message with the photo, in groups."""
    album: str | None = None
    """`media_group_id` of the album that the last picture came in."""
    album_styles: tuple[ChosenStyle, ...] = ()
    """Styles of all further pictures of this album."""
    accepted_turn: str = ""
    """The turn that became a job last: a second tap on its buttons is no second job."""
    repeated: str = ""
    """Data of the button that last repeated a finished job, for the same reason."""

    @property
    def is_complete(self) -> bool:
        """As many styles are chosen as are wanted."""
        return len(self.styles) >= self.wanted


def new_turn() -> str:
    """A mark for the buttons of one gallery."""
    return secrets.token_hex(4)


async def recall(state: FSMContext) -> Memory:
    """What is remembered; nothing, if another version of the bot left what cannot be read."""
    try:
        return Memory.model_validate(await state.get_data())
    except ValidationError:
        log.warning("dialogue_state_unreadable", chat=state.key.chat_id)
        return Memory()


class Preferences(BaseModel):
    """What is kept of a person for all their pictures and chats.

    It lies in the dialogue storage beside the conversation's state; see
    `impasto.telegram.dialogue.preferences_of`.
    """

    language: str | None = None
    """A language of `texts`; None follows the language of the person's app."""
    look: Look = Look()


async def kept_preferences(person: FSMContext) -> Preferences:
    """What is kept; nothing, if another version of the bot left what cannot be read."""
    try:
        return Preferences.model_validate(await person.get_data())
    except ValidationError:
        log.warning("preferences_unreadable", person=person.key.user_id)
        return Preferences()


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One person in one chat, and everything an answer needs."""

    bot: Bot
    chat: int
    thread: int | None
    """The topic of the chat that everything is sent to."""
    person: int
    name: str
    in_group: bool
    texts: Texts
    look: Look
    """What the person prefers, as far as it can be painted here."""
    state: FSMContext
    preferences: FSMContext
    callback_answer: CallbackAnswer | None
    """How the tap on a button will be answered; None where a message is handled."""
    job_service: JobService
    chat_commands: Sequence[ChatCommand]
    painting: PaintingSettings
    sheets: Sheets
    own_sheets: OwnSheets
    albums: Albums

    @property
    def is_owner(self) -> bool:
        """Whether this person is one of the bot's owners."""
        return self.person in self.job_service.owners

    async def say(
        self, key: str, keyboard: InlineKeyboardMarkup | None = None, **gaps: Gap
    ) -> Message:
        """Sends one of the texts."""
        return await self.send(self.texts(key, **gaps), keyboard)

    async def send(self, html: str, keyboard: InlineKeyboardMarkup | None = None) -> Message:
        return await self.bot.send_message(
            self.chat,
            html,
            message_thread_id=self.thread,
            reply_markup=keyboard,
            parse_mode=ParseMode.HTML,
        )

    def toast(self, key: str, *, alert: bool = False, **gaps: Gap) -> None:
        """Answers the tap on a button with one of the texts; an alert stays until it is closed."""
        self.toast_plain(self.texts.plain(key, **gaps), alert=alert)

    def toast_plain(self, text: str, *, alert: bool = False) -> None:
        if self.callback_answer is not None:
            self.callback_answer.text = text
            self.callback_answer.show_alert = alert

    async def remove(self, message: int | None) -> None:
        """Deletes a message of the bot; one that Telegram does not delete simply stays."""
        if message is None:
            return
        with overlooked("message_not_removed", chat=self.chat):
            await self.bot.delete_message(self.chat, message)

    async def remember(
        self, memory: Memory, step: State | None, *, photo: TelegramPicture | None = None
    ) -> None:
        """`photo` is the person's last, where `memory` does not have it."""
        own = memory.model_dump(mode="json", exclude_defaults=True)
        photo = memory.content or photo
        if photo is not None:
            own[LAST_PHOTO] = photo.model_dump(mode="json", exclude_defaults=True)
        await self.state.set_state(step)
        await replace_own(self.state, own, [*Memory.model_fields, *own])

    async def prefer(self, **changes: Any) -> None:
        """Keeps these fields of the person's `Preferences`."""
        kept = (await kept_preferences(self.preferences)).model_copy(update=changes)
        own = kept.model_dump(mode="json", exclude_defaults=True)
        await replace_own(self.preferences, own, Preferences.model_fields)


async def possible(look: Look, job_service: JobService) -> Look:
    """The look as it can be painted here; the devices are only asked if it matters."""
    if look.quality is not Quality.FINE:
        return look
    return look.within(offers_fine=await job_service.estimates.offers_fine())


class TalkMiddleware(BaseMiddleware):
    """Gives handlers of messages and callback queries their `talk`."""

    def __init__(self, *, sheets: Sheets, own_sheets: OwnSheets, albums: Albums) -> None:
        self._sheets = sheets
        self._own_sheets = own_sheets
        self._albums = albums

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        person, bot, state = data["event_from_user"], data["bot"], data["state"]
        chat = data.get("event_chat")
        preferences = preferences_of(state)
        known = await kept_preferences(preferences)
        job_service: JobService = data["job_service"]
        data["talk"] = Talk(
            bot=bot,
            # A button of a very old message may come without its chat; the private one is as good.
            chat=chat.id if chat else person.id,
            thread=data.get("event_thread_id"),
            person=person.id,
            name=person.first_name,
            in_group=chat is not None and chat.type != ChatType.PRIVATE,
            texts=texts_for(known.language or person.language_code),
            look=await possible(known.look, job_service),
            state=state,
            preferences=preferences,
            callback_answer=data.get("callback_answer"),
            job_service=job_service,
            chat_commands=data["chat_commands"],
            painting=data["settings"].painting,
            sheets=self._sheets,
            own_sheets=self._own_sheets,
            albums=self._albums,
        )
        return await handler(event, data)


class AnswerOnce(CallbackAnswerMiddleware):
    """Answers each callback query after its handler; Telegram may refuse an answer as too late."""

    async def answer(  # type: ignore[override]  # the base returns an awaitable, too
        self, event: CallbackQuery, callback_answer: CallbackAnswer
    ) -> None:
        with overlooked("callback_not_answered", Done, *REFUSALS):
            await event.answer(text=callback_answer.text, show_alert=callback_answer.show_alert)
