"""What Telegram checks before it takes a call: chats, messages, keyboards, files."""

from __future__ import annotations

from typing import Any

from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    ReplyKeyboardMarkup,
    ReplyParameters,
)

from .refusals import bad_request, forbidden
from .state import Conversation, World
from .wire import given

MAX_CALLBACK_DATA_BYTES = 64
MAX_BUTTONS = 100
MAX_ROW_BUTTONS = 8

NOT_AN_ACTION = frozenset({"text", "icon_custom_emoji_id", "style"})
"""The fields of an inline button that only say how it looks."""


def find_chat(world: World, chat_id: Any) -> Conversation:
    """The chat a method names, one the bot may write to. Raises `Refusal`."""
    conversation = _lookup(world, chat_id)
    if conversation is None or not conversation.started:
        raise bad_request("chat not found")
    if conversation.blocked:
        raise forbidden("bot was blocked by the user")
    return conversation


def _lookup(world: World, chat_id: Any) -> Conversation | None:
    if chat_id is None or chat_id == "":
        raise bad_request("chat_id is empty")
    if isinstance(chat_id, int):
        return world.chats.get(chat_id)
    name = str(chat_id).removeprefix("@").lower()
    for conversation in world.chats.values():
        if (conversation.person.username or "").lower() == name:
            return conversation
    return None


def find_own_message(
    world: World, chat_id: Any, message_id: int | None, inline_message_id: str | None
) -> tuple[Conversation, Message]:
    """The bot's own message that an edit names. Raises `Refusal`."""
    if inline_message_id is not None:
        raise bad_request("MESSAGE_ID_INVALID")
    conversation = find_chat(world, chat_id)
    if message_id is None:
        raise bad_request("message identifier is not specified")
    message = conversation.messages.get(message_id)
    if message is None:
        raise bad_request("message to edit not found")
    if message.from_user is None or not message.from_user.is_bot:
        raise bad_request("message can't be edited")
    return conversation, message


def find_replied(
    conversation: Conversation, parameters: ReplyParameters | None, message_id: int | None = None
) -> Message | None:
    """The message a new one answers. Raises `Refusal` when it is gone and has to be there."""
    wanted = parameters.message_id if parameters is not None else message_id
    if wanted is None:
        return None
    replied = conversation.messages.get(wanted)
    if replied is None:
        if parameters is not None and given(parameters.allow_sending_without_reply):
            return None
        raise bad_request("message to be replied not found")
    return replied.model_copy(update={"reply_to_message": None})


def check_markup(markup: Any) -> None:
    """Raise `Refusal` for a keyboard that Telegram does not take."""
    if isinstance(markup, InlineKeyboardMarkup):
        rows = [row for row in markup.inline_keyboard if row]
        if sum(map(len, rows)) > MAX_BUTTONS or any(len(row) > MAX_ROW_BUTTONS for row in rows):
            raise bad_request("reply markup is too long")
        for button in (button for row in rows for button in row):
            check_inline_button(button)
    elif isinstance(markup, ReplyKeyboardMarkup):
        buttons = [button for row in markup.keyboard for button in row]
        if not buttons or any(not button.text.strip() for button in buttons):
            raise bad_request("can't parse keyboard button: text must be non-empty")


def check_inline_button(button: InlineKeyboardButton) -> None:
    """Raise `Refusal` unless the button has a text and does exactly one thing."""
    if not button.text.strip():
        raise bad_request("BUTTON_TEXT_INVALID")
    actions = [
        name
        for name in type(button).model_fields
        if name not in NOT_AN_ACTION and getattr(button, name) is not None
    ]
    if not actions:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if len(actions) > 1:
        raise bad_request(
            "can't parse inline keyboard button: exactly one of the optional fields must be used"
        )
    data = button.callback_data
    if data is not None and not 1 <= len(data.encode()) <= MAX_CALLBACK_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if button.url is not None and not button.url.lower().startswith(
        ("http://", "https://", "tg://")
    ):
        raise bad_request(
            f"inline keyboard button URL '{button.url}' is invalid: Unsupported URL protocol"
        )
