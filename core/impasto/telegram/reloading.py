"""Other settings for a running bot: what can be taken over at once is, the rest is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from impasto.contracts import StylePreset
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto.settings.description import merged

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a reload may have changed."""

    settings: Settings
    """As before, but for the settings that are taken over."""
    presets: Sequence[StylePreset]


Taker = Callable[[Renewed], None]


class Reloading:
    """Hands what has changed to all who asked for it with `on_change`."""

    def __init__(self, settings: Settings, host: PluginHost) -> None:
        self._settings = settings
        self._host = host
        self._takers: list[Taker] = []

    def on_change(self, taker: Taker) -> None:
        self._takers.append(taker)

    async def follow(self, changes: asyncio.Queue[Settings]) -> None:
        """Takes over whatever settings come, until cancelled."""
        while True:
            self.take(await changes.get())

    def take(self, wanted: Settings) -> None:
        """Takes over what of these settings can be, and the styles as they are now."""
        self._settings, taken, left = merged(self._settings, wanted)
        presets = self._host.collect("impasto_styles", StylePreset, settings=self._settings)
        for taker in self._takers:
            try:
                taker(Renewed(self._settings, presets))
            except Exception:
                log.exception("change_not_taken_over")
        log.info("settings_reloaded", changed=taken, styles=len(presets))
        if left:
            log.warning("settings_need_a_restart", settings=left)
