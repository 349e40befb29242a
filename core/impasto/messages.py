"""What the bot and the painting child say to each other: one JSON object per line over pipes.

Pictures travel as paths of files in the job's folder, never through the pipe.

    parent -> child   Configure, then any number of Paint, Finish and Cancel; end of input: exit
    child  -> parent  Ready once, Measured once if Configure asks for it, then for each Paint any
                      number of Progress and one of Painted, Stopped and Failed; between them
                      Entered, whenever a plugin's code begins or ends

`impasto doctor` asks a child of its own, which paints nothing: one Probe, answered with one Probed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from impasto.contracts import PaintOptions


class Failure(BaseModel):
    """Why a job failed: as in impasto.errors.ChatError."""

    # The journal keeps it, and a newer version may have written more.
    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    """Names the sentence in the dialog's catalogue."""
    sentence: str
    """In English."""
    facts: dict[str, str | int] = Field(default_factory=dict)
    """Fill the gaps of the sentence."""


MACHINE_FAILS = "machine_fails"
"""Code of a Failure for want of room on the disk: the job can be painted when there is some."""
TOO_LITTLE_MEMORY = Failure(
    code="out_of_memory",
    sentence="This picture is too large to be painted just now; try again later or send a smaller "
    "one.",
)
"""The job can be tried again in fewer pixels; people are told nothing of memory, which is the
owner's concern."""
PLUGIN_FAILED = Failure(
    code="plugin_failed",
    sentence="A part of this bot failed at this picture; try another style, or try again later.",
)
"""With another style, say, the plugin may not run; which one it was is the owner's concern."""
PAINTING_FAILED = Failure(
    code="painting_failed",
    sentence="Painting this picture failed; please try again or send another one.",
)
"""For reasons that the owner finds in the log."""


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PresetFile(Message):
    """The picture of a preset style, and how it is usually painted in."""

    path: Path
    options: PaintOptions = PaintOptions()


class Configure(Message):
    """The settings of the bot without its secrets, as plain values, and the preset styles, which
    the child makes ready while it has nothing to paint."""

    kind: Literal["configure"] = "configure"
    settings: dict[str, Any]
    presets: list[PresetFile] = Field(default_factory=list)
    measure: bool = False
    """Whether Measured is to follow Ready, which takes a second."""


class StyleFile(Message):
    """A style picture and its share among several."""

    path: Path
    weight: Annotated[float, Field(gt=0)] = 1.0


class Paint(Message):
    """Paint this job. Previews and the result are written into `folder`."""

    kind: Literal["paint"] = "paint"
    job_id: str
    content: Path
    styles: Annotated[list[StyleFile], Field(min_length=1)]
    options: PaintOptions
    folder: Path


class Cancel(Message):
    """Stop this job between two steps; answered with Stopped."""

    kind: Literal["cancel"] = "cancel"
    job_id: str


class Finish(Message):
    """Stop refining this job: answered with Painted, the picture as it is."""

    kind: Literal["finish"] = "finish"
    job_id: str


class StyleToTry(Message):
    """A style picture that a photo is tried in, and how the finished picture would be painted."""

    name: str
    path: Path
    options: PaintOptions


class Try(Message):
    """Paint a photo in each of these styles, small. It is no job: it is dropped as soon as there
    is something else to do. Answered with a Thumbnail for each style, then with TrialOver."""

    kind: Literal["try"] = "try"
    trial_id: str
    photo: Path
    styles: list[StyleToTry]


class DropTrial(Message):
    """Nobody wants this trial any more; it still is answered with TrialOver."""

    kind: Literal["drop_trial"] = "drop_trial"
    trial_id: str


class Ready(Message):
    """The child is up."""

    kind: Literal["ready"] = "ready"
    pid: int
    device: str
    failed_plugins: dict[str, str] = Field(default_factory=dict)
    """Errors by plugin."""
    offers_fine: bool = False
    """Whether pictures at the pixel cap can be finished on `painting.fine_network`."""


class Measured(Message):
    """How long a small picture of noise takes; without seconds where it could not be painted."""

    kind: Literal["measured"] = "measured"
    pixels: int
    steps: int
    seconds: float | None


