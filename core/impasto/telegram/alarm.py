"""The owners hear in the chat when painting processes keep dying under jobs: who reads a log all
day? One that dies idle harms nobody and is in the log alone."""

from __future__ import annotations

import asyncio
import html
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog
from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramAPIError

from impasto.scrubbing import scrub

log = structlog.get_logger(__name__)

DEATHS: Final = 3
WITHIN_SECONDS: Final = 600.0
SILENT_SECONDS: Final = 3600.0
"""After an alarm there is none for so long: the owners know."""

_TEXT: Final = (
    "⚠️ The painting process has died {count} times within {minutes} minutes; pictures wait or "
    "fail. The last time: {why}. <code>impasto doctor</code> may know more.\n\n"
    "⚠️ Процесс рисования упал {count} раза за {minutes} минут; картины ждут или не выходят."
)


class Alarm:
    """Counts deaths; tells all owners once there are too many."""

    def __init__(self, bot: Bot, owners: Sequence[int]) -> None:
        self._bot = bot
        self.owners = tuple(owners)
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._told_at: float | None = None
        self._telling: set[asyncio.Task[None]] = set()

    def painter_lost(self, why: str) -> None:
        """A job lost its painting process: that one died, fell silent or did not start."""
        now = time.monotonic()
        self._deaths.append(now)
        too_many = len(self._deaths) == DEATHS and now - self._deaths[0] <= WITHIN_SECONDS
        if not too_many or self._is_silent(now):
            return
        self._told_at = now
        log.error("painter_keeps_dying", deaths=DEATHS, why=why)
        for owner in self.owners:
            task = asyncio.create_task(self._tell(owner, why))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    def _is_silent(self, now: float) -> bool:
        return self._told_at is not None and now - self._told_at < SILENT_SECONDS

    async def _tell(self, owner: int, why: str) -> None:
        text = _TEXT.format(
            count=DEATHS, minutes=round(WITHIN_SECONDS / 60), why=html.escape(scrub(why))
        )
        try:
            await self._bot.send_message(owner, text)
        except (TelegramAPIError, ClientDecodeError) as error:
            # Owners who never wrote to the bot cannot be written to.
            log.warning("owner_not_told", owner=owner, why=str(error))
