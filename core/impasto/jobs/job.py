"""A job: one photo to be painted for one person, its states and what may follow what.

    accepted --> running --> painted --> delivered
       ^  |        | | `---> failed  --> explained
       |  |        | `-----> cancelled
       `--+--------'
    any state before the end may also go to abandoned: the person blocked the bot or is gone
    painted goes back to accepted when its picture was lost with the machine that painted it

`painted` and `failed` are not ends: the person has not been told yet. `cancelled` is one, so that
it stands in nobody's way, but remains `is_untold` until the chat shows it. What is told is made
repeatable by `status_message`, the message in the chat that shows this job.
"""

from __future__ import annotations

import contextlib
import json
import math
import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from impasto.contracts import PaintOptions
from impasto.errors import InvalidTransition
from impasto.messages import PAINTING_FAILED, Failure

log = structlog.get_logger(__name__)


LONGEST_PUT_OFF = timedelta(hours=1)


class JobState(StrEnum):
    ACCEPTED = "accepted"
    """In the journal, waiting to be painted."""
    RUNNING = "running"
    """Being painted."""
    PAINTED = "painted"
    """The picture is on the disk, not yet in the chat."""
    DELIVERED = "delivered"
    """The picture is in the chat."""
    FAILED = "failed"
    """Cannot be painted; the person has not been told why yet."""
    EXPLAINED = "explained"
    """Cannot be painted; the person knows why."""
    CANCELLED = "cancelled"
    """The person has stopped it."""
    ABANDONED = "abandoned"
    """Nobody is left to tell."""

    @property
    def is_final(self) -> bool:
        """Whether no other state may follow."""
        return not FOLLOWERS[self]

    @property
    def is_in_the_works(self) -> bool:
        """Waiting or being painted."""
        return self in (JobState.ACCEPTED, JobState.RUNNING)


FOLLOWERS: dict[JobState, set[JobState]] = {
    JobState.ACCEPTED: {JobState.RUNNING, JobState.FAILED, JobState.CANCELLED, JobState.ABANDONED},
    JobState.RUNNING: {
        JobState.ACCEPTED,
        JobState.PAINTED,
        JobState.FAILED,
        JobState.CANCELLED,
        JobState.ABANDONED,
    },
    JobState.PAINTED: {JobState.ACCEPTED, JobState.DELIVERED, JobState.FAILED, JobState.ABANDONED},
    JobState.FAILED: {JobState.EXPLAINED, JobState.ABANDONED},
    JobState.DELIVERED: set(),
    JobState.EXPLAINED: set(),
    JobState.CANCELLED: set(),
    JobState.ABANDONED: set(),
}
"""Which states may follow a state."""


class JobModel(BaseModel):
    """What a newer version has written is read by this one too, which ignores what it does not
    know. A change of which that would be wrong raises the version of the storages' schemas."""

    # JSON has no infinite numbers: they would be written as null.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class TelegramPicture(JobModel):
    """A picture that Telegram keeps for the bot."""

    file_id: str
    """Telegram's, of use to this bot alone."""
    as_photo: bool = True
    """Sent as a photo (can be sent again by `file_id`), not as a file."""
    pixels: int | None = None
    """Width times height, where Telegram says it: it does so of photos only."""
    long_side: int | None = None
    """The larger of the two."""

    @property
    def sides(self) -> tuple[int, int] | None:
        """Its longer and shorter side, as far as they are known."""
        if not self.pixels:
            return None
        long_side = self.long_side or math.isqrt(self.pixels)
        return long_side, self.pixels // long_side


class ChosenStyle(JobModel):
    """A preset by name or a picture of the person's own; exactly one of the two."""

    preset: str | None = None
    """Name of a preset."""
    picture: TelegramPicture | None = None
    """The person's own."""
    weight: float = Field(default=1.0, gt=0)
    """Its share, where several are mixed; only proportions count."""

    @model_validator(mode="after")
    def _exactly_one(self) -> ChosenStyle:
        if (self.preset is None) == (self.picture is None):
            raise ValueError("a style is either a preset or a picture")
        return self


class Effort(JobModel):
    """What a painting took, from which is learned how long the next one will."""

    pixels: int
    """Of the result."""
    steps: int
    """The most that it was allowed, not what it made of them, without those that finished a fine
    picture."""
    fine_steps: int = 0
    """The most that was allowed of those."""
    seconds: float
    """Time from taking the job to the result."""
    device: str
    """Name of the device."""
    offers_fine: bool = False
    """Whether who painted it can paint fine pictures."""


PICTURE_GONE = Failure(
    code="file_gone",
    sentence="Telegram does not have this picture any more; please send it again.",
)

