"""Telegram's command menu, in every language."""

from __future__ import annotations

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeUnion,
)

from impasto_dialog.texts import FALLBACK, LANGUAGES, Texts

log = structlog.get_logger(__name__)

TIMEOUT_S = 10
PRIVATE = ("start", "styles", "settings", "status", "cancel", "language", "forget", "help")
OWNERS = ("stats",)
GROUP = ("style",)


async def register_commands(bot: Bot) -> None:
    """Fills the menus of private chats and of groups."""
    for texts in LANGUAGES.values():
        language = None if texts.language == FALLBACK else texts.language
        for scope, commands in (
            (BotCommandScopeAllPrivateChats(), _commands(PRIVATE, texts)),
            (BotCommandScopeAllGroupChats(), _commands(GROUP, texts)),
        ):
            await _set_menu(bot, commands, scope, language)


async def set_menu_of(chat: int, texts: Texts, bot: Bot, *, is_owner: bool) -> None:
    """Gives one private chat a menu of its own, in this language."""
    commands = _commands((*PRIVATE, *OWNERS) if is_owner else PRIVATE, texts)
    await _set_menu(bot, commands, BotCommandScopeChat(chat_id=chat))


async def _set_menu(
    bot: Bot, commands: list[BotCommand], scope: BotCommandScopeUnion, language: str | None = None
) -> None:
    """A bot without a menu still works: that Telegram does not take it is only logged."""
    try:
        await bot.set_my_commands(commands, scope, language, request_timeout=TIMEOUT_S)
    except TelegramAPIError as error:
        log.warning("command_menu_not_set", error=str(error))


def _commands(names: tuple[str, ...], texts: Texts) -> list[BotCommand]:
    return [BotCommand(command=name, description=texts.plain(f"command-{name}")) for name in names]
