"""`paint`: a request goes in, a stream of progress comes out, and last the painting.

The picture is painted from small to full size (`pyramid`): at each level an optimizer plugin lowers
the `objective`, on a device plugin, starting from the result of the level below.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog
import torch
from PIL import Image

from impasto.contracts import Iterate, Losses, PaintOptions, Problem
from impasto.errors import PluginError
from impasto.memory import return_free_memory
from impasto.painting.catalogue import Catalogue, Tools, load_catalogue
from impasto.painting.coherence import CalmSurfaces, CoherentColors
from impasto.painting.network import Network
from impasto.painting.objective import natural_image_preconditioner
from impasto.painting.plugin_calls import WeightedPicture, iterates
from impasto.painting.pyramid import StoppingRule, Targets, Term, carry_up
from impasto.painting.strips.plan import budget, most_pixels
from impasto.painting.tensors import image_of, to_picture
from impasto.settings import Settings
from impasto.sizes import (
    MIN_SIDE,
    PHOTO_SIZE,
    Level,
    Size,
    plan_levels,
    result_size,
    step_shares,
    with_fine_finish,
)

log = structlog.get_logger(__name__)

FITTING_PER_OCTAVE: Final = 8
"""Pixel caps that follow from the memory are rounded down to this many steps: what is computed and
compiled for a picture's size serves the next picture, too, though a little less memory is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintRequest:
    """A photo, the style pictures with their weights, and how to paint.

    Only the weights' proportions count; each is at least 0, and one at least is above.

    Raises:
        ValueError: there is no style, or the weights are not such.
    """

    content: Image.Image
    """RGB."""
    styles: Sequence[WeightedPicture]
    """RGB pictures with their weights."""
    options: PaintOptions = field(default_factory=PaintOptions)
    """What is None is taken from the settings."""

    def __post_init__(self) -> None:
        weights = [weight for _, weight in self.styles]
        if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not any(weights):
            raise ValueError(
                f"PaintRequest.styles: at least one style needs a weight above 0, and none may be "
                f"negative or infinite; the weights are {weights}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintProgress:
    """One optimizer step was made."""

    step: int
    steps: int
    level: int
    levels: int
    share: float
    """Share of the work that is done, 0 to 1; the work of a step is the number of pixels of its
    level times what its network takes for each."""
    pixels: int
    """Of the picture that it becomes."""
    seconds: float
    _loss: torch.Tensor = field(repr=False)
    _picture: Callable[[], Image.Image] = field(repr=False)

    @property
    def loss(self) -> float:
        """The objective of this level, which sums up its own size and smaller ones. Reading it
        waits for a GPU."""
        return self._loss.item()

    def picture(self) -> Image.Image:
        """The picture as it is now, at the size of the result. Call it before the next step."""
        return self._picture()


@dataclass(frozen=True, slots=True, kw_only=True)
class Painting:
    """The finished picture, its losses under the network that painted last, and how it was made."""

    picture: Image.Image
    """RGB."""
    losses: Losses
    """At the last step."""
    steps: int
    """Optimizer steps that were taken, all levels together."""
    seconds: float
    """Time that it took."""
    network: str
    """Name of the network."""
    fine_network: str | None
    """The network that it was finished on, if it is fine."""
    device: str
    """Name of the device."""
    reduced: bool
    """Whether it was painted smaller than asked, because there was not the memory for more."""


def paint(
    request: PaintRequest,
    catalogue: Catalogue | None = None,
    *,
    finish_now: Callable[[], bool] = lambda: False,
) -> Iterator[PaintProgress | Painting]:
    """Paints; yields a PaintProgress after every optimizer step and at last the Painting.

    Closing the iterator (or no longer asking it) cancels between two steps.

        from impasto import PaintRequest, open_picture, paint

        photo, style = open_picture(Path("photo.jpg")), open_picture(Path("style.jpg"))
        for event in paint(PaintRequest(content=photo, styles=[(style, 1.0)])):
            print(event)
        event.picture.save("painting.png")

    Args:
        catalogue: what to paint with; by default all installed plugins at default settings.
        finish_now: asked after every step; once it returns True, the painting is finished as it is.

    Raises:
        PictureError: a preprocessor refused a picture.
        NotAvailable, WeightsError: something that the options ask for is not available.
        PluginError: a plugin failed while painting.
    """
    catalogue = catalogue or load_catalogue(Settings())
    tools = catalogue.pick(request.options)
    torch.manual_seed(tools.options.seed)
    return _Painter(request, catalogue, tools, finish_now).run()


def warm(style: Image.Image, options: PaintOptions, catalogue: Catalogue) -> None:
    """Computes the Gram matrices of a style picture for photos at or above the pixel cap, so that
    the first picture in this style need not wait for them.

    Raises:
        PictureError, NotAvailable, WeightsError, PluginError, MemoryError: as `paint` would.
    """
    tools = catalogue.pick(options)
    tools = _within_memory(tools, tools.device.memory(), PHOTO_SIZE)
    photo = result_size(PHOTO_SIZE, tools.options)
    content = Image.new("RGB", photo)
    prepared = catalogue.steps.prepare(style, "style", tools.options, content)
    for network in filter(None, (tools.network, tools.fine_network)):
        for halvings in range(len(plan_levels(photo[::-1], tools.steps))):
            catalogue.styles.grams(network, tools.device, prepared, halvings)


def _within_memory(tools: Tools, memory: int | None, photo: tuple[int, int]) -> Tools:
    """The tools, with a lower pixel cap where a photo of (width, height) does not fit into this
    many bytes (None: no limit).

    Raises:
        MemoryError: nothing fits.
    """
    aspect = max(photo) / min(photo)  # it may yet be turned
    fitting = most_pixels(tools.network, aspect, memory, tools.device.strip_bytes())
    if fitting is None or fitting >= math.prod(result_size(photo, tools.options)):
        return tools
    if fitting < MIN_SIDE**2:
        raise MemoryError(f"{memory} bytes are too few to paint in")
    rounded = int(2 ** (math.floor(math.log2(fitting) * FITTING_PER_OCTAVE) / FITTING_PER_OCTAVE))
    return replace(tools, options=tools.options.model_copy(update={"max_pixels": rounded}))


class _Painter:
    """One request being painted."""

    def __init__(
        self,
        request: PaintRequest,
        catalogue: Catalogue,
        tools: Tools,
        finish_now: Callable[[], bool],
    ) -> None:
        self._catalogue = catalogue
        self._settings = catalogue.settings.painting
        self._finish_now = finish_now
        self._begin = time.perf_counter()
        self._memory = tools.device.memory()
        self._tools = _within_memory(tools, self._memory, request.content.size)
        self._reduced = self._tools is not tools
        tools, options = self._tools, self._tools.options
        self._content = catalogue.steps.prepare(request.content, "content", options)
        self._styles = [
            (catalogue.steps.prepare(picture, "style", options, self._content), weight)
            for picture, weight in request.styles
        ]
        self._start = catalogue.steps.prepare(
            self._content, "start", options, self._content, self._styles
        )
        self._levels = plan_levels(
            self._full_size, tools.steps, step_shares(self._settings.coarse_weight)
        )
        self._sizes = [level.size for level in reversed(self._levels)]
        self._targets = self._towards(tools.network)
        if tools.fine_network is not None:
            self._plan_finish(tools.fine_network)
        self._steps_made = 0

    def run(self) -> Iterator[PaintProgress | Painting]:
        painted: torch.Tensor | None = None
        for index, level in enumerate(self._levels):
            if level.is_fine:
                self._change_networks()
            begin, painted = self._carried_up(painted, level.size), None
            painted = yield from self._paint_level(index, self._objective(level.size), begin)
            if self._finish_now():
                break
        assert painted is not None  # noqa: S101  (there is at least one level)
        losses = self._targets.losses(painted)
        yield Painting(
            picture=self._finished(painted),
            losses=losses,
            steps=self._steps_made,
            seconds=time.perf_counter() - self._begin,
            network=self._tools.network.name,
            fine_network=self._targets.network.name if level.is_fine else None,
            device=self._tools.device.name,
            reduced=self._reduced,
        )

    def _objective(self, size: Size) -> Term:
        """What is minimised at a level of (height, width)."""
        objective = self._targets.at(size)
        strength = self._tools.color_coherence
        if not strength:
            return objective
        start = self._image(self._start, size)
        return CalmSurfaces(CoherentColors(objective, start, strength), start, strength)

    def _paint_level(
        self, index: int, objective: Term, image: torch.Tensor
    ) -> Generator[PaintProgress, None, torch.Tensor]:
        """Paints one level from an image; returns the best iterate, as optimizers may end on a
        worse one."""
        level = self._levels[index]
        best, best_loss = image, image.new_full((), math.inf)
        steps_before = sum(smaller.steps for smaller in self._levels[:index])
        rule = StoppingRule(self._settings.least_gain)
        for iterate in self._iterates(objective, image, level):
            loss = torch.as_tensor(iterate.loss, dtype=best_loss.dtype, device=best_loss.device)
            best = torch.where(loss < best_loss, iterate.image, best)
            best_loss = torch.minimum(best_loss, loss)
            self._steps_made += 1
            yield PaintProgress(
                step=steps_before + iterate.step,
                steps=sum(each.steps for each in self._levels),
                level=index + 1,
                levels=len(self._levels),
                share=self._share(index, iterate.step),
                pixels=math.prod(self._full_size),
                seconds=time.perf_counter() - self._begin,
                _loss=loss,
                _picture=functools.partial(self._finished, iterate.image),
            )
            if self._finish_now():
                break
            if iterate.step == 1 or rule.is_due(iterate.step):
                # The first step of a level allocates and frees more than those that follow.
                return_free_memory()
            if rule.is_due(iterate.step) and rule.says_stop(self._checked(best_loss)):
                break
        self._checked(best_loss)
        return best

    def _checked(self, loss: torch.Tensor) -> float:
        """The value of a loss. Raises PluginError where no step came to a finite one."""
        value = loss.item()
        if not math.isfinite(value):
            optimizer = self._tools.optimizer
            owner = self._catalogue.host.owner_of(optimizer)
            raise PluginError(owner, f"{optimizer.name} came to a loss of {value}")
        return value

    def _share(self, index: int, step: int) -> float:
        """The share of all work that is done after step `step` of a level."""
        work = [level.work for level in self._levels]
        return (sum(work[:index]) + work[index] * step / self._levels[index].steps) / sum(work)

    def _iterates(self, objective: Term, start: torch.Tensor, level: Level) -> Iterator[Iterate]:
        optimizer = self._tools.optimizer
        problem = Problem(
            start=start,
            evaluate=objective.evaluate,
            precondition=natural_image_preconditioner(level.height, level.width, start.device),
            memory=self._targets.budget.optimizer,
        )
        owner = self._catalogue.host.owner_of(optimizer)
        return iterates(optimizer, owner, problem, level.steps)

    @property
    def _full_size(self) -> Size:
        return self._content.height, self._content.width

    def _towards(self, network: Network) -> Targets:
        """The objectives under a network. Raises MemoryError where it cannot be run."""
        found = budget(network, self._full_size, self._memory, self._tools.device.strip_bytes())
        if found is None:
            height, width = self._full_size
            raise MemoryError(f"{self._memory} bytes are too few for {width} x {height} pixels")
        return Targets(
            catalogue=self._catalogue,
            tools=self._tools,
            network=network,
            budget=found,
            content=self._content,
            styles=self._styles,
            sizes=self._sizes,
        )

    def _plan_finish(self, network: Network) -> None:
        """Adds the level that makes the picture fine, unless the memory is not enough for it."""
        try:
            self._fine_targets = self._towards(network)
        except MemoryError as error:
            log.warning("picture_not_fine", network=network.name, why=str(error))
            return
        cost = network.pixel_work / self._tools.network.pixel_work
        self._levels = with_fine_finish(self._levels, self._settings.fine_steps, cost)

    def _change_networks(self) -> None:
        """From here on the objectives are those under the network for fine pictures."""
        self._targets.let_go()  # the maps of one network fit into the memory, not those of both
        self._targets = self._fine_targets

    def _image(self, picture: Image.Image, size: Size) -> torch.Tensor:
        """A picture as 1x3xHxW at a level's (height, width). Made anew at each level: kept, the
        tensors would take four times the memory of the pictures."""
        return image_of(picture, size, self._tools.device.torch_device())

    def _carried_up(self, painted: torch.Tensor | None, size: Size) -> torch.Tensor:
        """Where a level of (height, width) starts: from the one below, if there is one."""
        if painted is None:
            return self._image(self._start, size)
        below = (painted.shape[-2], painted.shape[-1])
        if below == size:
            return painted
        return carry_up(painted, self._image(self._start, below), self._image(self._start, size))

    def _finished(self, image: torch.Tensor) -> Image.Image:
        """An image of any level as a picture of the result's size, after all postprocessors. Detail
        that the level cannot show comes from the photo: else first previews are blurred."""
        picture = to_picture(self._carried_up(image, self._full_size))
        return self._catalogue.steps.finish(
            picture, self._tools.options, self._content, self._styles
        )
