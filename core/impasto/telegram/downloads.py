"""Pictures from Telegram, streamed to disk, limits checked before a byte is fetched."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import structlog
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramRetryAfter,
)
from aiogram.utils.backoff import Backoff, BackoffConfig

from impasto.contracts import MAX_DOWNLOAD
from impasto.errors import PictureError
from impasto.jobs.job import TelegramPicture

log = structlog.get_logger(__name__)

TRIES = 6
"""A file that breaks off this often is given up: others wait. That Telegram cannot be reached at
all is waited out instead."""

DOWNLOAD_SECONDS = 120
_BACKOFF = BackoffConfig(min_delay=1.0, max_delay=30.0, factor=2.0, jitter=0.1)
_BROKEN_OFF = (aiohttp.ClientError, TimeoutError)
_NOT_REACHED = (TelegramAPIError, ClientDecodeError)


class TelegramPictures:
    """See `impasto.jobs.folders.PictureSource`."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def fetch(self, picture: TelegramPicture, into: Path) -> None:
        backoff, broken_off = Backoff(_BACKOFF), 0
        while broken_off < TRIES:
            try:
                return await self._try(picture, into)
            except TelegramRetryAfter as error:
                await asyncio.sleep(error.retry_after)
            except (*_BROKEN_OFF, *_NOT_REACHED) as error:
                _raise_if_final(error)
                broken_off += isinstance(error, _BROKEN_OFF)
                pause = max(0.0, next(backoff))
                log.warning(
                    "download_failed",
                    why=f"{type(error).__name__}: {error}",
                    again_in_seconds=round(pause, 1),
                )
                await asyncio.sleep(pause)
        raise _gone()

    async def _try(self, picture: TelegramPicture, into: Path) -> None:
        # The link of getFile lives for an hour: a new one for every try.
        file = await self._bot.get_file(picture.file_id)
        if file.file_size is not None and file.file_size > MAX_DOWNLOAD:
            raise _too_large()
        if file.file_path is None:
            raise _gone()
        await self._stream(file.file_path, into)

    async def _stream(self, file_path: str, into: Path) -> None:
        chunks = self._bot.session.stream_content(
            url=self._bot.session.api.file_url(self._bot.token, file_path),
            timeout=DOWNLOAD_SECONDS,
        )
        received = 0
        target = await asyncio.to_thread(into.open, "wb")
        try:
            async for chunk in chunks:
                received += len(chunk)
                if received > MAX_DOWNLOAD:
                    raise _too_large()
                await asyncio.to_thread(target.write, chunk)
        finally:
            await asyncio.to_thread(target.close)


def _raise_if_final(error: Exception) -> None:
    """Raises PictureError when no later try can do better."""
    if isinstance(error, TelegramEntityTooLarge):
        raise _too_large() from error
    if isinstance(error, TelegramBadRequest):
        raise (_too_large() if "too big" in error.message else _gone()) from error
    if isinstance(error, TelegramNotFound | TelegramForbiddenError):
        raise _gone() from error


def _too_large() -> PictureError:
    megabytes = MAX_DOWNLOAD // 2**20
    return PictureError(
        "file_too_large",
        f"This file is larger than {megabytes} MB; please send a smaller one.",
        megabytes=megabytes,
    )


def _gone() -> PictureError:
    return PictureError(
        "file_gone", "Telegram does not have this picture any more; please send it again."
    )
