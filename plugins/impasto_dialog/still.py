"""A GIF cannot be painted; its first frame, which Telegram sends along, is offered."""

from __future__ import annotations

from collections.abc import Mapping

from aiogram.types import CallbackQuery, Message, ReplyParameters

from impasto.jobs.job import TelegramPicture
from impasto_dialog import keyboards
from impasto_dialog.gallery import open_gallery_for
from impasto_dialog.talk import Talk


def has_still(message: Message) -> Mapping[str, TelegramPicture] | bool:
    """Filter: gives the handler the first frame of an animation as a `picture`.

    That is its thumbnail, of 320 pixels at most: the animation itself is a video to Telegram.
    """
    thumbnail = message.animation.thumbnail if message.animation is not None else None
    if thumbnail is None:
        return False
    # Telegram sends no thumbnail again as a photo.
    return {"picture": TelegramPicture(file_id=thumbnail.file_id, as_photo=False)}


def in_reply(query: CallbackQuery) -> Mapping[str, TelegramPicture] | bool:
    """Filter: the same of the message that the offer answers."""
    offer = query.message
    replied = offer.reply_to_message if isinstance(offer, Message) else None
    return has_still(replied) if replied is not None else False


async def offer(message: Message, talk: Talk) -> None:
    await talk.bot.send_message(
        talk.chat,
        talk.texts("offer-still"),
        reply_markup=keyboards.paint_still(talk.texts),
        reply_parameters=ReplyParameters(
            message_id=message.message_id, allow_sending_without_reply=True
        ),
    )


async def paint(query: CallbackQuery, talk: Talk, picture: TelegramPicture) -> None:
    if query.message is not None:
        await talk.remove(query.message.message_id)
    await open_gallery_for(talk, picture, "choose-style")
