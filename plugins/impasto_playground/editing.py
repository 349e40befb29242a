"""Methods that change or remove what is already in a chat, and the answer to a tapped button."""

from __future__ import annotations

from typing import Any

from aiogram import methods
from aiogram.types import (
    InlineKeyboardMarkup,
    InputMediaAnimation,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
)

from .checks import check_markup, find_chat, find_own_message
from .context import Context, Entry, content_of
from .entities import format_caption, format_text
from .refusals import bad_request
from .state import Conversation, now
from .wire import given, to_json

MAX_ANSWER = 200
"""Characters of the answer to a callback query (Bot API, answerCallbackQuery)."""

MAX_DELETED = 100

CONTENT_FIELDS = (
    "text",
    "entities",
    "photo",
    "document",
    "animation",
    "caption",
    "caption_entities",
    "show_caption_above_media",
    "has_media_spoiler",
    "reply_markup",
)


async def edit_message_text(context: Context, method: methods.EditMessageText) -> Message:
    conversation, message = _target(context, method)
    text, entities = format_text(method.text, given(method.parse_mode), method.entities)
    if message.text is None:
        raise bad_request("there is no text in the message to edit")
    return _edit(context, conversation, message, method, {"text": text, "entities": entities})


async def edit_message_caption(context: Context, method: methods.EditMessageCaption) -> Message:
    conversation, message = _target(context, method)
    caption, entities = format_caption(
        method.caption, given(method.parse_mode), method.caption_entities
    )
    if message.text is not None:
        raise bad_request("there is no caption in the message to edit")
    content = {
        "caption": caption,
        "caption_entities": entities,
        "show_caption_above_media": given(method.show_caption_above_media) or None,
    }
    return _edit(context, conversation, message, method, content)


async def edit_message_media(context: Context, method: methods.EditMessageMedia) -> Message:
    conversation, message = _target(context, method)
    item = method.media
    if not isinstance(item, InputMediaPhoto | InputMediaDocument | InputMediaAnimation):
        raise bad_request("can't parse InputMedia: this type is not known in the playground")
    if message.media_group_id and str(item.type) not in to_json(message):
        raise bad_request("can't use the media of the specified type in the album")
    caption, entities = format_caption(item.caption, given(item.parse_mode), item.caption_entities)
    check_markup(method.reply_markup)
    media = await context.media(item.media, str(item.type))
    above = getattr(item, "show_caption_above_media", None)
    content = {
        **dict.fromkeys(("text", "entities", "photo", "document", "animation")),
        **content_of(media),
        "caption": caption,
        "caption_entities": entities,
        "show_caption_above_media": given(above) or None,
        "has_media_spoiler": getattr(item, "has_spoiler", None) or None,
    }
    # The picture took a while to read: the chat may have changed meanwhile.
    conversation, message = _target(context, method)
    return _edit(context, conversation, message, method, content)


async def edit_message_reply_markup(
    context: Context, method: methods.EditMessageReplyMarkup
) -> Message:
    conversation, message = _target(context, method)
    return _edit(context, conversation, message, method, {})


async def delete_message(context: Context, method: methods.DeleteMessage) -> bool:
    conversation = find_chat(context.world, method.chat_id)
    if not context.world.remove(conversation, method.message_id):
        raise bad_request("message to delete not found")
    return True


async def delete_messages(context: Context, method: methods.DeleteMessages) -> bool:
    conversation = find_chat(context.world, method.chat_id)
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


def _target(context: Context, method: Any) -> tuple[Conversation, Message]:
    return find_own_message(
        context.world, method.chat_id, method.message_id, method.inline_message_id
    )


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
    update = {**content, "reply_markup": keyboard}
    edited = message.model_copy(update={**update, "edit_date": int(now().timestamp())})
    if all(_same(message, edited, name) for name in CONTENT_FIELDS):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly "
            "the same as a current content and reply markup of the message"
        )
    context.world.edit(conversation, edited)
    return edited


def _same(before: Message, after: Message, name: str) -> bool:
    return bool(to_json(getattr(before, name)) == to_json(getattr(after, name)))


EDITING: dict[str, Entry] = {
    "editMessageText": (methods.EditMessageText, edit_message_text),
    "editMessageCaption": (methods.EditMessageCaption, edit_message_caption),
    "editMessageMedia": (methods.EditMessageMedia, edit_message_media),
    "editMessageReplyMarkup": (methods.EditMessageReplyMarkup, edit_message_reply_markup),
    "deleteMessage": (methods.DeleteMessage, delete_message),
    "deleteMessages": (methods.DeleteMessages, delete_messages),
    "answerCallbackQuery": (methods.AnswerCallbackQuery, answer_callback_query),
}
