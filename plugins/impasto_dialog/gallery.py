"""The gallery's pages: one contact sheet each, drawn and uploaded once per language, then known by
its `file_id`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from aiogram.exceptions import TelegramBadRequest
from aiogram.types import BufferedInputFile, Message

from impasto import StylePreset
from impasto_dialog.contact_sheet import MOST_COLUMNS, contact_sheet
from impasto_dialog.keyboards import GalleryPage

MOST_ON_A_PAGE = 12
"""Tiles that a phone's screen shows at a size that tells them apart."""

T = TypeVar("T", bound=Message | bool)
Sheet = str | BufferedInputFile


def page_of(presets: Sequence[StylePreset], page: int) -> GalleryPage:
    """A page of the presets, which are spread over as few pages as there can be, as evenly as full
    rows of the contact sheet allow."""
    pages = max(1, math.ceil(len(presets) / MOST_ON_A_PAGE))
    size = math.ceil(len(presets) / pages / MOST_COLUMNS) * MOST_COLUMNS
    page = min(max(page, 0), pages - 1)
    return GalleryPage(
        presets=presets[page * size : (page + 1) * size],
        first_number=page * size + 1,
        page=page,
        pages=pages,
    )


class Sheets:
    """The contact sheets of one bot; its presets do not change while it runs."""

    def __init__(self) -> None:
        self._file_ids: dict[tuple[str, tuple[str, ...]], str] = {}
        self._first_upload = asyncio.Lock()

    async def show(
        self, page: GalleryPage, language: str, send: Callable[[Sheet], Awaitable[T]]
    ) -> T:
        """Has `send` send the sheet of a page that is not empty; what it returns."""
        key = (language, tuple(preset.name for preset in page.presets))
        known = self._file_ids.get(key)
        if known is not None:
            try:
                return await send(known)
            except TelegramBadRequest as error:
                if "file" not in error.message:  # such as "wrong file identifier"
                    raise
                del self._file_ids[key]
        async with self._first_upload:
            if key in self._file_ids:
                return await send(self._file_ids[key])
            sheet = await asyncio.to_thread(
                contact_sheet, page.presets, language, page.first_number
            )
            shown = await send(BufferedInputFile(sheet, "styles.jpg"))
            if isinstance(shown, Message) and shown.photo:
                self._file_ids[key] = shown.photo[-1].file_id
            return shown
