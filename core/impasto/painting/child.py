"""The process that paints: `python -m impasto.painting.child`.

It reads messages from standard input and answers on what was standard output, one JSON object a
line (`impasto.messages`). A thread listens, so that a cancellation is heard while the main thread
paints. When the parent goes away, input ends and so does this process.
"""

from __future__ import annotations

import io
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, NoReturn

import structlog
from PIL import Image
from pydantic import ValidationError

from impasto.contracts import PaintOptions
from impasto.errors import (
    FULL_DISK,
    ChatError,
    ImpastoError,
    OwnerError,
    PictureError,
    PluginError,
)
from impasto.logs import configure_logging
from impasto.messages import (
    DISK_FULL,
    Cancel,
    Configure,
    Failed,
    Finish,
    Message,
    Paint,
    Painted,
    PluginStatus,
    PresetFile,
    Progress,
    Ready,
    Stopped,
    encode,
    to_child,
)
from impasto.painting.finish import why_not_fine
from impasto.painting.footprint import return_large_blocks, tidy
from impasto.painting.iterates import OUT_OF_MEMORY
from impasto.painting.painter import Painting, PaintProgress, PaintRequest, paint
from impasto.painting.pictures import open_picture
from impasto.painting.toolbox import Toolbox, load_toolbox
from impasto.settings import Settings

log = structlog.get_logger(__name__)

PROGRESS_SECONDS = 0.5
"""Least time between two progress messages without a preview."""
FIRST_PREVIEW_SECONDS = 0.4
"""After so long the coarsest level shows what becomes of the photo."""
RESULT_NAME = "result.jpg"
PREVIEW_NAME = "preview-{step}.jpg"


class _Mailbox:
    """What the parent wants: jobs in order, and cancellations as soon as they come."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._jobs: queue.SimpleQueue[Paint] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._to_finish: set[str] = set()
        self._listener = threading.Thread(target=self._listen, name="mailbox", daemon=True)

    def configuration(self) -> Configure:
        """The first message. Raises ValueError when the parent says something else."""
        first = to_child.validate_json(self._source.readline())
        if not isinstance(first, Configure):
            raise ValueError(f"the first message must be configure, not {first.kind}")
        return first

    def listen(self) -> None:
        """From here on the process ends when the parent closes its end."""
        self._listener.start()

    def next_job(self) -> Paint:
        """Waits for a job."""
        return self._jobs.get()

    def is_empty(self) -> bool:
        """Whether there is no job to be painted."""
        return self._jobs.empty()

    def is_cancelled(self, job_id: str) -> bool:
        return job_id in self._cancelled

    def is_to_finish(self, job_id: str) -> bool:
        return job_id in self._to_finish

    def _listen(self) -> None:
        for line in self._source:
            try:
                message = to_child.validate_json(line)
            except ValidationError as error:
                log.error("message_not_understood", problems=error.error_count())
                continue
            if isinstance(message, Paint):
                self._jobs.put(message)
            elif isinstance(message, Cancel):
                self._cancelled.add(message.job_id)
            elif isinstance(message, Finish):
                self._to_finish.add(message.job_id)
        # The parent is done with us or dead. Either way nobody takes the picture in the making.
        os._exit(0)


class Child:
    """Paints job after job and tells the parent."""

    def __init__(
        self, toolbox: Toolbox, mailbox: _Mailbox, answers: BinaryIO, presets: Sequence[PresetFile]
    ) -> None:
        self._toolbox = toolbox
        self._mailbox = mailbox
        self._answers = answers
        self._cold = list(reversed(presets))
        self._why_not_fine: str | None = None

    def run(self) -> NoReturn:
        """Until the parent closes the input, which ends the process."""
        defaults = self._toolbox.settings.painting
        device = self._toolbox.device(defaults.device)
        self._toolbox.optimizer(defaults.optimizer)  # missing is told now, not at each picture
        self._toolbox.network(defaults.network, device)  # warm: not on somebody's first picture
        self._why_not_fine = why_not_fine(self._toolbox)
        if self._why_not_fine is not None:
            log.info("no_fine_pictures", why=self._why_not_fine)
        self._mailbox.listen()
        self._say(
            Ready(
                pid=os.getpid(),
                device=device.name,
                plugins=[
                    PluginStatus(
                        name=r.name,
                        version=r.version,
                        origin=r.origin,
                        hooks=r.hooks,
                        error=r.error,
                    )
                    for r in self._toolbox.host.records
                ],
                offers=self._toolbox.offers,
                offers_fine=self._why_not_fine is None,
            )
        )
        while True:
            tidy()
            while self._cold and self._mailbox.is_empty():
                self._warm(self._cold.pop())
            self._say(self._answer(self._mailbox.next_job()))

    def _warm(self, preset: PresetFile) -> None:
        """Has a preset's targets ready before somebody picks it."""
        try:
            cap = self._toolbox.device(self._default_device).max_pixels()
            options = PaintOptions(brush_size=preset.brush_size, max_pixels=cap)
            self._toolbox.warm(open_picture(preset.path, cap), options)
        except ImpastoError as error:  # who picks it will be told
            log.warning("preset_not_ready", preset=preset.path.name, problem=str(error))

    def _answer(self, job: Paint) -> Painted | Stopped | Failed:
        """Paints one job; whatever goes wrong becomes a Failed that names who can help."""
        try:
            return self._paint(job)
        except ChatError as error:
            return _failed(job, error.code, str(error), error.facts)
        except PluginError as error:
            self._toolbox.host.note(error.plugin, "painting", error.problem)
            return _failed(
                job, "plugin_failed", str(error), {"plugin": error.plugin}, plugin=error.plugin
            )
        except OwnerError as error:
            return _failed(job, "painting_failed", str(error))
        except OUT_OF_MEMORY as error:
            return _failed(job, "out_of_memory", f"not enough memory for this picture: {error}")
        except Exception as error:
            is_full = isinstance(error, OSError) and error.errno in FULL_DISK
            code = DISK_FULL if is_full else "painting_failed"
            return _failed(job, code, f"{type(error).__name__}: {error}")

    def _paint(self, job: Paint) -> Painted | Stopped:
        options = self._possible(self._capped(job.options))
        wanted = options.max_pixels
        assert wanted is not None  # noqa: S101  (`_capped` fills it in)
        request = PaintRequest(
            content=open_picture(job.content, wanted),
            styles=[(_open_style(style.path, wanted), style.weight) for style in job.styles],
            options=options,
        )
        reporter = _Reporter(job, self._toolbox.settings.painting.preview_seconds, self._say)
        events = paint(
            request, self._toolbox, finish_now=lambda: self._mailbox.is_to_finish(job.job_id)
        )
        for event in events:
            if isinstance(event, Painting):
                return self._saved(job, event)
            if self._mailbox.is_cancelled(job.job_id):
                break
            reporter.report(event)
        return Stopped(job_id=job.job_id)

    def _capped(self, options: PaintOptions) -> PaintOptions:
        """The options with as many pixels as asked for, within what the settings allow."""
        cap = self._toolbox.device(options.device or self._default_device).max_pixels()
        most = int(cap * self._toolbox.settings.painting.large_factor)
        return options.model_copy(update={"max_pixels": min(options.max_pixels or cap, most)})

    def _possible(self, options: PaintOptions) -> PaintOptions:
        """The options without a finish that cannot be had here: what was accepted, on another
        machine or before the network was gone, is better painted as usual than not at all."""
        if not options.fine or self._why_not_fine is None:
            return options
        log.warning("picture_not_fine", why=self._why_not_fine)
        return options.model_copy(update={"fine": False})

    @property
    def _default_device(self) -> str:
        return self._toolbox.settings.painting.device

    def _saved(self, job: Paint, painting: Painting) -> Painted:
        result = job.folder / RESULT_NAME
        _write(painting.picture, result, quality=95)
        return Painted(
            job_id=job.job_id,
            result=result,
            width=painting.picture.width,
            height=painting.picture.height,
            steps=painting.steps,
            seconds=painting.seconds,
            device=painting.device,
            network=painting.network,
            fine_network=painting.fine_network,
            offers_fine=self._why_not_fine is None,
            reduced=painting.reduced,
            style_loss=painting.losses.style,
            content_loss=painting.losses.content,
        )

    def _say(self, message: Message) -> None:
        self._answers.write(encode(message))
        self._answers.flush()


