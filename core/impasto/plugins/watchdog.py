"""Names the plugin that blocks the bot's event loop: while it does, nobody is answered.

A thread looks at what the loop's thread is doing whenever the loop has not shown a sign of life
for `patience` seconds. It names the plugin and the line; it ends nothing.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from types import FrameType

import structlog

from impasto.plugins.host import PluginHost

log = structlog.get_logger(__name__)

NOBODY = "the program itself"


class LoopWatchdog:
    """Watches the event loop that it is entered in, as an async context manager."""

    def __init__(self, host: PluginHost, patience: float) -> None:
        self._host = host
        self._patience = max(patience, 0.01)
        self._alive_at = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop watchdog", daemon=True)
        self._timer: asyncio.TimerHandle | None = None
        self._watched = 0

    async def __aenter__(self) -> LoopWatchdog:
        self._watched = threading.get_ident()
        self._live()
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end.set()
        if self._timer is not None:
            self._timer.cancel()
        self._thread.join()

    def _live(self) -> None:
        self._alive_at = time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(self._patience / 4, self._live)

    def _watch(self) -> None:
        told = 0.0
        while not self._end.wait(self._patience / 2):
            alive_at = self._alive_at
            if time.monotonic() - alive_at > self._patience and alive_at != told:
                told = alive_at  # once for each time that it is blocked
                self._tell(sys._current_frames().get(self._watched))

    def _tell(self, frame: FrameType | None) -> None:
        lines: list[tuple[str, int]] = []
        while frame is not None:
            lines.append((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        record = self._host.plugin_of_files(file for file, _ in lines)
        own = record.has_file([file for file, _ in lines]) if record else None
        file, number = next((line for line in lines if line[0] == own), lines[0])
        plugin = record.name if record else NOBODY
        log.warning("loop_blocked", plugin=plugin, where=f"{file}:{number}", longer=self._patience)
        if record is not None:
            self._host.note(
                record, "event loop", f"blocked it for longer than {self._patience:g} s"
            )
