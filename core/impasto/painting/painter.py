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
from dataclasses import dataclass, field

import torch
from PIL import Image

from impasto.contracts import Iterate, Losses, PaintOptions, Problem
from impasto.errors import ImpastoError, PluginError
from impasto.painting.pictures import MIN_SIDE, resize, to_picture, to_tensor
from impasto.painting.preconditioner import natural_image_preconditioner
from impasto.painting.pyramid import Level, carry_up, plan_levels
from impasto.painting.strips import StripObjective
from impasto.painting.toolbox import Toolbox, Tools, WeightedPicture, load_toolbox
from impasto.settings import Settings

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
    """One optimizer step was made. `loss` is the objective's at this level's size."""

    step: int
    steps: int
    level: int
    levels: int
    loss: float
    seconds: float
    _picture: Callable[[], Image.Image] = field(repr=False)

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


def paint(
    request: PaintRequest, toolbox: Toolbox | None = None
) -> Iterator[PaintProgress | Painting]:
    """Paints; yields a PaintProgress after every optimizer step and at last the Painting.

    Closing the iterator (or no longer asking it) cancels between two steps.

        from impasto import PaintRequest, open_picture, paint

        photo, style = open_picture(Path("photo.jpg")), open_picture(Path("style.jpg"))
        for event in paint(PaintRequest(content=photo, styles=[(style, 1.0)])):
            print(event)
        event.picture.save("painting.png")

    Args:
        toolbox: what to paint with; by default all installed plugins at default settings.

    Raises:
        PictureError: a preprocessor refused a picture.
        NotAvailable, WeightsError: what the options ask for is not there.
        PluginError: a plugin failed while painting.
    """
    toolbox = toolbox or load_toolbox(Settings())
    tools = toolbox.pick(request.options)
    torch.manual_seed(tools.options.seed)
    return _Painter(request, toolbox, tools).run()


class _Painter:
    """One request being painted."""

    def __init__(self, request: PaintRequest, toolbox: Toolbox, tools: Tools) -> None:
        self._toolbox = toolbox
        self._tools = tools
        self._begin = time.perf_counter()
        options = tools.options
        self._content = toolbox.prepare(request.content, "content", options)
        self._styles = [
            (toolbox.prepare(picture, "style", options, self._content), weight)
            for picture, weight in request.styles
        ]
        self._start = toolbox.prepare(self._content, "start", options, self._content, self._styles)
        self._levels = plan_levels((self._content.height, self._content.width), tools.steps)
        self._steps_made = 0

    def run(self) -> Iterator[PaintProgress | Painting]:
        *coarser, finest = range(len(self._levels))
        below: tuple[torch.Tensor, torch.Tensor] | None = None
        for index in coarser:
            objective = self._objective(self._levels[index])
            below = yield from self._paint_level(index, objective, below)
        objective = self._objective(self._levels[finest])
        painted, _ = yield from self._paint_level(finest, objective, below)
        yield Painting(
            picture=self._finished(painted),
            losses=objective.losses(painted),
            steps=self._steps_made,
            seconds=time.perf_counter() - self._begin,
            network=self._tools.network.name,
            device=self._tools.device.name,
        )

    def _paint_level(
        self, index: int, objective: StripObjective, below: tuple[torch.Tensor, torch.Tensor] | None
    ) -> Generator[PaintProgress, None, tuple[torch.Tensor, torch.Tensor]]:
        """Paints one level from what the level below came to and started from; returns the same
        two of this level. What counts is the best iterate: optimizers may end on a worse one."""
        level = self._levels[index]
        start = self._image(self._start, level.height, level.width)
        image = start if below is None else carry_up(*below, start)
        best, best_loss = image, math.inf
        steps_before = sum(coarser.steps for coarser in self._levels[:index])
        for iterate in self._minimize(objective, image, level):
            if iterate.loss < best_loss:
                best, best_loss = iterate.image.clone(), iterate.loss
            self._steps_made += 1
            yield PaintProgress(
                step=steps_before + iterate.step,
                steps=self._tools.steps,
                level=index + 1,
                levels=len(self._levels),
                loss=iterate.loss,
                seconds=time.perf_counter() - self._begin,
                _picture=functools.partial(self._finished, iterate.image),
            )
        return best, start

    def _minimize(
        self, objective: StripObjective, start: torch.Tensor, level: Level
    ) -> Iterator[Iterate]:
        """The optimizer's iterates, checked; whatever it raises becomes a PluginError."""
        optimizer = self._tools.optimizer
        problem = Problem(
            start=start,
            evaluate=objective.evaluate,
            precondition=natural_image_preconditioner(level.height, level.width, start.device),
        )
        owner = self._toolbox.host.owner_of(optimizer)
        try:
            with contextlib.closing(optimizer.minimize(problem, level.steps)) as iterates:
                for iterate in itertools.islice(iterates, level.steps):
                    if not math.isfinite(iterate.loss):
                        raise PluginError(
                            owner, f"{optimizer.name} came to a loss of {iterate.loss}"
                        )
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

    def _objective(self, level: Level) -> StripObjective:
        """The loss at a level's size; styles shrink as the picture does, so strokes keep theirs."""
        scale = level.height / self._levels[-1].height
        styles = []
        for picture, weight in self._styles:
            size = (max(MIN_SIDE, round(side * scale)) for side in (picture.height, picture.width))
            styles.append((self._image(picture, *size), weight))
        content = self._image(self._content, level.height, level.width)
        return StripObjective(self._tools.network, content, styles, self._tools.style_weight)

    def _image(self, picture: Image.Image, height: int, width: int) -> torch.Tensor:
        """A picture as 1x3xHxW at a level's size. Made anew at each level: kept, the tensors would
        take four times the memory of the pictures."""
        image = to_tensor(picture).to(self._tools.device.torch_device())
        return resize(image, (height, width)).clamp_(0, 1)

    def _finished(self, image: torch.Tensor) -> Image.Image:
        """An image of any level as a picture of the result's size, after all postprocessors."""
        full = resize(image, (self._content.height, self._content.width))
        picture = to_picture(full)
        return self._toolbox.finish(picture, self._tools.options, self._content, self._styles)
