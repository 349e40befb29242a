"""torchvision beside a torch that it was not built for.

A registry's torchvision is built for CUDA. Next to a CPU build of torch its C++ operators do not
load, and `import torchvision` then ends at "operator torchvision::nms does not exist", though
nothing here needs operators: it is asked for the address and the hash of its VGG-19 only.
"""

from __future__ import annotations

import functools
import importlib
import sys
from types import ModuleType

import torch

_MISSING = "torchvision::nms"
_UNDECLARED = ("nms", "qnms")
_SCHEMA = "{}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@functools.cache
def import_torchvision() -> ModuleType:
    """torchvision, with the two operators declared that its import trips on where they are missing.

    They stay without an implementation: calling them fails, which is what they did before.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # half imported
    for name in _UNDECLARED:
        _library().define(_SCHEMA.format(name))  # type: ignore[no-untyped-call]
    return importlib.import_module("torchvision")


@functools.cache
def _library() -> torch.library.Library:
    """Declarations are withdrawn with the object that made them, so it is kept."""
    return torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
