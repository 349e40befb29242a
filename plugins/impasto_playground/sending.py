"""Methods that put a new message of the bot into a chat."""

from __future__ import annotations

import secrets
from typing import Any

from aiogram import methods
from aiogram.types import (
    ForceReply,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from .checks import check_markup, find_chat, find_replied
from .context import Context, Entry, content_of
from .entities import format_caption, format_text
from .refusals import bad_request
from .state import Conversation, without_keyboard
from .wire import given

ALBUM_SIZES = range(2, 11)

CHAT_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)


async def send_message(context: Context, method: methods.SendMessage) -> Message:
    conversation = find_chat(context.world, method.chat_id)
    text, entities = format_text(method.text, given(method.parse_mode), method.entities)
    return _send(context, conversation, method, {"text": text, "entities": entities})


async def send_photo(context: Context, method: methods.SendPhoto) -> Message:
    return await _send_media(context, method, method.photo, "photo")


async def send_document(context: Context, method: methods.SendDocument) -> Message:
    return await _send_media(context, method, method.document, "document")


async def send_animation(context: Context, method: methods.SendAnimation) -> Message:
    return await _send_media(context, method, method.animation, "animation")


async def send_media_group(context: Context, method: methods.SendMediaGroup) -> list[Message]:
    conversation = find_chat(context.world, method.chat_id)
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
        caption, entities = format_caption(
            item.caption, given(item.parse_mode), item.caption_entities
        )
        media = await context.media(item.media, str(item.type))
        contents.append({**content_of(media), "caption": caption, "caption_entities": entities})
    group = str(secrets.randbits(60))
    return [
        context.world.from_bot(
            conversation, **content, media_group_id=group, reply_to_message=replied
        )
        for content in contents
    ]


async def send_chat_action(context: Context, method: methods.SendChatAction) -> bool:
    conversation = find_chat(context.world, method.chat_id)
    if method.action not in CHAT_ACTIONS:
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


async def _send_media(context: Context, method: Any, value: Any, kind: str) -> Message:
    conversation = find_chat(context.world, method.chat_id)
    caption, entities = format_caption(
        method.caption, given(method.parse_mode), method.caption_entities
    )
    check_markup(method.reply_markup)
    media = await context.media(value, kind)
    content = {**content_of(media), "caption": caption, "caption_entities": entities}
    if getattr(method, "has_spoiler", None):
        content["has_media_spoiler"] = True
    if given(getattr(method, "show_caption_above_media", None)):
        content["show_caption_above_media"] = True
    return _send(context, conversation, method, content)


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
        reply_markup=without_keyboard(markup),
    )
    if isinstance(markup, ReplyKeyboardMarkup | ForceReply):
        context.world.show_keyboard(conversation, markup)
    elif isinstance(markup, ReplyKeyboardRemove):
        context.world.show_keyboard(conversation, None)
    return message


def _replied(conversation: Conversation, method: Any) -> Message | None:
    return find_replied(conversation, method.reply_parameters, method.reply_to_message_id)


SENDING: dict[str, Entry] = {
    "sendMessage": (methods.SendMessage, send_message),
    "sendPhoto": (methods.SendPhoto, send_photo),
    "sendDocument": (methods.SendDocument, send_document),
    "sendAnimation": (methods.SendAnimation, send_animation),
    "sendMediaGroup": (methods.SendMediaGroup, send_media_group),
    "sendChatAction": (methods.SendChatAction, send_chat_action),
}