class _Reporter:
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
        """Called after each step. The first of a finer level shows what the coarser came to."""
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
                seconds=event.seconds,
                seconds_left=_seconds_left(self._first, event),
                preview=preview,
            )
        )

    def _preview_of(self, event: PaintProgress) -> Path | None:
        """None where it cannot be written: the picture is worth more than a look at it."""
        path = self._job.folder / PREVIEW_NAME.format(step=event.step)
        try:
            _write(event.picture(), path, quality=85)
        except OSError as error:
            log.warning("preview_not_written", job=self._job.job_id, why=str(error))
            return None
        return path


def _seconds_left(first: PaintProgress, now: PaintProgress) -> float | None:
    """By the pace since the first step, which took what all beginnings take."""
    done = now.share - first.share
    return (1 - now.share) * (now.seconds - first.seconds) / done if done > 0 else None


def _open_style(path: Path, wanted_pixels: int) -> Image.Image:
    try:
        return open_picture(path, wanted_pixels)
    except PictureError as error:
        error.facts["role"] = "style"  # the sentence in the chat must say which picture it means
        raise


def _write(picture: Image.Image, path: Path, quality: int) -> None:
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


def _failed(
    job: Paint,
    code: str,
    sentence: str,
    facts: Mapping[str, str | int] = MappingProxyType({}),
    plugin: str | None = None,
) -> Failed:
    log.warning("job_failed", job=job.job_id, code=code, problem=sentence, exc_info=True)
    return Failed(
        job_id=job.job_id,
        code=code,
        sentence=sentence,
        facts=dict(facts),
        plugin=plugin,
        detail=traceback.format_exc(),
    )


def main() -> int:
    """Takes over standard input and output for messages; prints of plugins go to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Ctrl-C reaches the whole terminal; the parent decides when its painter ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mailbox = _Mailbox(sys.stdin.buffer)
    configuration = mailbox.configuration()
    settings = Settings.model_validate(configuration.settings)
    configure_logging(settings.log)
    return_large_blocks()
    try:
        toolbox = load_toolbox(settings)
        toolbox.host.keep_troubles_in(settings.state_dir)
        Child(toolbox, mailbox, answers, configuration.presets).run()
    except ImpastoError as error:
        log.error("painting_child_cannot_start", problem=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
