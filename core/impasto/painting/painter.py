"""`paint`: a request goes in, a stream of progress comes out, and last the painting.

The picture is painted coarse to fine (`pyramid`): at each level an optimizer plugin lowers the
`objective`, on a device plugin, from where the level below came to.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from PIL import Image

from impasto.contracts import Iterate, Losses, PaintOptions, Problem
from impasto.errors import ImpastoError, PluginError
from impasto.painting.footprint import tidy
from impasto.painting.multiscale import Multiscale
from impasto.painting.objective import mix
from impasto.painting.pictures import MIN_SIDE, resize, to_picture
from impasto.painting.preconditioner import natural_image_preconditioner
from impasto.painting.pyramid import COARSER_WEIGHTS, Level, StoppingRule, carry_up, plan_levels
from impasto.painting.strip_objective import StripObjective
from impasto.painting.strips import Rooms
from impasto.painting.toolbox import Toolbox, Tools, WeightedPicture, image_of, load_toolbox
from impasto.painting.workspace import Budget, budget, most_pixels
from impasto.settings import PaintingSettings, Settings

OUT_OF_MEMORY = (MemoryError, torch.OutOfMemoryError)
"""What painting raises when the memory, the machine's or the GPU's, is not enough."""
_CPU_OUT_OF_MEMORY = "can't allocate memory"
"""torch's allocator for the CPU says it in the text of a RuntimeError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintRequest:
    """A photo, the style pictures with their weights, and how to paint."""

    content: Image.Image
    styles: Sequence[WeightedPicture]
    options: PaintOptions = field(default_factory=PaintOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintProgress:
    """One optimizer step was made."""

    step: int
    steps: int
    level: int
    levels: int
    share: float
    """Of the work done so far, 0 to 1; a step's work is as the pixels of its level."""
    seconds: float
    _loss: torch.Tensor = field(repr=False)
    _picture: Callable[[], Image.Image] = field(repr=False)

    @property
    def loss(self) -> float:
        """The objective's at this level: its own size and the coarser ones. A GPU waits for it."""
        return self._loss.item()

    def picture(self) -> Image.Image:
        """The picture as it is now, at the size of the result. Call it before the next step."""
        return self._picture()


@dataclass(frozen=True, slots=True, kw_only=True)
class Painting:
    """The finished picture, its losses under the network that painted it, and how it was made."""

    picture: Image.Image
    losses: Losses
    steps: int
    seconds: float
    network: str
    device: str
    reduced: bool
    """Whether it was painted smaller than asked, because there was not the memory for more."""


def paint(
    request: PaintRequest,
    toolbox: Toolbox | None = None,
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
        toolbox: what to paint with; by default all installed plugins at default settings, and as
            much memory as it takes.
        finish_now: asked after every step; when it says so, the painting is finished as it is.

    Raises:
        PictureError: a preprocessor refused a picture.
        NotAvailable, WeightsError: what the options ask for is not there.
        PluginError: a plugin failed while painting.
    """
    # Here the limit for a small host's painting process would count the caller's own memory.
    toolbox = toolbox or load_toolbox(Settings(painting=PaintingSettings(memory_mb=0)))
    tools = toolbox.pick(request.options)
    torch.manual_seed(tools.options.seed)
    return _Painter(request, toolbox, tools, finish_now).run()


class _Painter:
    """One request being painted."""

    def __init__(
        self,
        request: PaintRequest,
        toolbox: Toolbox,
        tools: Tools,
        finish_now: Callable[[], bool],
    ) -> None:
        self._toolbox = toolbox
        self._finish_now = finish_now
        self._begin = time.perf_counter()
        self._memory = tools.device.memory()
        self._tools = tools = self._within_memory(tools, request.content)
        options = tools.options
        self._content = toolbox.prepare(request.content, "content", options)
        self._styles = [
            (toolbox.prepare(picture, "style", options, self._content), weight)
            for picture, weight in request.styles
        ]
        self._start = toolbox.prepare(self._content, "start", options, self._content, self._styles)
        self._levels = plan_levels((self._content.height, self._content.width), tools.steps)
        self._budget = self._find_budget()
        self._rooms = Rooms()
        self._steps_made = 0

    def run(self) -> Iterator[PaintProgress | Painting]:
        objectives: list[StripObjective] = []
        painted: torch.Tensor | None = None
        start: torch.Tensor | None = None
        for index, level in enumerate(self._levels):
            objectives = [self._objective(index), *objectives][: len(COARSER_WEIGHTS)]
            below, start = start, self._image(self._start, (level.height, level.width))
            image = start
            if painted is not None and below is not None:
                image = carry_up(painted, below, start)
            painted = below = None
            painted = yield from self._paint_level(index, self._with_coarser(objectives), image)
            if self._finish_now():
                break
        assert painted is not None  # noqa: S101  (there is at least one level)
        assert start is not None  # noqa: S101
        losses = objectives[0].losses(painted)
        if painted.shape[-2:] != self._full_size:  # finished before its time
            painted = carry_up(painted, start, self._image(self._start, self._full_size))
        yield Painting(
            picture=self._finished(painted),
            losses=losses,
            steps=self._steps_made,
            seconds=time.perf_counter() - self._begin,
            network=self._tools.network.name,
            device=self._tools.device.name,
            reduced=self._reduced,
        )

    def _paint_level(
        self, index: int, objective: Multiscale, image: torch.Tensor
    ) -> Generator[PaintProgress, None, torch.Tensor]:
        """Paints one level from an image. What counts is the best iterate: optimizers may end on a
        worse one."""
        level = self._levels[index]
        best, best_loss = image, image.new_full((), math.inf)
        steps_before = sum(coarser.steps for coarser in self._levels[:index])
        rule = StoppingRule()
        for iterate in self._minimize(objective, image, level):
            loss = torch.as_tensor(iterate.loss, dtype=best_loss.dtype, device=best_loss.device)
            best = torch.where(loss < best_loss, iterate.image, best)
            best_loss = torch.minimum(best_loss, loss)
            self._steps_made += 1
            yield PaintProgress(
                step=steps_before + iterate.step,
                steps=self._tools.steps,
                level=index + 1,
                levels=len(self._levels),
                share=self._share(index, iterate.step),
                seconds=time.perf_counter() - self._begin,
                _loss=loss,
                _picture=functools.partial(self._finished, iterate.image),
            )
            if self._finish_now():
                break
            if iterate.step == 1 or rule.is_due(iterate.step):
                tidy()  # a level's beginning runs through much code, its steps always the same
            if rule.is_due(iterate.step) and rule.says_stop(self._checked(best_loss)):
                break
        self._checked(best_loss)
        return best

    def _checked(self, loss: torch.Tensor) -> float:
        """The value of a loss. Raises PluginError where no step came to a finite one."""
        value = loss.item()
        if not math.isfinite(value):
            optimizer = self._tools.optimizer
            owner = self._toolbox.host.owner_of(optimizer)
            raise PluginError(owner, f"{optimizer.name} came to a loss of {value}")
        return value

    def _share(self, index: int, step: int) -> float:
        """How much of all work is done after so many steps of a level."""
        work = [level.work for level in self._levels]
        level = self._levels[index]
        return (sum(work[:index]) + step * level.height * level.width) / sum(work)

    def _minimize(
        self, objective: Multiscale, start: torch.Tensor, level: Level
    ) -> Iterator[Iterate]:
        """The optimizer's iterates; whatever it raises becomes a PluginError."""
        optimizer = self._tools.optimizer
        problem = Problem(
            start=start,
            evaluate=objective.evaluate,
            precondition=natural_image_preconditioner(level.height, level.width, start.device),
            memory=self._budget.optimizer,
        )
        owner = self._toolbox.host.owner_of(optimizer)
        try:
            with contextlib.closing(optimizer.minimize(problem, level.steps)) as iterates:
                for iterate in itertools.islice(iterates, level.steps):
                    _check_iterate(iterate, start, optimizer.name, owner)
                    yield iterate
        except (ImpastoError, *OUT_OF_MEMORY):
            raise
        except RuntimeError as error:
            if _CPU_OUT_OF_MEMORY in str(error):
                raise MemoryError(str(error)) from error
            raise PluginError(owner, f"{optimizer.name}: {error}") from error
        except Exception as error:
            raise PluginError(
                owner, f"{optimizer.name}: {type(error).__name__}: {error}"
            ) from error

    @property
    def _full_size(self) -> tuple[int, int]:
        return self._content.height, self._content.width

    def _objective(self, index: int) -> StripObjective:
        """The loss at a level's size; styles shrink as the picture does, so strokes keep theirs."""
        level = self._levels[index]
        halvings = len(self._levels) - 1 - index
        styles = [
            (self._toolbox.style_grams(self._tools, picture, halvings), weight)
            for picture, weight in self._styles
        ]
        return StripObjective(
            self._tools.network,
            self._image(self._content, (level.height, level.width)),
            mix(styles),
            self._tools.style_weight,
            self._budget.plan,
            rooms=self._rooms,
        )

    def _with_coarser(self, objectives: Sequence[StripObjective]) -> Multiscale:
        """A level's own objective (the first) and those of the levels below it."""
        sizes = [(level.height, level.width) for level in reversed(self._levels)]
        sizes = sizes[len(self._levels) - len(objectives) :]
        return Multiscale(list(zip(objectives, sizes, COARSER_WEIGHTS, strict=False)))

    def _image(self, picture: Image.Image, size: tuple[int, int]) -> torch.Tensor:
        """A picture as 1x3xHxW at a level's (height, width). Made anew at each level: kept, the
        tensors would take four times the memory of the pictures."""
        return image_of(picture, size, self._tools.device)

    def _finished(self, image: torch.Tensor) -> Image.Image:
        """An image of any level as a picture of the result's size, after all postprocessors."""
        picture = to_picture(resize(image, self._full_size))
        return self._toolbox.finish(picture, self._tools.options, self._content, self._styles)

    def _within_memory(self, tools: Tools, content: Image.Image) -> Tools:
        """The tools with a pixel cap for which there is memory."""
        aspect = max(content.size) / min(content.size)  # it may yet be turned
        fitting = most_pixels(tools.network, aspect, self._memory, tools.device.strip_bytes())
        cap = tools.options.max_pixels
        assert cap is not None  # noqa: S101  (Toolbox.pick fills it in)
        self._reduced = fitting is not None and fitting < min(cap, content.width * content.height)
        if not self._reduced:
            return tools
        if fitting is None or fitting < MIN_SIDE**2:
            raise MemoryError(f"{self._memory} bytes are too few to paint in")
        return replace(tools, options=tools.options.model_copy(update={"max_pixels": fitting}))

    def _find_budget(self) -> Budget:
        size = (self._content.height, self._content.width)
        found = budget(self._tools.network, size, self._memory, self._tools.device.strip_bytes())
        if found is None:
            raise MemoryError(f"{self._memory} bytes are too few for {size[1]} x {size[0]} pixels")
        return found


def _check_iterate(iterate: object, start: torch.Tensor, name: str, owner: str) -> None:
    """Raises PluginError for what is no Iterate with an image of the start's shape."""
    if not isinstance(iterate, Iterate):
        raise PluginError(owner, f"{name} must yield Iterate, not {type(iterate).__name__}")
    if not isinstance(iterate.image, torch.Tensor) or iterate.image.shape != start.shape:
        shape = getattr(iterate.image, "shape", type(iterate.image).__name__)
        raise PluginError(
            owner, f"{name} must yield images of the shape {tuple(start.shape)}, not {shape}"
        )
