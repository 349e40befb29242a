"""Methods about the bot itself: who it is, its commands and texts, how it gets updates, files."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, TypeVar

from aiogram import methods
from aiogram.types import (
    BotCommand,
    BotDescription,
    BotName,
    BotShortDescription,
    File,
    MenuButtonDefault,
    User,
    WebhookInfo,
)

from .context import Context, Handlers
from .files import MAX_DOWNLOAD_BYTES
from .refusals import bad_request, conflict
from .wire import to_json

T = TypeVar("T", BotName, BotDescription, BotShortDescription)

MAX_COMMANDS = 100
MAX_COMMAND_DESCRIPTION = 256
COMMAND = re.compile(r"/?[a-z0-9_]{1,32}")


async def get_me(context: Context, method: methods.GetMe) -> User:
    return context.world.bot


async def leave(context: Context, method: methods.LogOut | methods.Close) -> bool:
    """The playground has nothing to do when a bot goes to another server."""
    return True


async def get_updates(context: Context, method: methods.GetUpdates) -> Any:
    if context.webhook.url:
        raise conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete "
            "the webhook first"
        )
    updates = context.world.updates
    updates.allow(method.allowed_updates)
    limit = 100 if method.limit is None else method.limit
    return await updates.poll(method.offset or 0, limit, method.timeout or 0)


async def set_webhook(context: Context, method: methods.SetWebhook) -> bool:
    await context.webhook.set(
        method.url, method.secret_token, method.max_connections, method.ip_address
    )
    context.world.updates.allow(method.allowed_updates)
    if method.drop_pending_updates:
        context.world.updates.drop()
    return True


async def delete_webhook(context: Context, method: methods.DeleteWebhook) -> bool:
    await context.webhook.set("")
    if method.drop_pending_updates:
        context.world.updates.drop()
    return True


async def get_webhook_info(context: Context, method: methods.GetWebhookInfo) -> WebhookInfo:
    webhook = context.webhook
    failed_at, error = webhook.last_error or (None, None)
    return WebhookInfo(
        url=webhook.url,
        has_custom_certificate=False,
        pending_update_count=len(context.world.updates),
        ip_address=webhook.ip_address,
        max_connections=webhook.max_connections if webhook.url else None,
        allowed_updates=context.world.updates.allowed or None,
        last_error_date=failed_at,
        last_error_message=error,
    )


async def get_file(context: Context, method: methods.GetFile) -> File:
    stored = context.world.files.by_id(method.file_id)
    if stored is None:
        raise bad_request("invalid file_id")
    if stored.size > MAX_DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    return File(
        file_id=stored.file_id,
        file_unique_id=stored.file_unique_id,
        file_size=stored.size,
        file_path=stored.remote_path,
    )


async def get_chat(context: Context, method: methods.GetChat) -> Any:
    chat = context.chat(method.chat_id).chat
    return {
        **to_json(chat),
        "accent_color_id": chat.id % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": True,
            "limited_gifts": True,
            "unique_gifts": True,
            "premium_subscription": True,
            "gifts_from_channels": True,
        },
    }


async def set_my_commands(context: Context, method: methods.SetMyCommands) -> bool:
    if len(method.commands) > MAX_COMMANDS:
        raise bad_request("too much commands specified")
    for command in method.commands:
        if not COMMAND.fullmatch(command.command):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command.description) <= MAX_COMMAND_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    context.world.profile.commands[_key(method)] = [
        BotCommand(command=item.command.lstrip("/"), description=item.description)
        for item in method.commands
    ]
    _profile_changed(context)
    return True


async def get_my_commands(context: Context, method: methods.GetMyCommands) -> list[BotCommand]:
    return context.world.profile.commands.get(_key(method), [])


async def delete_my_commands(context: Context, method: methods.DeleteMyCommands) -> bool:
    context.world.profile.commands.pop(_key(method), None)
    _profile_changed(context)
    return True


async def set_text(context: Context, method: Any, *, name: str, longest: int) -> bool:
    """Set the bot's name, description or short description in a language; `name` is the field."""
    text = getattr(method, name)
    if text and len(text) > longest:
        raise bad_request("text is too long")
    texts = context.world.profile.texts[name]
    if text:
        texts[method.language_code or ""] = text
    else:
        texts.pop(method.language_code or "", None)
    _profile_changed(context)
    return True


async def get_text(context: Context, method: Any, *, name: str, result: type[T]) -> T:
    text = context.world.profile.text(name, method.language_code)
    return result(**{name: text})


async def set_chat_menu_button(context: Context, method: methods.SetChatMenuButton) -> bool:
    chat_id = method.chat_id
    if chat_id is not None:
        context.chat(chat_id)
    button = method.menu_button or MenuButtonDefault()
    context.world.profile.menu_buttons[chat_id] = button
    _profile_changed(context)
    return True


async def get_chat_menu_button(context: Context, method: methods.GetChatMenuButton) -> Any:
    chat_id = method.chat_id
    if chat_id is not None:
        context.chat(chat_id)
        return context.world.menu_button(chat_id)
    return context.world.profile.menu_buttons.get(None) or MenuButtonDefault()


def _key(method: Any) -> tuple[str, str]:
    """The scope and the language that a method about commands names."""
    scope, language = method.scope, method.language_code or ""
    if scope is None:
        return "default", language
    chat_id = getattr(scope, "chat_id", None)
    return (str(scope.type) if chat_id is None else f"{scope.type}:{chat_id}"), language


def _profile_changed(context: Context) -> None:
    for chat_id, conversation in context.world.chats.items():
        context.world.hub.publish(chat_id, "profile", **context.world.profile_for(conversation))


HANDLERS: Handlers = {
    methods.GetMe: get_me,
    methods.LogOut: leave,
    methods.Close: leave,
    methods.GetUpdates: get_updates,
    methods.SetWebhook: set_webhook,
    methods.DeleteWebhook: delete_webhook,
    methods.GetWebhookInfo: get_webhook_info,
    methods.GetFile: get_file,
    methods.GetChat: get_chat,
    methods.SetMyCommands: set_my_commands,
    methods.GetMyCommands: get_my_commands,
    methods.DeleteMyCommands: delete_my_commands,
    methods.SetMyName: partial(set_text, name="name", longest=64),
    methods.GetMyName: partial(get_text, name="name", result=BotName),
    methods.SetMyDescription: partial(set_text, name="description", longest=512),
    methods.GetMyDescription: partial(get_text, name="description", result=BotDescription),
    methods.SetMyShortDescription: partial(set_text, name="short_description", longest=120),
    methods.GetMyShortDescription: partial(
        get_text, name="short_description", result=BotShortDescription
    ),
    methods.SetChatMenuButton: set_chat_menu_button,
    methods.GetChatMenuButton: get_chat_menu_button,
}
