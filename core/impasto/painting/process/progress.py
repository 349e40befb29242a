"""What the parent is told: which plugin's code runs and, while a picture is painted, progress and
previews; saving pictures."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from PIL import Image

from impasto.messages import Entered, Message, Paint, Progress, encode
from impasto.painting.painter import PaintProgress
from impasto.plugins.containment import (
    Place,
    contained_program,
    standard_output_to_log,
    tell_of_plugins,
)

log = structlog.get_logger(__name__)

PROGRESS_SECONDS = 0.5
"""Least time between two progress messages without a preview."""
FIRST_PREVIEW_SECONDS = 0.4
"""Time after which the smallest level is shown as a first preview."""
PREVIEW_NAME = "preview-{step}.jpg"


@contextlib.contextmanager
def speaking() -> Iterator[Callable[[Message], None]]:
    """Takes over standard output for messages; yields what says one. Whenever a plugin's code
    begins to run or ends, an Entered is said; what plugins print is logged."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    end_process = os._exit  # below, that of `os` raises where a plugin's code has been entered

    def say(message: Message) -> None:
        try:
            answers.write(encode(message))  # whole, also where several threads say something
            answers.flush()
        except BrokenPipeError:
            end_process(0)  # the parent has died, as `Mailbox` notices, too

    def tell(thread: int, place: Place | None) -> None:
        say(Entered(thread=thread, **(place._asdict() if place is not None else {})))

    with contained_program(), standard_output_to_log():
        tell_of_plugins(tell)
        yield say


class Reporter:
    """Turns optimizer steps into progress messages: not each step, and previews when due."""

    def __init__(self, job: Paint, preview_seconds: float, say: Callable[[Message], None]) -> None:
        self._job = job
        self._preview_seconds = preview_seconds
        self._say = say
        self._level = 1
        self._last_message = time.monotonic()
        self._next_preview = self._last_message + FIRST_PREVIEW_SECONDS
        self._first: PaintProgress | None = None

    def report(self, event: PaintProgress) -> None:
        """Called after each step. The first step of a level is shown: it is the result of the level
        below."""
        now = time.monotonic()
        self._first = self._first or event
        preview = None
        if event.level > self._level or now >= self._next_preview:
            preview = self._preview_of(event)
            self._level, self._next_preview = event.level, now + self._preview_seconds
        elif now - self._last_message < PROGRESS_SECONDS:
            return
        self._last_message = now
        self._say(
            Progress(
                job_id=self._job.job_id,
                step=event.step,
                steps=event.steps,
                level=event.level,
                levels=event.levels,
                share=event.share,
                pixels=event.pixels,
                seconds=event.seconds,
                seconds_left=_seconds_left(self._first, event),
                preview=preview,
            )
        )

    def _preview_of(self, event: PaintProgress) -> Path | None:
        """The file of a preview; None where it cannot be written, as painting goes on without."""
        path = self._job.folder / PREVIEW_NAME.format(step=event.step)
        try:
            write_jpeg(event.picture(), path, quality=85)
        except OSError as error:
            log.warning("preview_not_written", job=self._job.job_id, why=str(error))
            return None
        return path


def _seconds_left(first: PaintProgress, now: PaintProgress) -> float | None:
    """An estimate by the pace since the first step, whose own time is spent on starting."""
    done = now.share - first.share
    return (1 - now.share) * (now.seconds - first.seconds) / done if done > 0 else None


def write_jpeg(picture: Image.Image, path: Path, quality: int) -> None:
    """A JPEG that is on the disk, whole, when this returns: written aside, synced, renamed."""
    packed = io.BytesIO()  # Pillow overlooks it when a file takes only a part
    picture.save(packed, "JPEG", quality=quality, subsampling=0)
    unfinished = path.with_suffix(".part")
    try:
        with unfinished.open("wb") as file:
            file.write(packed.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
