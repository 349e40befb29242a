"""The owners hear in the chat when painting processes keep dying under jobs, and when the disk is
full: who reads a log all day? A process that dies idle harms nobody and is in the log alone."""

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
"""After an alarm there is none of its kind for so long: the owners know."""

_DISK_FULL: Final = (
    "⚠️ The disk is full; pictures wait until there is room: {why}. "
    "<code>impasto doctor</code> says where.\n\n"
    "⚠️ Диск заполнен; картины ждут, пока не появится место."
)
_PAINTER_DIES: Final = (
    "⚠️ The painting process has died {count} times within {minutes} minutes; pictures wait or "
    "fail. The last time: {why}. <code>impasto doctor</code> may know more.\n\n"
    "⚠️ Процесс рисования упал {count} раза за {minutes} минут; картины ждут или не выходят."
)


class OwnerAlerts:
    """Tells all owners that the disk is full, and of deaths once there are too many."""

    def __init__(self, bot: Bot, owners: Sequence[int]) -> None:
        self._bot = bot
        self.owners = tuple(owners)
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._told_at: dict[str, float] = {}
        """When there was an alarm last, by its text."""
        self._telling: set[asyncio.Task[None]] = set()

    def painter_lost(self, why: str) -> None:
        """A job lost its painting process: that one died, fell silent or did not start."""
        now = time.monotonic()
        self._deaths.append(now)
        too_many = len(self._deaths) == DEATHS and now - self._deaths[0] <= WITHIN_SECONDS
        if too_many and self._may_sound(_PAINTER_DIES):
            log.error("painter_keeps_dying", deaths=DEATHS, why=why)
            self._sound(_PAINTER_DIES, why)

    def disk_full(self, why: str) -> None:
        """A job was put off for want of room."""
        if self._may_sound(_DISK_FULL):
            log.error("disk_full", why=why)
            self._sound(_DISK_FULL, why)

    def _may_sound(self, alarm: str) -> bool:
        told_at = self._told_at.get(alarm, float("-inf"))
        return time.monotonic() - told_at >= SILENT_SECONDS

    def _sound(self, alarm: str, why: str) -> None:
        self._told_at[alarm] = time.monotonic()
        text = alarm.format(
            count=DEATHS, minutes=round(WITHIN_SECONDS / 60), why=html.escape(scrub(why))
        )
        for owner in self.owners:
            task = asyncio.create_task(self._tell(owner, text))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, owner: int, text: str) -> None:
        try:
            await self._bot.send_message(owner, text)
        except (TelegramAPIError, ClientDecodeError) as error:
            # Owners who never wrote to the bot cannot be written to.
            log.warning("owner_not_told", owner=owner, why=str(error))
