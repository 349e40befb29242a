"""What the process that paints does (`python -m impasto.painting`).

It reads messages from standard input and answers on what was standard output, one JSON object a
line (`impasto.messages`). A thread listens, so that a cancellation is heard while the main thread
paints. When the parent goes away, input ends and so does this process.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import structlog
from PIL import Image

from impasto.contracts import PaintOptions
from impasto.errors import (
    ChatError,
    ImpastoError,
    OwnerError,
    PictureError,
    PluginError,
    described,
    is_of_machine,
)
from impasto.logs import configure_logging
from impasto.memory import return_free_memory, return_large_blocks, unreclaimable_bytes
from impasto.messages import (
    MACHINE_FAILS,
    PAINTING_FAILED,
    PLUGIN_FAILED,
    TOO_LITTLE_MEMORY,
    Failed,
    Failure,
    Message,
    Paint,
    Painted,
    PresetFile,
    Ready,
    Stopped,
    Thumbnail,
    TrialOver,
    Try,
)
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.painting.painter import Painting, PaintRequest, paint, warm
from impasto.painting.pictures import open_picture
from impasto.painting.plugin_calls import OUT_OF_MEMORY
from impasto.painting.process.mailbox import Mailbox
from impasto.painting.process.pace import measured_pace
from impasto.painting.process.progress import Reporter, speaking, write_jpeg
from impasto.painting.threads import end_threads
from impasto.painting.thumbnails import SIZE, ThumbnailStyle, thumbnails
from impasto.settings import Settings

log = structlog.get_logger(__name__)

RESULT_NAME = "result.jpg"
RESULT_QUALITY = 100
"""The highest of JPEG: people are sent this file when they ask for full quality."""


THUMBNAIL_QUALITY = 90


class Child:
    """Paints job after job and tells the parent."""

    def __init__(
        self,
        catalogue: Catalogue,
        mailbox: Mailbox,
        say: Callable[[Message], None],
        presets: Sequence[PresetFile],
        *,
        measures: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._mailbox = mailbox
        self._say = say
        self._cold = list(reversed(presets))
        self._measures = measures
        self._why_not_fine: str | None = None

    def run(self) -> NoReturn:
        """Until the parent closes the input, which ends the process."""
        defaults = self._catalogue.settings.painting
        device = self._catalogue.device(defaults.device)
        # What is missing fails now and not at each picture; the network is loaded now, too.
        self._catalogue.optimizer(defaults.optimizer)
        self._catalogue.network(defaults.network, device)
        self._why_not_fine = self._catalogue.why_not_fine()
        if self._why_not_fine is not None:
            log.info("no_fine_pictures", why=self._why_not_fine)
        self._mailbox.listen()
        self._say(
            Ready(
                pid=os.getpid(),
                device=device.name,
                failed_plugins=self._catalogue.host.failed,
                offers_fine=self._why_not_fine is None,
            )
        )
        if self._measures:
            self._say(measured_pace(self._catalogue))
        _rest()
        while True:
            while self._cold and self._mailbox.is_empty():
                self._warm(self._cold.pop())
                _rest()
            wanted = self._mailbox.next()
            if isinstance(wanted, Try):
                self._try(wanted)
                _rest()
                self._say(TrialOver(trial_id=wanted.trial_id))
                continue
            outcome = self._answer(wanted)
            _rest()
            self._say(outcome.model_copy(update={"rests_in": unreclaimable_bytes()}))

    def _warm(self, preset: PresetFile) -> None:
        """Computes a preset's Gram matrices before somebody picks it."""
        try:
            cap = self._catalogue.device(self._default_device).max_pixels()
            warm(open_picture(preset.path, cap), preset.options, self._catalogue)
        except Exception as error:  # who picks it will be told
            log.warning("preset_not_ready", preset=preset.path.name, problem=described(error))

    def _try(self, trial: Try) -> None:
        """Paints thumbnails until there is something else to do. What goes wrong is told in the log
        alone: whoever picks one of the styles will be told."""

        def is_over() -> bool:
            return self._mailbox.is_dropped(trial.trial_id) or not self._mailbox.is_empty()

        try:
            photo = open_picture(trial.photo, SIZE**2)
            styles = [
                ThumbnailStyle(name=style.name, picture=style.path, options=style.options)
                for style in trial.styles
            ]
            for name, picture in thumbnails(photo, styles, self._catalogue, stop=is_over):
                self._say(Thumbnail(trial_id=trial.trial_id, name=name, jpeg=_packed(picture)))
        except Exception as error:
            log.warning("trial_failed", problem=described(error))

    def _answer(self, job: Paint) -> Painted | Stopped | Failed:
        """Paints one job; whatever goes wrong becomes a Failed that names who can help."""
        try:
            return self._paint(job)
        except ChatError as error:
            return _failed(job, Failure(code=error.code, sentence=str(error), facts=error.facts))
        except PluginError as error:
            blame = {"plugin": error.plugin, "why": error.problem}
            return _failed(job, PLUGIN_FAILED.model_copy(update={"facts": blame}), error.plugin)
        except OwnerError as error:
            return _failed(job, PAINTING_FAILED.model_copy(update={"sentence": str(error)}))
        except OUT_OF_MEMORY as error:
            log.warning("too_little_memory", job=job.job_id, why=str(error))
            return _failed(job, TOO_LITTLE_MEMORY)
        except Exception as error:
            failure = PAINTING_FAILED.model_copy(update={"sentence": described(error)})
            if is_of_machine(error):
                number = {"errno": getattr(error, "errno", 0)}
                failure = failure.model_copy(update={"code": MACHINE_FAILS, "facts": number})
            return _failed(job, failure)

    def _paint(self, job: Paint) -> Painted | Stopped:
        cap = self._catalogue.device(job.options.device or self._default_device).max_pixels()
        options = self._possible(self._capped(job.options, cap))
        wanted = options.max_pixels or cap
        request = PaintRequest(
            content=open_picture(job.content, wanted),
            styles=[(_open_style(style.path, wanted), style.weight) for style in job.styles],
            options=options,
        )
        reporter = Reporter(job, self._catalogue.settings.painting.preview_seconds, self._say)
        events = paint(
            request, self._catalogue, finish_now=lambda: self._mailbox.is_to_finish(job.job_id)
        )
        for event in events:
            if isinstance(event, Painting):
                return self._saved(job, event)
            if self._mailbox.is_cancelled(job.job_id):
                break
            reporter.report(event)
        return Stopped(job_id=job.job_id)

    def _capped(self, options: PaintOptions, cap: int) -> PaintOptions:
        """The options with as many pixels as asked for, within what the settings allow; `cap` is
        the device's."""
        most = int(cap * self._catalogue.settings.painting.large_factor)
        if options.max_pixels is None or options.max_pixels <= most:
            return options
        return options.model_copy(update={"max_pixels": most})

    def _possible(self, options: PaintOptions) -> PaintOptions:
        """The options without a finish that cannot be had here: what was accepted, on another
        machine or before the network was gone, is better painted as usual than not at all."""
        if not options.fine or self._why_not_fine is None:
            return options
        log.warning("picture_not_fine", why=self._why_not_fine)
        return options.model_copy(update={"fine": False})

    @property
    def _default_device(self) -> str:
        return self._catalogue.settings.painting.device

    def _saved(self, job: Paint, painting: Painting) -> Painted:
        result = job.folder / RESULT_NAME
        write_jpeg(painting.picture, result, RESULT_QUALITY)
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
        )


