"""What painting plugins return and are handed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

from impasto.contracts.options import PaintOptions

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from impasto.painting.network import Network

Role = Literal["content", "style", "start"]
"""Which picture a preprocessor is given: the photo whose shapes stay, a style picture, or the
picture that the optimisation starts from (at first a copy of the prepared content)."""


class Losses(NamedTuple):
    """The two terms of the objective, both already weighted; their sum is what is minimised."""

    style: float
    """How far the Gram matrices are from those of the style."""
    content: float
    """How far the features are from those of the photo."""

    @property
    def total(self) -> float:
        """Their sum."""
        return self.style + self.content


class Evaluation(NamedTuple):
    """One evaluation of the objective at an image.

    The loss is a scalar tensor on the device: asking a GPU for its value (`float(loss)`, a
    comparison in an `if`) waits for all work that was given to it.
    """

    loss: torch.Tensor
    """Scalar: style and content together."""
    gradient: torch.Tensor
    """1x3xHxW float32."""


class Iterate(NamedTuple):
    """What an optimizer yields after each step.

    `image` (1x3xHxW float32, within the problem's bounds) is borrowed: it is valid until the next
    step and must not be changed. `loss` is the objective at that image: a number or a scalar
    tensor.
    """

    step: int
    """Counts from 1."""
    loss: float | torch.Tensor
    """The objective at `image`."""
    image: torch.Tensor
    """1x3xHxW float32, borrowed."""


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
    """What `painting.optimizer` picks it by."""

    def minimize(self, problem: Problem, steps: int) -> Generator[Iterate, None, None]:
        """Yields after each of at most `steps` evaluations; may end earlier. The generator is
        closed early when painting is cancelled."""
        ...


@runtime_checkable
class Device(Protocol):
    """Where tensors live and in which precision features are computed."""

    name: str
    """What `painting.device` picks it by."""
    order: int
    """`auto` takes the available device of the lowest order."""

    def why_not(self) -> str | None:
        """None when the device works on this machine, else one sentence that says why not."""
        ...

    def torch_device(self) -> torch.device:
        """Where tensors live."""
        ...

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
        """Feature maps are computed in strips whose largest takes about this many bytes: what a
        CPU's cache holds, or what keeps a GPU busy."""
        ...


@runtime_checkable
class NetworkSource(Protocol):
    """A feature network that can be loaded by name."""

    name: str
    """What `painting.network` picks it by."""
    description: str
    """A few words, for listings."""

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
    """Unique among preprocessors."""
    order: int
    """Lower runs earlier; equal orders run by name."""
    roles: frozenset[Role]
    """Which pictures it is called for."""

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image:
        """The RGB picture as this step makes it; the one that was given is left unchanged."""
        ...


@runtime_checkable
class Postprocessor(Protocol):
    """A step on the finished picture; must keep its size."""

    name: str
    """Unique among postprocessors."""
    order: int
    """Lower runs earlier; equal orders run by name."""

    def __call__(self, picture: Image.Image, context: PictureContext) -> Image.Image:
        """The RGB picture as this step makes it, of the same size; the one that was given is left
        unchanged."""
        ...
