"""The painting child, driven as the bot drives it: its start, first preview, time and memory."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from impasto.jobs.painter_process import ChildLost, PaintingChild
from impasto.messages import Configure, Ended, Paint, Painted, Progress, StyleFile
from impasto.plugins import settings_for_painting
from impasto.settings import Settings

from .machine import MemoryWatch, by_process, cpu_seconds, unreclaimable_mb
from .processes import MeasurementFailed
from .subjects import Painter, SharedData

PATIENCE = 1800.0
"""Seconds without a word from the child after which something is wrong."""
IDLE_CPU_SECONDS = 0.05
CONTENT, STYLE = "tubingen", "starry_night"


@dataclass(frozen=True, slots=True)
class WorkerRun:
    """A painter and the side of a square photo, painted once in a fresh process."""

    painter: Painter
    side: int

    def measure(self, shared: SharedData, threads: int) -> dict[str, Any]:
        """Raises MeasurementFailed."""
        try:
            return asyncio.run(self._measure(shared, threads))
        except ChildLost as loss:
            raise MeasurementFailed(str(loss)) from loss

    async def _measure(self, shared: SharedData, threads: int) -> dict[str, Any]:
        request = self.painter.request(shared.vgg, self.side**2, threads)
        settings = Settings.model_validate(request["settings"])
        configure = Configure(settings=settings_for_painting(settings))
        begin = time.perf_counter()
        child = await PaintingChild.start(configure, silence=PATIENCE)
        started = time.perf_counter() - begin
        try:
            await until_idle(child.pid)
            idle_mb = unreclaimable_mb(child.pid)
            with (
                tempfile.TemporaryDirectory() as folder,
                MemoryWatch(lambda: by_process(child.pid)) as memory,
            ):
                painted = await _timed(child, self._job(shared, request["options"], Path(folder)))
        finally:
            await child.close()
        return {
            "start_seconds": started,
            "idle_mb": idle_mb,
            "peak_mb": sum(memory.peak.values()),
            **painted,
        }

    def _job(self, shared: SharedData, options: Mapping[str, Any], folder: Path) -> Paint:
        """A photo of just the size, and a style as it comes."""
        with Image.open(shared.photo(CONTENT)) as picture:
            photo = picture.convert("RGB").resize((self.side, self.side), Image.Resampling.LANCZOS)
        photo.save(folder / "content.jpg", quality=95)
        return Paint.model_validate(
            {
                "job_id": "measured",
                "content": folder / "content.jpg",
                "styles": [StyleFile(path=shared.style(STYLE))],
                "options": dict(options),
                "folder": folder,
            }
        )


async def until_idle(pid: int) -> None:
    """Waits until a process has used next to no CPU for a second: a warm one has nothing left to
    make ready."""
    before = -1.0
    while (now := cpu_seconds(pid)) > before + IDLE_CPU_SECONDS:
        before = now
        await asyncio.sleep(1)


async def _timed(child: PaintingChild, paint: Paint) -> dict[str, Any]:
    """Paints one job. Seconds count from the moment the child is told."""
    begin = time.perf_counter()
    child.tell(paint)
    preview: float | None = None
    while True:
        message = await child.receive(PATIENCE)
        seconds = time.perf_counter() - begin
        if isinstance(message, Painted):
            return {
                "seconds": seconds,
                "first_preview_seconds": preview,
                "painted_pixels": message.width * message.height,
            }
        if isinstance(message, Ended):
            raise MeasurementFailed(f"the child answered {message}")
        if isinstance(message, Progress) and preview is None and message.preview is not None:
            preview = seconds