def _open_style(path: Path, wanted_pixels: int) -> Image.Image:
    try:
        return open_picture(path, wanted_pixels)
    except PictureError as error:
        error.facts["role"] = "style"  # the sentence in the chat must say which picture it means
        raise


def _rest() -> None:
    """Gives back what the last picture took, also what is kept for its size only."""
    end_threads()
    return_free_memory()


def _packed(thumbnail: Image.Image) -> bytes:
    packed = io.BytesIO()
    thumbnail.save(packed, "JPEG", quality=THUMBNAIL_QUALITY)
    return packed.getvalue()


def _failed(job: Paint, failure: Failure, plugin: str | None = None) -> Failed:
    code, problem = failure.code, failure.sentence
    log.warning("job_failed", job=job.job_id, code=code, problem=problem, exc_info=True)
    detail = traceback.format_exc()
    return Failed(job_id=job.job_id, failure=failure, plugin=plugin, detail=detail)


def main() -> int:
    """Takes over standard input and output for messages; prints of plugins go to the log."""
    # Ctrl-C reaches the whole terminal; the parent decides when its painter ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mailbox = Mailbox(sys.stdin.buffer)
    configuration = mailbox.configuration()
    settings = Settings.model_validate(configuration.settings)
    configure_logging(settings.log)
    return_large_blocks()
    with speaking() as say:
        try:
            catalogue = load_catalogue(settings)
            presets, measures = configuration.presets, configuration.measure
            Child(catalogue, mailbox, say, presets, measures=measures).run()
        except ImpastoError as error:
            log.error("painting_child_cannot_start", problem=str(error))
            return 1
    return 0
