"""Calls of plugins' picture steps and optimizers: what they return is checked, and what they raise
carries their plugin's name."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import torch
from PIL import Image

from impasto.contracts import (
    Iterate,
    Optimizer,
    PaintOptions,
    PictureContext,
    Postprocessor,
    Preprocessor,
    Problem,
    Role,
)
from impasto.errors import ImpastoError, PluginError
from impasto.plugins import PluginHost

WeightedPicture = tuple[Image.Image, float]

OUT_OF_MEMORY: Final = (MemoryError, torch.OutOfMemoryError)
"""What painting raises when the memory, the machine's or the GPU's, is not enough."""
_CPU_OUT_OF_MEMORY: Final = "can't allocate memory"
"""torch's allocator for the CPU says it in the text of a RuntimeError."""


@contextlib.contextmanager
def blaming(owner: str, name: str) -> Iterator[None]:
    """Whatever a plugin's object of this name raises inside becomes a PluginError of its owner.

    Raises:
        PluginError: the object failed.
        ImpastoError: as it raised it, such as PictureError or WeightsError.
        MemoryError, torch.OutOfMemoryError: there was not the memory for it.
    """
    try:
        yield
    except (ImpastoError, *OUT_OF_MEMORY):
        raise
    except Exception as error:
        if _CPU_OUT_OF_MEMORY in str(error):
            raise MemoryError(str(error)) from error
        raise PluginError(owner, f"{name}: {type(error).__name__}: {error}") from error


class PictureSteps:
    """The preprocessors and postprocessors of all plugins, in order."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self.before = host.collect("impasto_preprocessors", Preprocessor, settings=host.settings)
        self.after = host.collect("impasto_postprocessors", Postprocessor, settings=host.settings)

    def prepare(
        self,
        picture: Image.Image,
        role: Role,
        options: PaintOptions,
        content: Image.Image | None = None,
        styles: Sequence[WeightedPicture] = (),
    ) -> Image.Image:
        """A picture after all preprocessors of its role.

        Raises:
            PluginError: a preprocessor failed or returned no RGB picture.
            PictureError: a preprocessor refused the picture.
        """
        context = PictureContext(role=role, options=options, content=content, styles=styles)
        for step in self.before:
            if role in step.roles:
                picture = self._run(step, picture, context)
        return picture

    def finish(
        self,
        picture: Image.Image,
        options: PaintOptions,
        content: Image.Image,
        styles: Sequence[WeightedPicture],
    ) -> Image.Image:
        """A painted picture after all postprocessors. Raises PluginError when one of them fails."""
        context = PictureContext(role="content", options=options, content=content, styles=styles)
        for step in self.after:
            finished = self._run(step, picture, context)
            if finished.size != picture.size:
                raise PluginError(
                    self._host.owner_of(step),
                    f"{step.name} changed the size from {picture.size} to {finished.size}",
                )
            picture = finished
        return picture

    def _run(
        self, step: Preprocessor | Postprocessor, picture: Image.Image, context: PictureContext
    ) -> Image.Image:
        owner = self._host.owner_of(step)
        with blaming(owner, step.name):
            result = step(picture, context)
        if not isinstance(result, Image.Image) or result.mode != "RGB":
            raise PluginError(owner, f"{step.name} must return an RGB picture, not {result!r}")
        return result


def iterates(optimizer: Optimizer, owner: str, problem: Problem, steps: int) -> Iterator[Iterate]:
    """At most `steps` iterates of an optimizer that the plugin `owner` brought.

    Raises:
        PluginError: it failed, or yielded what is no Iterate with an image of the start's shape.
        MemoryError, torch.OutOfMemoryError: there was not the memory for it.
    """
    with (
        blaming(owner, optimizer.name),
        contextlib.closing(optimizer.minimize(problem, steps)) as found,
    ):
        for iterate in itertools.islice(found, steps):
            _check(iterate, problem.start, optimizer.name, owner)
            yield iterate


def _check(iterate: object, start: torch.Tensor, name: str, owner: str) -> None:
    if not isinstance(iterate, Iterate):
        raise PluginError(owner, f"{name} must yield Iterate, not {type(iterate).__name__}")
    if not isinstance(iterate.image, torch.Tensor) or iterate.image.shape != start.shape:
        shape = getattr(iterate.image, "shape", type(iterate.image).__name__)
        raise PluginError(
            owner, f"{name} must yield images of the shape {tuple(start.shape)}, not {shape}"
        )
