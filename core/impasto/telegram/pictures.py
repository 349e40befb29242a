"""Pictures from Telegram, streamed to disk, and results as photos that Telegram takes."""

from __future__ import annotations

import asyncio
import io
import shutil
from pathlib import Path, PurePosixPath, PureWindowsPath

import aiohttp
import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from PIL import Image

from impasto.contracts import MAX_DOWNLOAD
from impasto.errors import PictureError
from impasto.jobs.folders import NotFetched
from impasto.jobs.job import PICTURE_GONE, TelegramPicture
from impasto.telegram.retry import (
    UNANSWERED,
    AskedToWait,
    TooLarge,
    meaning_of,
    means,
    retried,
)

log = structlog.get_logger(__name__)

TRIES = 3
"""In a row, after which others are painted first."""

DOWNLOAD_SECONDS = 120
SECONDS_TO_ANSWER = 10
_BROKEN_OFF = (aiohttp.ClientError, TimeoutError)

LONGEST_SIDE = 2560
"""Pixels; what Telegram's apps show of a photo at most."""

MOST_PHOTO_BYTES = 10 * 1000 * 1000
"""Telegram's limit of a photo (https://core.telegram.org/bots/api#sendphoto)."""

JPEG_QUALITIES = (95, 90, 80, 70)
"""Tried in turn; at the last one no picture of LONGEST_SIDE is near MOST_PHOTO_BYTES."""


class TelegramPictures:
    """See `impasto.jobs.folders.PictureSource`."""

    def __init__(self, bot: Bot, folders: tuple[str, Path] | None = None) -> None:
        """`folders`: where a Bot API server with `--local` keeps its files, as it names the folder
        and as this machine does."""
        self._bot = bot
        self._folders = folders

    async def fetch(self, picture: TelegramPicture, into: Path) -> None:
        if not picture.file_id:  # of a job that could not be read
            raise _gone()
        tries = 0

        def is_tried_again(error: Exception) -> bool:
            nonlocal tries
            tries += 1
            # A file that comes so slowly, or a wait that Telegram asks for, holds up others.
            waits_long = isinstance(error, TimeoutError) or means(error, AskedToWait)
            return tries < TRIES and _may_work_later(error) and not waits_long

        try:
            await retried(
                lambda: self._try(picture, into), event="download_failed", retry_if=is_tried_again
            )
        except (AiogramError, *_BROKEN_OFF) as error:
            if not _may_work_later(error):
                raise (_too_large() if means(error, TooLarge) else _gone()) from error
            why = f"{type(error).__name__}: {meaning_of(error) or error}"
            seconds = float(getattr(error, "retry_after", 0))
            others_work = not seconds and await self._answers()
            raise NotFetched(why, others_work=others_work, seconds=seconds) from error

    async def _answers(self) -> bool:
        """Whether Telegram answers when it is asked for nothing in particular."""
        try:
            await self._bot.get_me(request_timeout=SECONDS_TO_ANSWER)
        except AiogramError:
            return False
        return True

    async def _try(self, picture: TelegramPicture, into: Path) -> None:
        # The link of getFile lives for an hour: a new one for every try.
        file = await self._bot.get_file(picture.file_id)
        if file.file_path is None:
            raise _gone()
        is_local = PurePosixPath(file.file_path).is_absolute() or ":" in file.file_path
        if is_local:
            await asyncio.to_thread(self._copy, file.file_path, into)
            return
        if file.file_size is not None and file.file_size > MAX_DOWNLOAD:
            raise _too_large()
        await self._stream(file.file_path, into)

    def _copy(self, there: str, into: Path) -> None:
        """Raises PictureError when the file of a server with `--local` is not found."""
        try:
            with self._here(there).open("rb") as source, into.open("wb") as target:
                shutil.copyfileobj(source, target)
        except (FileNotFoundError, PermissionError, ValueError) as error:
            if not into.parent.is_dir():
                raise
            advice = "see telegram.local_files"
            log.error("local_file_not_read", file=there, why=str(error), advice=advice)
            raise _gone() from error

    def _here(self, there: str) -> Path:
        """Where a file of the server is on this machine.

        Raises:
            ValueError: it is not in the folder of its files.
        """
        if self._folders is None:
            raise ValueError("the server runs with --local, and telegram.local_files is not set")
        root, folder = self._folders
        kind = PureWindowsPath if PureWindowsPath(root).drive else PurePosixPath
        inside = kind(there).relative_to(kind(root))
        if ".." in inside.parts:
            raise ValueError("it leaves the folder")
        return folder.joinpath(*inside.parts)

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


def _may_work_later(error: Exception) -> bool:
    return isinstance(error, _BROKEN_OFF) or means(error, *UNANSWERED)


def _too_large() -> PictureError:
    megabytes = MAX_DOWNLOAD // 2**20
    return PictureError(
        "file_too_large",
        f"This file is larger than {megabytes} MB; please send a smaller one.",
        megabytes=megabytes,
    )


def _gone() -> PictureError:
    return PictureError(PICTURE_GONE.code, PICTURE_GONE.sentence)


def photo_of(result: Path) -> bytes:
    """The picture as a JPEG of at most LONGEST_SIDE and MOST_PHOTO_BYTES; unchanged if it is one.

    Takes up to a second for a large picture: call it off the event loop.

    Raises:
        OSError: the file is gone or no picture.
    """
    with Image.open(result) as picture:
        fits = max(picture.size) <= LONGEST_SIDE and result.stat().st_size <= MOST_PHOTO_BYTES
        if picture.format == "JPEG" and fits:
            return result.read_bytes()
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        small = picture.convert("RGB")
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    for quality in JPEG_QUALITIES:
        packed = _jpeg(small, quality)
        if len(packed) <= MOST_PHOTO_BYTES:
            break
    return packed


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=quality, subsampling=0)
    return packed.getvalue()
