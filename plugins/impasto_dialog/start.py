"""Commands that begin something: /start and its links, /help, /styles."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import Message

from impasto.jobs.job import ChosenStyle
from impasto_dialog import keyboards
from impasto_dialog.flows import choose, close, reopen_gallery
from impasto_dialog.memory import Memory
from impasto_dialog.menu import register_commands, set_menu_of
from impasto_dialog.talk import Talk

STYLE_LINK = "style_"
"""`t.me/<bot>?start=style_<name>` starts with a style."""


def build() -> Router:
    router = Router(name="dialog.start")
    router.startup.register(register_commands)
    router.message.register(style_link, CommandStart(deep_link=True))
    router.message.register(start, CommandStart())
    router.message.register(help_, Command("help"))
    router.message.register(styles, Command("styles"))
    return router


async def start(message: Message, talk: Talk) -> None:
    await close(talk)
    await talk.say(talk.texts("start", name=talk.name), keyboards.styles_only(talk.texts))
    if talk.is_owner:  # before their first message Telegram knows no such chat
        await set_menu_of(talk.chat, talk.texts, talk.bot, is_owner=True)


async def style_link(message: Message, talk: Talk, command: CommandObject) -> None:
    """A link that names a style asks for the photo at once; any other is a plain /start."""
    link = command.args or ""
    preset = talk.job_service.preset(link.removeprefix(STYLE_LINK))
    if preset is None or not link.startswith(STYLE_LINK):
        await start(message, talk)
        return
    await close(talk)
    await choose(talk, Memory(), ChosenStyle(preset=preset.name))


async def help_(message: Message, talk: Talk) -> None:
    await talk.say(talk.texts("help"), keyboards.styles_only(talk.texts))


async def styles(message: Message, talk: Talk) -> None:
    await reopen_gallery(talk)
