"""Methods about messages: sending, editing and deleting them, and answering a tapped button."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any

from aiogram import methods
from aiogram.enums import ChatAction
from aiogram.types import (
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAnimation,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from .context import Context, Handlers
from .entities import caption_of, format_text
from .refusals import bad_request
from .state import Conversation, now
from .wire import given, to_json

ALBUM_SIZES = range(2, 11)
MAX_DELETED = 100
MAX_CALLBACK_DATA_BYTES = 64
MAX_BUTTONS = 100
MAX_ROW_BUTTONS = 8

MAX_ANSWER = 200
"""Characters of the answer to a callback query (Bot API, answerCallbackQuery)."""

NOT_AN_ACTION = frozenset({"text", "icon_custom_emoji_id", "style"})
"""The fields of an inline button that only say how it looks."""


async def send_message(context: Context, method: methods.SendMessage) -> Message:
    conversation = context.chat(method.chat_id)
    text, entities = format_text(method.text, given(method.parse_mode), method.entities)
    return _send(context, conversation, method, {"text": text, "entities": entities})


async def send_media(context: Context, method: Any, kind: str) -> Message:
    """sendPhoto, sendDocument and sendAnimation; `kind` is the name of the field."""
    conversation = context.chat(method.chat_id)
    caption = caption_of(method)
    check_markup(method.reply_markup)
    content = await context.content(getattr(method, kind), kind)
    return _send(context, conversation, method, {**content, **caption})


async def send_media_group(context: Context, method: methods.SendMediaGroup) -> list[Message]:
    conversation = context.chat(method.chat_id)
    _check_album_size(len(method.media))
    if len({item.type for item in method.media}) > 1:
        raise bad_request("document can't be mixed with other media types")
    replied = _replied(conversation, method)
    contents = []
    for item in method.media:
        if not isinstance(item, InputMediaPhoto | InputMediaDocument):
            raise bad_request(
                f"can't parse InputMedia: type \"{item.type}\" can't be used in sendMediaGroup"
            )
        caption = caption_of(item)
        content = await context.content(item.media, str(item.type))
        contents.append({**content, **caption})
    group = str(secrets.randbits(60))
    return [
        context.world.from_bot(
            conversation, **content, media_group_id=group, reply_to_message=replied
        )
        for content in contents
    ]


async def send_chat_action(context: Context, method: methods.SendChatAction) -> bool:
    conversation = context.chat(method.chat_id)
    if method.action not in frozenset(ChatAction):
        raise bad_request("wrong parameter action in request")
    context.world.hub.publish(conversation.id, "action", action=method.action)
    return True


def _check_album_size(size: int) -> None:
    if not size:
        raise bad_request("there are no messages to send")
    if size < ALBUM_SIZES.start:
        raise bad_request("too few messages to send as an album")
    if size >= ALBUM_SIZES.stop:
        raise bad_request("too many messages to send as an album")


def _send(
    context: Context, conversation: Conversation, method: Any, content: dict[str, Any]
) -> Message:
    markup = method.reply_markup
    check_markup(markup)
    message = context.world.from_bot(
        conversation,
        **content,
        reply_to_message=_replied(conversation, method),
        has_protected_content=given(method.protect_content) or None,
        reply_markup=markup if isinstance(markup, InlineKeyboardMarkup) else None,
    )
    if isinstance(markup, ReplyKeyboardMarkup | ForceReply):
        context.world.show_keyboard(conversation, markup)
    elif isinstance(markup, ReplyKeyboardRemove):
        context.world.show_keyboard(conversation, None)
    return message


def _replied(conversation: Conversation, method: Any) -> Message | None:
    """The message that a new one answers. Raises `Refusal` when it is gone and has to be there."""
    parameters = method.reply_parameters
    wanted = parameters.message_id if parameters is not None else method.reply_to_message_id
    if wanted is None:
        return None
    replied = conversation.messages.get(wanted)
    if replied is not None:
        return replied.model_copy(update={"reply_to_message": None})
    if parameters is not None and given(parameters.allow_sending_without_reply):
        return None
    raise bad_request("message to be replied not found")


async def edit_message_text(context: Context, method: methods.EditMessageText) -> Message:
    conversation, message = context.own_message(method)
    text, entities = format_text(method.text, given(method.parse_mode), method.entities)
    if message.text is None:
        raise bad_request("there is no text in the message to edit")
    return _edit(context, conversation, message, method, {"text": text, "entities": entities})


async def edit_message_caption(context: Context, method: methods.EditMessageCaption) -> Message:
    conversation, message = context.own_message(method)
    content = caption_of(method)
    del content["has_media_spoiler"]  # which only a new medium can change
    if message.text is not None:
        raise bad_request("there is no caption in the message to edit")
    return _edit(context, conversation, message, method, content)


async def edit_message_media(context: Context, method: methods.EditMessageMedia) -> Message:
    conversation, message = context.own_message(method)
    item = method.media
    if not isinstance(item, InputMediaPhoto | InputMediaDocument | InputMediaAnimation):
        raise bad_request("can't parse InputMedia: this type is not known in the playground")
    if message.media_group_id and str(item.type) not in to_json(message):
        raise bad_request("can't use the media of the specified type in the album")
    caption = caption_of(item)
    check_markup(method.reply_markup)
    medium = await context.content(item.media, str(item.type))
    nothing = dict.fromkeys(("text", "entities", "photo", "document", "animation"))
    content = {**nothing, **medium, **caption}
    # The picture took a while to read: the chat may have changed meanwhile.
    conversation, message = context.own_message(method)
    return _edit(context, conversation, message, method, content)


async def edit_message_reply_markup(
    context: Context, method: methods.EditMessageReplyMarkup
) -> Message:
    conversation, message = context.own_message(method)
    return _edit(context, conversation, message, method, {})


async def delete_message(context: Context, method: methods.DeleteMessage) -> bool:
    conversation = context.chat(method.chat_id)
    if not context.world.remove(conversation, method.message_id):
        raise bad_request("message to delete not found")
    return True


async def delete_messages(context: Context, method: methods.DeleteMessages) -> bool:
    conversation = context.chat(method.chat_id)
    if not 1 <= len(method.message_ids) <= MAX_DELETED:
        raise bad_request("wrong number of message identifiers specified")
    for message_id in method.message_ids:
        context.world.remove(conversation, message_id)
    return True


async def answer_callback_query(context: Context, method: methods.AnswerCallbackQuery) -> bool:
    if method.text is not None and len(method.text) > MAX_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    query = context.world.queries.pop(method.callback_query_id, None)
    if query is None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    context.world.hub.publish(
        query.chat_id,
        "answer",
        query_id=method.callback_query_id,
        message_id=query.message_id,
        text=method.text,
        show_alert=bool(method.show_alert),
        url=method.url,
    )
    return True


def _edit(
    context: Context,
    conversation: Conversation,
    message: Message,
    method: Any,
    content: dict[str, Any],
) -> Message:
    """Apply `content` and the keyboard; an edit without a keyboard takes the old one away."""
    markup = method.reply_markup
    check_markup(markup)
    keyboard = markup if isinstance(markup, InlineKeyboardMarkup) else None
    if keyboard is not None and not any(keyboard.inline_keyboard):
        keyboard = None
    edited = message.model_copy(update={**content, "reply_markup": keyboard})
    if to_json(edited) == to_json(message):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly "
            "the same as a current content and reply markup of the message"
        )
    edited = edited.model_copy(update={"edit_date": int(now().timestamp())})
    context.world.edit(conversation, edited)
    return edited


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


HANDLERS: Handlers = {
    methods.SendMessage: send_message,
    methods.SendPhoto: partial(send_media, kind="photo"),
    methods.SendDocument: partial(send_media, kind="document"),
    methods.SendAnimation: partial(send_media, kind="animation"),
    methods.SendMediaGroup: send_media_group,
    methods.SendChatAction: send_chat_action,
    methods.EditMessageText: edit_message_text,
    methods.EditMessageCaption: edit_message_caption,
    methods.EditMessageMedia: edit_message_media,
    methods.EditMessageReplyMarkup: edit_message_reply_markup,
    methods.DeleteMessage: delete_message,
    methods.DeleteMessages: delete_messages,
    methods.AnswerCallbackQuery: answer_callback_query,
}
