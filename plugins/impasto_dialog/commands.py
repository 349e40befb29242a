"""/start, /help, /settings, /language, /forget and /stats, Telegram's menu of commands, and the
answers to everything that no other handler took."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from aiogram import Bot
from aiogram.filters import CommandObject
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeUnion,
    CallbackQuery,
    Message,
    User,
)

from impasto import ChatCommand
from impasto.jobs.job import ChosenStyle, JobState
from impasto.jobs.service import JobService
from impasto.telegram.retry import overlooked
from impasto_dialog import keyboards
from impasto_dialog.gallery import close, edit_options, options, reopen_gallery
from impasto_dialog.keyboards import ChooseLanguage, ForgetMe, OpenChoice, SetLook
from impasto_dialog.photo import refusal
from impasto_dialog.style import choose
from impasto_dialog.talk import Memory, Step, Talk, kept_preferences
from impasto_dialog.texts import FALLBACK, LANGUAGES, Texts, duration

STYLE_LINK: Final = "style_"
"""`t.me/<bot>?start=style_<name>` starts with a style."""

MENU_TIMEOUT_S: Final = 10
MOST_IN_MENU: Final = 100
"""https://core.telegram.org/bots/api#setmycommands"""
COMMANDS: Final[Mapping[Literal["everyone", "owners", "groups"], Sequence[str]]] = {
    "everyone": ("start", "styles", "settings", "status", "cancel", "language", "forget", "help"),
    "owners": ("stats",),
    "groups": ("style",),
}
"""In the order of the menu."""

COUNTED: Final = {
    "waiting": (JobState.ACCEPTED,),
    "running": (JobState.RUNNING,),
    "delivering": (JobState.PAINTED,),
    "done": (JobState.DELIVERED,),
    "failed": (JobState.FAILED, JobState.EXPLAINED),
    "cancelled": (JobState.CANCELLED, JobState.ABANDONED),
}
HINTS: Final = {
    Step.choosing_style.state: "hint-choose",
    Step.awaiting_style_picture.state: "hint-style-picture",
    Step.awaiting_photo.state: "hint-photo",
}
_STARTED_AT: Final = time.monotonic()


async def start(message: Message, talk: Talk) -> None:
    await close(talk)
    name = talk.name.strip()
    keyboard = keyboards.styles_only(talk.texts)
    if name:
        await talk.say("start", keyboard, name=name)
    else:
        await talk.say("start-without-name", keyboard)
    if talk.is_owner:  # before their first message Telegram knows no such chat
        await set_menu_of(talk, talk.texts)


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
    own = {command.name for command in own_commands()}
    others = [
        f"/{command.name} – {html.escape(command.description(talk.texts.language))}"
        for command in talk.chat_commands
        if command.name not in own and command.people == "everyone"
    ]
    text = "\n".join([talk.texts("help"), *others])
    await talk.send(text, keyboards.styles_only(talk.texts))


async def settings(message: Message, talk: Talk) -> None:
    await talk.send(*await options(talk, talk.look))


async def open_choice(query: CallbackQuery, callback_data: OpenChoice, talk: Talk) -> None:
    await edit_options(query, talk, talk.look, callback_data.kind, callback_data.turn)


async def set_look(query: CallbackQuery, callback_data: SetLook, talk: Talk) -> None:
    """Keeps the choice and shows all of them again."""
    known = await kept_preferences(talk.preferences)
    look = known.look.with_choice(callback_data.choice)
    await talk.prefer(look=look)
    talk.toast("toast-kept")
    await edit_options(query, talk, look, turn=callback_data.turn)


async def ask_language(message: Message, talk: Talk) -> None:
    await talk.say("choose-language", keyboards.languages(talk.texts))


async def set_language(query: CallbackQuery, callback_data: ChooseLanguage, talk: Talk) -> None:
    """Keeps the language and answers in it; the command menu of this chat follows."""
    texts = LANGUAGES.get(callback_data.code)
    if texts is None:
        await talk.say("choose-language", keyboards.languages(talk.texts))
        return
    await talk.prefer(language=texts.language)
    await talk.job_service.speak(talk.person, texts.language)
    if query.message is not None:
        await talk.remove(query.message.message_id)
    await talk.send(texts("language-chosen"), keyboards.styles_only(texts))
    await set_menu_of(talk, texts)


