"""The objects that hooks return: what a plugin promises and what the program hands to it.

Everything here is a Protocol or a plain value, free of torch and aiogram at run time, so that both
processes and every editor can import it. Names of objects are what settings pick by; they are
lower case, and unique among the objects of one hook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import torch
    from aiogram.types import InlineKeyboardMarkup
    from PIL import Image

    from impasto.jobs.job import Job
    from impasto.messages import Progress
    from impasto.painting.networks import Network

_PRESET_NAME = re.compile("[a-z][a-z0-9_]{0,19}")

Role = Literal["content", "style", "start"]
"""Which picture a preprocessor is given: the photo whose shapes stay, a style picture, or the
picture that the optimisation starts from (at first a copy of the prepared content)."""


MOST_STYLE_WEIGHT: Final = 1e12
BRUSH_BOUNDS: Final = (0.25, 4.0)
PIXEL_BOUNDS: Final = (1024, 50_000_000)
"""Of what can be asked for."""


class PaintOptions(BaseModel):
    """How to paint one picture. What is None is taken from the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str | None = None
    """Name of a feature network, or the path of a safetensors file, which then paints everything;
    `auto` is the embedded one, and another may finish what it painted: see `fine`."""
    fine: bool | None = None
    """Whether the picture is finished on the network of the settings for fine pictures. Nothing to
    networks that are named, here or in the settings: they paint everything."""
    optimizer: str | None = None
    device: str | None = None
    """Name of a device, or `auto`: the first that works here."""
    steps: Annotated[int | None, Field(ge=1, le=5000)] = None
    """Most optimizer steps over all pyramid levels; one step is one evaluation of the objective.
    Those that make a picture fine are not counted."""
    max_pixels: Annotated[int | None, Field(ge=PIXEL_BOUNDS[0], le=PIXEL_BOUNDS[1])] = None
    """Pixel cap of the result."""
    style_weight: Annotated[float | None, Field(gt=0, le=MOST_STYLE_WEIGHT)] = None
    brush_size: Annotated[float | None, Field(ge=BRUSH_BOUNDS[0], le=BRUSH_BOUNDS[1])] = None
    """How large the style's marks come out: 1 as if style picture and photo had the same area."""
    keep_colors: bool = False
    """Keep the photo's own hues; only the strokes come from the style."""
    seed: int = 0


class Losses(NamedTuple):
    """The two terms of the objective, both already weighted; their sum is what is minimised."""

    style: float
    content: float

    @property
    def total(self) -> float:
        return self.style + self.content


class Evaluation(NamedTuple):
    """One evaluation of the objective at an image.

    The loss is a scalar tensor on the device: asking a GPU for its value (`float(loss)`, a
    comparison in an `if`) waits for all work that was given to it.
    """

    loss: torch.Tensor
    gradient: torch.Tensor  # 1x3xHxW float32


class Iterate(NamedTuple):
    """What an optimizer yields after each step.

    `image` (1x3xHxW float32, within the problem's bounds) is borrowed: it is valid until the next
    step and must not be changed. `loss` is the objective at that image: a number or a scalar
    tensor.
    """

    step: int  # counts from 1
    loss: float | torch.Tensor
    image: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What an optimizer minimises: a smooth function of an image within bounds.

    Attributes:
        start: 1x3xHxW float32 within the bounds, left unchanged by the optimizer.
        evaluate: losses and gradient at an image; the costly part, counted as one step.
        precondition: a fixed symmetric positive definite linear map, close to the inverse Hessian
            up to scale; multiplies gradients.
        lower, upper: bounds of every value of the image.
        memory: bytes that the optimizer may take to remember earlier steps; None is no limit.
    """

    start: torch.Tensor
    evaluate: Callable[[torch.Tensor], Evaluation]
    precondition: Callable[[torch.Tensor], torch.Tensor]
    lower: float = 0.0
    upper: float = 1.0
    memory: int | None = None


@runtime_checkable
class Optimizer(Protocol):
    """A minimiser of `Problem`s; a new one is made per pyramid level by calling `minimize`."""

    name: str

    def minimize(self, problem: Problem, steps: int) -> Generator[Iterate, None, None]:
        """Yields after each of at most `steps` evaluations; may end earlier. The generator is
        closed early when painting is cancelled."""
        ...


@runtime_checkable
class Device(Protocol):
    """Where tensors live and in which precision features are computed."""

    name: str
    order: int
    """`auto` takes the available device of the lowest order."""

    def why_not(self) -> str | None:
        """None when the device works on this machine, else one sentence that says why not."""
        ...

    def torch_device(self) -> torch.device: ...

    def feature_dtype(self) -> torch.dtype:
        """Precision of feature maps; images, Gram matrices and losses stay float32."""
        ...

    def max_pixels(self) -> int:
        """Pixel cap of a result on this device when the request does not lower it."""
        ...

    def memory(self) -> int | None:
        """Bytes that a painting may take now, besides what is loaded; None is no limit."""
        ...

    def strip_bytes(self) -> int:
        """Feature maps are computed in strips whose largest takes about so many bytes: what a
        CPU's cache holds, or what keeps a GPU busy."""
        ...


