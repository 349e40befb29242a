"""Telegram's command menu, in every language."""

from __future__ import annotations

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeUnion,
)

from impasto_dialog.texts import FALLBACK, LANGUAGES, Texts

log = structlog.get_logger(__name__)

TIMEOUT_S = 10
PRIVATE = ("start", "styles", "settings", "status", "cancel", "language", "help")
GROUP = ("style",)


async def register_commands(bot: Bot) -> None:
    """Fills the menus of private chats and of groups."""
    for texts in LANGUAGES.values():
        language = None if texts.language == FALLBACK else texts.language
        for scope, commands in (
            (BotCommandScopeAllPrivateChats(), private_commands(texts)),
            (BotCommandScopeAllGroupChats(), _commands(GROUP, texts)),
        ):
            await set_menu(bot, commands, scope, language)


async def set_menu(
    bot: Bot, commands: list[BotCommand], scope: BotCommandScopeUnion, language: str | None = None
) -> None:
    """A bot without a menu still works: that Telegram does not take it is only logged."""
    try:
        await bot.set_my_commands(commands, scope, language, request_timeout=TIMEOUT_S)
    except TelegramAPIError as error:
        log.warning("command_menu_not_set", error=str(error))


def private_commands(texts: Texts) -> list[BotCommand]:
    return _commands(PRIVATE, texts)


def _commands(names: tuple[str, ...], texts: Texts) -> list[BotCommand]:
    return [BotCommand(command=name, description=texts.plain(f"command-{name}")) for name in names]