async def forget(message: Message, talk: Talk) -> None:
    """Asks first: what is forgotten is gone."""
    await talk.say("forget-question", keyboards.forget(talk.texts))


async def forget_decided(query: CallbackQuery, callback_data: ForgetMe, talk: Talk) -> None:
    """Shown in private chats only, where nobody else can tap the button."""
    if query.message is not None:
        await talk.remove(query.message.message_id)
    if not callback_data.sure:
        talk.toast("toast-not-forgotten")
        return
    await close(talk)
    await talk.job_service.forget(talk.person)
    await talk.say("forgotten")


async def is_owner(message: Message, event_from_user: User, job_service: JobService) -> bool:
    """Filter: to all others /stats is a word like any other."""
    return event_from_user.id in job_service.owners


async def stats(message: Message, talk: Talk) -> None:
    counts = {name: await talk.job_service.count(*states) for name, states in COUNTED.items()}
    estimates = talk.job_service.estimates
    one = await estimates.seconds_for_others(1)
    all_waiting = await estimates.seconds_for_others(counts["waiting"] + counts["running"])
    unknown = talk.texts.plain("stats-unknown")
    text = talk.texts(
        "stats",
        **counts,
        one=unknown if one is None else duration(one, talk.texts),
        all=unknown if all_waiting is None else duration(all_waiting, talk.texts),
        device=estimates.device or unknown,
        uptime=duration(time.monotonic() - _STARTED_AT, talk.texts),
    )
    await talk.send(text)


async def hint(message: Message, talk: Talk, raw_state: str | None) -> None:
    """What is expected next."""
    await talk.say(HINTS.get(raw_state, "hint"))


def is_refused(message: Message) -> Mapping[str, str] | bool:
    """Filter: gives the handler the `reason` why the message's contents cannot be used."""
    reason = refusal(message)
    return {"reason": reason} if reason else False


async def refuse(message: Message, talk: Talk, reason: str) -> None:
    await talk.say(reason)


async def old_button(query: CallbackQuery, talk: Talk) -> None:
    """A button of a gallery that is no longer open, of a job that is forgotten or of an older
    version of the bot; in a group also somebody else's."""
    if talk.in_group:
        talk.toast("toast-not-yours")
        return
    talk.toast("toast-old-button")
    await reopen_gallery(talk)


def own_commands() -> list[ChatCommand]:
    """Those of this dialog."""
    return [
        ChatCommand(
            name=name,
            descriptions={
                code: texts.plain(f"command-{name}") for code, texts in LANGUAGES.items()
            },
            people=whose,
            order=place,
        )
        for whose, names in COMMANDS.items()
        for place, name in enumerate(names)
    ]


async def register_commands(bot: Bot, chat_commands: Sequence[ChatCommand]) -> None:
    """Fills the menus of private chats and of groups."""
    everyones, groups = BotCommandScopeAllPrivateChats(), BotCommandScopeAllGroupChats()
    for code in LANGUAGES:
        language = None if code == FALLBACK else code
        await _set_menu(bot, _menu(chat_commands, code, "everyone"), everyones, language)
        await _set_menu(bot, _menu(chat_commands, code, "groups"), groups, language)


async def set_menu_of(talk: Talk, texts: Texts) -> None:
    """Gives the private chat a menu of its own, in this language."""
    people = ("everyone", "owners") if talk.is_owner else ("everyone",)
    commands = _menu(talk.chat_commands, texts.language, *people)
    await _set_menu(talk.bot, commands, BotCommandScopeChat(chat_id=talk.chat))


async def _set_menu(
    bot: Bot, commands: list[BotCommand], scope: BotCommandScopeUnion, language: str | None = None
) -> None:
    """A bot without a menu still works."""
    with overlooked("command_menu_not_set"):
        await bot.set_my_commands(commands, scope, language, request_timeout=MENU_TIMEOUT_S)


def _menu(commands: Sequence[ChatCommand], language: str, *people: str) -> list[BotCommand]:
    """At most as many as Telegram takes."""
    return [
        BotCommand(command=command.name, description=command.description(language))
        for whose in people
        for command in commands
        if command.people == whose
    ][:MOST_IN_MENU]