class Entered(Message):
    """From here on this code of a plugin runs in a thread; whoever finds the child dead or silent
    knows by it whose code that was. Empty: none does."""

    kind: Literal["entered"] = "entered"
    thread: int
    plugin: str = ""
    what: str = ""
    """Its import, a hook, a step."""


class Progress(Message):
    """Painting goes on. `preview` is set when a new one was written."""

    kind: Literal["progress"] = "progress"
    """What tells messages apart."""
    job_id: str
    """Of which job."""
    step: int
    """Optimizer steps taken."""
    steps: int
    """The most that will be taken."""
    level: int
    """Pyramid level being painted, counted from 1, coarsest first."""
    levels: int
    """How many levels there are."""
    share: float
    """The part of the work that is done, 0 to 1; a step at a large level is more work than one at
    a small level."""
    pixels: int
    """Of the picture that it becomes."""
    seconds: float
    """Time since the child took the job."""
    seconds_left: float | None
    """An estimate from the speed of this job so far; None after its first step."""
    preview: Path | None = None
    """File of the picture so far, where it was written anew."""


class Ended(Message):
    """A job that was told to be painted is done with; see those that derive from this."""

    job_id: str
    rests_in: int | None = None
    """Bytes that the child still holds, of those that the kernel cannot take back; None where that
    is not known."""


class Painted(Ended):
    """The result is on the disk (written, synced, renamed)."""

    kind: Literal["painted"] = "painted"
    result: Path
    width: int
    height: int
    steps: int
    seconds: float
    device: str
    network: str
    fine_network: str | None = None
    """The network that it was finished on; None if it was not."""
    offers_fine: bool = False
    """As in Ready."""
    reduced: bool = False
    """Whether it was painted smaller than asked for, because more did not fit into memory."""


class Stopped(Ended):
    """The job was cancelled before it was finished."""

    kind: Literal["stopped"] = "stopped"


class Failed(Ended):
    """The job cannot be painted. `detail` is for the owner's log, `plugin` names the one at fault,
    if one is."""

    kind: Literal["failed"] = "failed"
    failure: Failure
    plugin: str | None = None
    detail: str = ""


class Thumbnail(Message):
    """One picture of a trial, a JPEG of some tens of kB: nothing of a trial is left on the disk."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    kind: Literal["thumbnail"] = "thumbnail"
    trial_id: str
    name: str
    """Of the style."""
    jpeg: bytes


class TrialOver(Message):
    """No more thumbnails come of this trial, whether all were painted or not."""

    kind: Literal["trial_over"] = "trial_over"
    trial_id: str


class Probe(Message):
    """What would painting find here? Settings as in Configure, and amounts of memory to judge."""

    settings: dict[str, Any]
    budgets: list[int] = Field(default_factory=list)
    """In MB."""


class Probed(Message):
    """What painting finds here. Where `problem` says why it would not start, the fields after
    `failed_plugins` are empty."""

    torch: str
    """Its version."""
    problem: str = ""
    failed_plugins: dict[str, str] = Field(default_factory=dict)
    """Errors by plugin."""
    device: str = ""
    unusable_devices: dict[str, str] = Field(default_factory=dict)
    """Why the other devices cannot be used here, by device."""
    precision: str = ""
    threads: int = 0
    network: str = ""
    why_not_fine: str | None = None
    """Why pictures at the pixel cap cannot be fine; None where they can."""
    optimizer: str = ""
    auto_mb: int | None = None
    """What `painting.memory_mb` comes to now, in MB, where it is auto and that is known."""
    fitting_pixels: dict[int, int] = Field(default_factory=dict)
    """Pixels of the largest picture that fits into each budget, and into `auto_mb`; on a CPU
    only."""


ToChild = Configure | Paint | Finish | Cancel | Try | DropTrial
Outcome = Painted | Stopped | Failed
FromChild = Ready | Measured | Entered | Progress | Outcome | Thumbnail | TrialOver

to_child: TypeAdapter[ToChild] = TypeAdapter(Annotated[ToChild, Field(discriminator="kind")])
from_child: TypeAdapter[FromChild] = TypeAdapter(Annotated[FromChild, Field(discriminator="kind")])


def encode(message: Message) -> bytes:
    """A message as one line."""
    return message.model_dump_json().encode() + b"\n"
