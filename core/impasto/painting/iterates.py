"""What an optimizer plugin yields, checked; whatever it raises has its name."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

import torch

from impasto.contracts import Iterate, Optimizer, Problem
from impasto.errors import ImpastoError, PluginError

OUT_OF_MEMORY = (MemoryError, torch.OutOfMemoryError)
"""What painting raises when the memory, the machine's or the GPU's, is not enough."""
_CPU_OUT_OF_MEMORY = "can't allocate memory"
"""torch's allocator for the CPU says it in the text of a RuntimeError."""


def iterates(optimizer: Optimizer, owner: str, problem: Problem, steps: int) -> Iterator[Iterate]:
    """At most so many iterates of an optimizer, which is a plugin's: the owner's.

    Raises:
        PluginError: it failed, or yields what is no Iterate with an image of the start's shape.
        MemoryError, torch.OutOfMemoryError: there was not the memory for it.
    """
    try:
        with contextlib.closing(optimizer.minimize(problem, steps)) as found:
            for iterate in itertools.islice(found, steps):
                _check(iterate, problem.start, optimizer.name, owner)
                yield iterate
    except (ImpastoError, *OUT_OF_MEMORY):
        raise
    except RuntimeError as error:
        if _CPU_OUT_OF_MEMORY in str(error):
            raise MemoryError(str(error)) from error
        raise PluginError(owner, f"{optimizer.name}: {error}") from error
    except Exception as error:
        raise PluginError(owner, f"{optimizer.name}: {type(error).__name__}: {error}") from error


def _check(iterate: object, start: torch.Tensor, name: str, owner: str) -> None:
    if not isinstance(iterate, Iterate):
        raise PluginError(owner, f"{name} must yield Iterate, not {type(iterate).__name__}")
    if not isinstance(iterate.image, torch.Tensor) or iterate.image.shape != start.shape:
        shape = getattr(iterate.image, "shape", type(iterate.image).__name__)
        raise PluginError(
            owner, f"{name} must yield images of the shape {tuple(start.shape)}, not {shape}"
        )
