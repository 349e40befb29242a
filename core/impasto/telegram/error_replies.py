"""What a person is told when a handler fails: one sentence, and the owner gets the traceback."""

from __future__ import annotations

import functools
import html
import traceback

import structlog
from aiogram import Bot, Router
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest, TelegramForbiddenError
from aiogram.types import CallbackQuery, ErrorEvent, Update, User

from impasto.errors import ChatError
from impasto.plugins import PluginHost
from impasto.telegram.intake import TRANSIENT

log = structlog.get_logger(__name__)

_SORRY = {
    "en": "Sorry, something went wrong here. Please try again or send /start.",
    "ru": "Извините, что-то пошло не так. Попробуйте ещё раз или отправьте /start.",
}


def error_replies(host: PluginHost) -> Router:
    """The router that answers for handlers that fail; include it last, so that plugins' own error
    handlers come first."""
    router = Router(name="error_replies")
    router.errors.register(functools.partial(_reply_to_error, host))
    return router


async def _reply_to_error(host: PluginHost, event: ErrorEvent, bot: Bot) -> None:
    error, update = event.exception, event.update
    if isinstance(error, TRANSIENT):
        raise error  # Intake tries the update again; an apology would fail the same way
    if isinstance(error, TelegramForbiddenError):
        log.info("person_gone", update=update.update_id, why=str(error))
        return
    if not isinstance(error, ChatError):
        found = host.plugin_in(traceback.extract_tb(error.__traceback__))
        plugin = found[0].name if found else None
        log.error("handler_failed", update=update.update_id, plugin=plugin, exc_info=error)
    try:
        await _answer(bot, update, error)
    except (TelegramForbiddenError, TelegramBadRequest) as refusal:
        log.info("apology_not_sent", update=update.update_id, why=str(refusal))


async def _answer(bot: Bot, update: Update, error: Exception) -> None:
    happening = update.event
    user: User | None = getattr(happening, "from_user", None)
    text = str(error) if isinstance(error, ChatError) else _SORRY[language_of(user)]
    if isinstance(happening, CallbackQuery):
        try:
            await happening.answer()
        except TelegramAPIError:
            log.debug("callback_answered_already", update=update.update_id)
    where = happening.message if isinstance(happening, CallbackQuery) else happening
    chat = getattr(where, "chat", None) or user
    if chat is not None:
        await bot.send_message(chat.id, html.escape(text))


def language_of(user: User | None) -> str:
    """`ru` or `en`, as the person's app has it."""
    code = (user.language_code if user is not None else None) or "en"
    return "ru" if code.lower().startswith("ru") else "en"
