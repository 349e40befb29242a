"""Calls of plugins' picture steps and optimizers: what they return is checked, and what they raise
carries their plugin's name."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar, cast

import torch
from PIL import Image

from impasto.contracts import (
    Evaluation,
    Iterate,
    Optimizer,
    PaintOptions,
    PictureContext,
    Postprocessor,
    Preprocessor,
    Problem,
    Role,
)
from impasto.errors import ImpastoError, PluginError, described
from impasto.plugins import PluginHost
from impasto.plugins.containment import outside, running

T = TypeVar("T")
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
        with running(owner, name):
            yield
    except (ImpastoError, *OUT_OF_MEMORY):
        raise
    except Exception as error:
        words = described(error)
        if _CPU_OUT_OF_MEMORY in words:
            raise MemoryError(words) from error
        raise PluginError(owner, f"{name}: {words}") from error


def blamed(host: PluginHost, item: T) -> T:
    """A plugin's object whose methods raise as `blaming` says."""
    owner = host.owner_of(item)
    stand_in = _Blamed(item, owner)
    host.own(owner, [stand_in])
    return cast("T", stand_in)


class _Blamed:
    def __init__(self, item: Any, owner: str) -> None:
        self._item = item
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._item, name)
        if not callable(value):
            return value

        def call(*arguments: Any) -> Any:
            with blaming(self._owner, self._item.name):
                return value(*arguments)

        return call


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

    def evaluate(image: torch.Tensor) -> Evaluation:
        with outside():
            return problem.evaluate(image)

    with blaming(owner, optimizer.name):
        found = optimizer.minimize(dataclasses.replace(problem, evaluate=evaluate), steps)
    try:
        for _ in range(steps):
            with blaming(owner, optimizer.name):
                iterate = next(found, _END)
            if iterate is _END:
                return
            yield _checked(iterate, problem.start, optimizer.name, owner)
    finally:
        with blaming(owner, optimizer.name):
            found.close()


_END: Final = object()


def _checked(iterate: object, start: torch.Tensor, name: str, owner: str) -> Iterate:
    if not isinstance(iterate, Iterate):
        raise PluginError(owner, f"{name} must yield Iterate, not {type(iterate).__name__}")
    if not isinstance(iterate.image, torch.Tensor) or iterate.image.shape != start.shape:
        shape = getattr(iterate.image, "shape", type(iterate.image).__name__)
        raise PluginError(
            owner, f"{name} must yield images of the shape {tuple(start.shape)}, not {shape}"
        )
    return iterate