JOB_VANISHED = Failure(
    code="job_vanished",
    sentence="This picture got lost on the way; please send it again.",
)
"""It is gone from the journal: a Redis was emptied, or a replica that lagged has taken over."""

PHOTOS_FORBIDDEN = Failure(
    code="photos_forbidden",
    sentence="The bot may not send photos in this group; one of its admins can allow it.",
)


def new_job_id() -> str:
    """64 random bits in 11 URL-safe characters: short for callback data, yet not to be guessed."""
    return secrets.token_urlsafe(8)


class Job(JobModel):
    """One row of the journal. Jobs are values: the journal changes them, nobody else."""

    id: str = Field(default_factory=new_job_id)
    """Short and not to be guessed; it travels in callback data."""
    person: int
    """Telegram's id of the user who asked."""
    chat: int
    """Where it was asked for and is answered."""
    thread: int | None = None
    """The topic of the chat, a forum say, that everything about it is sent to."""
    language: str = "en"
    """Of the messages about it: a code such as `en`."""
    content: TelegramPicture
    """The photo."""
    styles: tuple[ChosenStyle, ...] = Field(min_length=1)
    """One, or several to be mixed."""
    options: PaintOptions = PaintOptions()
    """How it is painted; what is None there is taken from the settings."""
    wishes: dict[str, str | bool] = Field(default_factory=dict)
    """The choices that led to `options`, in the dialog's own terms; the core does not read them."""
    reply_to: int | None = None
    """The message that the status message answers; set in groups."""
    state: JobState = JobState.ACCEPTED
    """Where it is on its way."""
    accepted_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    """UTC."""
    changed_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    """When it came into its state; UTC."""
    attempts: int = 0
    """How often it was claimed by a worker and not handed back in good order."""
    deaths: int = 0
    """How often the painting process died under it."""
    fetches_failed: int = 0
    """How often Telegram did not give its pictures, and gave others."""
    not_before: datetime | None = None
    """It is not to be claimed earlier; see `is_put_off`."""
    origin: str | None = None
    """What asked for it, unique among jobs: asking twice (a replayed update) gives the same job."""
    status_message: int | None = None
    """The message in the chat that shows this job; None until it was sent."""
    status_has_picture: bool = False
    """Whether that message shows a preview or the result by now."""
    later_message: int | None = None
    """A message that came into the chat later than some status message: where that is still the
    one, it is out of view."""
    result_message: int | None = None
    """The message that was chosen for the finished picture, before it is shown there."""
    has_said_ready: bool = False
    """That message came new and notified, as the status message was out of view."""
    finish_early: bool = False
    """The person wants the picture as it is by now."""
    result: Path | None = None
    """The finished picture in full quality, on the disk of the machine that painted it, while it is
    kept."""
    photo_id: str | None = None
    """Telegram's `file_id` of the finished picture in the chat."""
    file_id: str | None = None
    """The same of the full-quality file, once it was sent."""
    file_caption: str | None = None
    """What is to stand below the full-quality file, while a bot on another machine waits for it."""
    seconds: float | None = None
    """Time the painting took."""
    steps: int | None = None
    """Optimizer steps that it took."""
    effort: Effort | None = None
    """What the painting took; None before it is painted."""
    reduced: bool = False
    """Painted smaller than asked, because there was not the memory for more."""
    reduced_for_time: bool = False
    """Painted smaller than usual, to be ready within `painting.patience_seconds`."""
    shrunk: bool = False
    """The painting process died for want of memory, and `options` ask for half the pixels since."""
    failure: Failure | None = None
    """Why it failed; None where it did not."""
    is_untold: bool = False
    """It was cancelled, and its message in the chat may not say so yet."""
    is_forgotten: bool = False
    """The person had the bot forget them; see `forgotten`."""

    @field_validator("options", mode="before")
    @classmethod
    def _options_known_here(cls, options: Any) -> Any:
        """Unknown ones are forbidden elsewhere, but here a newer version may have written them."""
        if not isinstance(options, dict):
            return options
        return {name: options[name] for name in PaintOptions.model_fields if name in options}

    @property
    def is_out_of_view(self) -> bool:
        """Whether other messages came after the status message."""
        if self.status_message is None or self.later_message is None:
            return False
        return self.later_message > self.status_message

    @property
    def is_settled(self) -> bool:
        """Whether nothing remains to be done about it, neither to paint nor to tell."""
        return self.state.is_final and not self.is_untold

    @property
    def time_in_state(self) -> timedelta:
        """Since it came into its state; none where the clock was set back meanwhile."""
        return max(timedelta(), datetime.now(UTC) - self.changed_at)

    @property
    def is_put_off(self) -> bool:
        """Whether it is passed over by workers just now. A time that is far off was written before
        the clock was set back, and does not count."""
        if self.not_before is None:
            return False
        return timedelta() < self.not_before - datetime.now(UTC) <= LONGEST_PUT_OFF

    @property
    def label(self) -> str:
        """Names of its styles, fit for the name of a file."""
        return "-".join(style.preset or "own" for style in self.styles)

    def changed(self, **facts: Any) -> Job:
        """The job with these fields; of a forgotten one stays what `forgotten` says.

        With `instead_of`, which is no field, only while `status_message` is this: of two processes
        that show a job at a time, one comes second.

        Raises:
            ValueError: a job has no such field, or not such a value of it.
        """
        if facts.pop("instead_of", self.status_message) != self.status_message:
            return self
        if unknown := facts.keys() - Job.model_fields.keys():
            raise ValueError(f"a job has no {', '.join(sorted(unknown))}")
        # Validated, not copied: facts come from all over the program.
        job = Job.model_validate({**self.model_dump(), **facts})
        return job.forgotten() if job.is_forgotten else job

    def moved(self, to: JobState, **facts: Any) -> Job:
        """The job in another state from now on, with these fields.

        Raises:
            InvalidTransition: `to` may not follow the job's state.
        """
        if to not in FOLLOWERS[self.state]:
            raise InvalidTransition(f"job {self.id}: {to} may not follow {self.state}")
        return self.changed(**facts, state=to, changed_at=datetime.now(UTC))

    def claimed(self) -> Job:
        """A waiting job as a worker has it; it counts as an attempt.

        Raises:
            InvalidTransition: it does not wait, or is put off.
        """
        if self.is_put_off:
            raise InvalidTransition(f"job {self.id} is put off until {self.not_before}")
        return self.moved(JobState.RUNNING, attempts=self.attempts + 1, not_before=None)

    def forgotten(self) -> Job:
        """What stays of a final job that its person wants forgotten: that there was one, for the
        limits and the estimates, but no picture and no wish of theirs."""
        return self.model_copy(
            update={
                "content": _FORGOTTEN_PICTURE,
                "styles": (_FORGOTTEN_STYLE,),
                "options": PaintOptions(),
                "wishes": {},
                "reply_to": None,
                "result": None,
                "photo_id": None,
                "file_id": None,
                "file_caption": None,
                "is_forgotten": True,
            }
        )


