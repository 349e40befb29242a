"""Commands that are always answered: /start, /help, /styles; and Telegram's command menu."""

from __future__ import annotations

import structlog
from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    Message,
)

from impasto_dialog import keyboards
from impasto_dialog.flows import choose_preset, close, reopen_gallery
from impasto_dialog.memory import Memory
from impasto_dialog.talk import Talk
from impasto_dialog.texts import FALLBACK, LANGUAGES, Texts, fill

log = structlog.get_logger(__name__)

IN_PRIVATE = F.chat.type == ChatType.PRIVATE
STYLE_LINK = "style_"
"""`t.me/<bot>?start=style_<name>` starts with a style."""
MENU_TIMEOUT_S = 10


def build() -> Router:
    router = Router(name="dialog.start")
    router.startup.register(register_commands)
    router.message.register(style_link, CommandStart(deep_link=True), IN_PRIVATE)
    router.message.register(start, CommandStart(), IN_PRIVATE)
    router.message.register(help_, Command("help"), IN_PRIVATE)
    router.message.register(styles, Command("styles"), IN_PRIVATE)
    router.message.register(start_in_group, Command("start", "help"))
    return router


async def start(message: Message, talk: Talk) -> None:
    await close(talk)
    name = message.from_user.first_name if message.from_user else ""
    await talk.say(fill(talk.texts.start, name=name), keyboards.styles_only(talk.texts))


async def style_link(message: Message, talk: Talk, command: CommandObject) -> None:
    """A link that names a style asks for the photo at once; any other is a plain /start."""
    link = command.args or ""
    preset = talk.studio.preset(link.removeprefix(STYLE_LINK))
    if preset is None or not link.startswith(STYLE_LINK):
        await start(message, talk)
        return
    await close(talk)
    await choose_preset(talk, Memory(), preset)


async def help_(message: Message, talk: Talk) -> None:
    await talk.say(talk.texts.help, keyboards.styles_only(talk.texts))


async def styles(message: Message, talk: Talk) -> None:
    await reopen_gallery(talk)


async def start_in_group(message: Message, talk: Talk) -> None:
    me = await talk.bot.me()
    await talk.say(talk.texts.start_in_group, keyboards.open_bot(talk.texts, me.username or ""))


async def register_commands(bot: Bot) -> None:
    """Fills the command menu in every language; a bot without a menu still works."""
    try:
        for texts in LANGUAGES.values():
            language = None if texts.language == FALLBACK else texts.language
            for scope, commands in (
                (BotCommandScopeAllPrivateChats(), _private_commands(texts)),
                (BotCommandScopeAllGroupChats(), _group_commands(texts)),
            ):
                await bot.set_my_commands(commands, scope, language, request_timeout=MENU_TIMEOUT_S)
    except TelegramAPIError as error:
        log.warning("command_menu_not_set", error=str(error))


def _private_commands(texts: Texts) -> list[BotCommand]:
    return [
        BotCommand(command="start", description=texts.command_start),
        BotCommand(command="styles", description=texts.command_styles),
        BotCommand(command="status", description=texts.command_status),
        BotCommand(command="cancel", description=texts.command_cancel),
        BotCommand(command="help", description=texts.command_help),
    ]


def _group_commands(texts: Texts) -> list[BotCommand]:
    return [BotCommand(command="start", description=texts.command_start)]
