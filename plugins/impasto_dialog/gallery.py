"""Sending the gallery: one contact sheet, drawn and uploaded once, then sent by its `file_id`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiogram import Bot
from aiogram.enums import ParseMode
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import BufferedInputFile, InlineKeyboardMarkup, Message

from impasto import StylePreset
from impasto_dialog.contact_sheet import contact_sheet


class Gallery:
    """The contact sheet of one bot's presets, which do not change while it runs."""

    def __init__(self) -> None:
        self._file_id: str | None = None
        self._first_upload = asyncio.Lock()

    async def send(
        self,
        bot: Bot,
        chat: int,
        presets: Sequence[StylePreset],
        caption: str,
        keyboard: InlineKeyboardMarkup,
    ) -> Message:
        """Sends the contact sheet with an HTML caption; `presets` must not be empty."""
        if self._file_id is not None:
            try:
                return await _send(bot, chat, self._file_id, caption, keyboard)
            except TelegramBadRequest as error:
                if "file" not in error.message:  # such as "wrong file identifier"
                    raise
                self._file_id = None
        async with self._first_upload:
            if self._file_id is not None:
                return await _send(bot, chat, self._file_id, caption, keyboard)
            sheet = await asyncio.to_thread(contact_sheet, presets)
            upload = BufferedInputFile(sheet, "styles.jpg")
            message = await _send(bot, chat, upload, caption, keyboard)
            if message.photo:
                self._file_id = message.photo[-1].file_id
            return message


async def _send(
    bot: Bot,
    chat: int,
    photo: str | BufferedInputFile,
    caption: str,
    keyboard: InlineKeyboardMarkup,
) -> Message:
    return await bot.send_photo(
        chat, photo, caption=caption, reply_markup=keyboard, parse_mode=ParseMode.HTML
    )