_FORGOTTEN_PICTURE = TelegramPicture(file_id="")
_FORGOTTEN_STYLE = ChosenStyle(picture=_FORGOTTEN_PICTURE)

_READ_TOGETHER = (
    ("chat", "thread", "status_message", "status_has_picture", "reply_to", "is_untold"),
    ("chat",),
    ("language",),
    ("origin",),
    ("accepted_at",),
    ("changed_at",),
    ("attempts",),
)
"""Fields that mean something though others cannot be read."""


def read_job(body: str, *, job_id: str, person: int, state: str) -> Job:
    """The job that a journal has stored as JSON; the other arguments are the journal's own copies.

    Where it cannot be read, as after a fault of the disk or when a newer version has written it,
    this is what can be read of it: without pictures, so that it ends in telling its person why
    there is none.
    """
    try:
        # What is asked for by one id is not to be written by another.
        return Job.model_validate_json(body).model_copy(update={"id": job_id})
    except ValidationError as error:
        log.error("job_unreadable", job=job_id, state=state, why=why_unreadable(error))
    job = Job(
        id=job_id,
        person=person,
        chat=person,
        content=_FORGOTTEN_PICTURE,
        styles=(_FORGOTTEN_STYLE,),
        state=JobState(state) if state in set(JobState) else JobState.FAILED,
        failure=PAINTING_FAILED,
    )
    known = _object(body)
    for fields in _READ_TOGETHER:
        with contextlib.suppress(ValidationError):
            job = job.changed(**{field: known[field] for field in fields if field in known})
    return job.forgotten() if job.is_settled else job


def why_unreadable(error: Exception) -> list[Any] | str:
    """Only where and why: what people wrote is not for the log."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    details = error.errors(include_url=False, include_input=False)[:3]
    return [(detail["loc"], detail["msg"]) for detail in details]


def _object(body: str) -> dict[str, Any]:
    try:
        # Lone surrogates, which JSON may name, cannot be written as UTF-8.
        text = json.dumps(json.loads(body), ensure_ascii=False).encode(errors="replace")
        known = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}