@runtime_checkable
class NetworkSource(Protocol):
    """A feature network that can be loaded by name."""

    name: str
    description: str

    def why_not(self) -> str | None:
        """None when `load` would work, else a sentence that says what to do (such as: fetch it)."""
        ...

    def load(self) -> Network:
        """Raises WeightsError when the file is missing or damaged."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureContext:
    """What a pre- or postprocessor may look at besides the picture it is given.

    Attributes:
        role: what the picture is (postprocessors get `content`'s result and role "content").
        options: the request's options with the settings' values filled in.
        content: the content image as prepared so far, RGB, or None before it exists.
        styles: the prepared style images with their weights; empty while they are being prepared.
    """

    role: Role
    options: PaintOptions
    content: Image.Image | None = None
    styles: Sequence[tuple[Image.Image, float]] = ()


@runtime_checkable
class Preprocessor(Protocol):
    """A step from picture to picture before painting; returns a new picture or the same one."""

    name: str
    order: int
    """Lower runs earlier; equal orders run by name."""
    roles: frozenset[Role]

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image: ...


@runtime_checkable
class Postprocessor(Protocol):
    """A step on the finished picture; must keep its size."""

    name: str
    order: int

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StylePreset:
    """A style picture that people can pick without uploading one.

    Attributes:
        name: stable key, `[a-z][a-z0-9_]{0,19}`: it travels in callback data.
        titles: language code to title; English (`en`) is required.
        picture: file of the style image.
        credit, licence: who made the picture and under which terms it may be used.
        emoji: shown before the title on buttons.
        strength: multiplies the style weight: what this picture needs to look its best.
        brush_size: as in PaintOptions, for this picture.
    """

    name: str
    titles: dict[str, str]
    picture: Path
    credit: str
    licence: str
    emoji: str = "🎨"
    order: int = 100
    strength: float = 1.0
    brush_size: float = 1.0

    def __post_init__(self) -> None:
        """Raises ValueError for a name that cannot travel in callback data, or no English title."""
        if not _PRESET_NAME.fullmatch(self.name):
            raise ValueError(f"a style's name must match {_PRESET_NAME.pattern}, not {self.name!r}")
        if not self.titles.get("en"):
            raise ValueError(f"the style {self.name!r} has no English title (`en`)")

    def title(self, language: str) -> str:
        """The title in this language, else in English."""
        return self.titles.get(language) or self.titles["en"]


Verdict = Literal["ok", "warning", "problem"]
"""Of a check: as it should be; works, but somebody should know; keeps the bot from starting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `impasto doctor`.

    Attributes:
        name: what was looked at, in a word or two; unique among all findings.
        verdict: `ok`, `warning`, or `problem`: the bot would not start, or not be of use.
        says: what was found, in a sentence.
        advice: what to do about it; empty where there is nothing to do.
    """

    name: str
    verdict: Verdict
    says: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """What a message about a job says: HTML text (a caption where there is a picture, so at most
    1024 characters after parsing) and its buttons."""

    text: str
    keyboard: InlineKeyboardMarkup | None = field(default=None)


@runtime_checkable
class Presenter(Protocol):
    """The words and buttons of the messages about a job, in the job's language.

    Delivery decides when to say something, the presenter what it says.
    """

    name: str
    order: int

    def waiting(self, job: Job, ahead: int, seconds: float | None) -> Say:
        """The job is accepted; `ahead` jobs are to be painted before it, and it may be finished in
        so many seconds, None as long as nothing is known about this machine's speed."""
        ...

    def painting(self, job: Job, progress: Progress) -> Say: ...

    def painted(self, job: Job) -> Say:
        """Caption and buttons of the finished picture."""
        ...

    def ready(self, job: Job) -> Say:
        """A short message that notifies: edits of a message do not."""
        ...

    def failed(self, job: Job) -> Say:
        """Why there is no picture (`job.failure`) and what to do next."""
        ...

    def cancelled(self, job: Job) -> Say: ...
