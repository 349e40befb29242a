"""The first convolutions of a torch checkpoint, without reading the rest of it.

Files of today's `torch.save` are zip archives, which `torch.load` can map. torchvision's
`vgg19-dcbb9e9d.pth` is of 2017 and older than that format: a few pickles, then the values of all
storages one after the other. `torch.load` reads such a file whole (548 MB where 2 are wanted), so
it is read here. As with `weights_only`, no global is called that is not known to be harmless.
"""

from __future__ import annotations

import pickle
import re
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

from impasto.errors import WeightsError

if TYPE_CHECKING:
    import torch

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_FLOAT_BYTES = 4
_PARAMETER = re.compile(r"features\.(\d+)\.(weight|bias)")


def read_features(path: Path, through: str) -> dict[str, torch.Tensor]:
    """`features.0.weight` ... up to the convolution `through`, contiguous float32.

    Raises:
        WeightsError: the file is no such checkpoint, or has no such convolution.
    """
    try:
        tensors = (
            _read_zip(path, through) if zipfile.is_zipfile(path) else _read_2017(path, through)
        )
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:  # unpickling raises whatever it likes on damaged input
        raise WeightsError(f"{path} is not a checkpoint of torch: {error}") from None
    if f"{through}.weight" not in tensors:
        raise WeightsError(f"{path} has no {through}: it is not torchvision's VGG-19")
    return tensors


def _wanted(names: Iterable[str], through: str) -> list[str]:
    last = int(through.removeprefix("features."))
    matches = ((name, _PARAMETER.fullmatch(name)) for name in names)
    return [name for name, match in matches if match is not None and int(match[1]) <= last]


def _read_zip(path: Path, through: str) -> dict[str, torch.Tensor]:
    import torch

    state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    if not isinstance(state, dict):
        raise ValueError(f"it holds a {type(state).__name__}, not parameters by name")
    names = _wanted([str(name) for name in state], through)
    return {name: state[name].detach().float().clone().contiguous() for name in names}


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    numel: int


@dataclass(frozen=True, slots=True)
class _View:
    """Where a tensor lies in a storage."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def numel(self) -> int:
        count = 1
        for side in self.size:
            count *= side
        return count


def _parameter(data: _View, *_rest: Any) -> _View:
    """Stands for torch._utils._rebuild_parameter."""
    return data


def _view(storage: _Storage, offset: int, size: Any, stride: Any, *_rest: Any) -> _View:
    """Stands for torch._utils._rebuild_tensor and _rebuild_tensor_v2."""
    return _View(storage, int(offset), tuple(size), tuple(stride))


class _FloatStorage:
    """Stands for torch.FloatStorage, which is named and never made here."""


class _Restricted(pickle.Unpickler):
    """Understands a state dict of float tensors and nothing else."""

    _GLOBALS: ClassVar[dict[tuple[str, str], Any]] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch", "FloatStorage"): _FloatStorage,
        ("torch._utils", "_rebuild_parameter"): _parameter,
        ("torch._utils", "_rebuild_tensor"): _view,
        ("torch._utils", "_rebuild_tensor_v2"): _view,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._GLOBALS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, saved: Any) -> _Storage:
        kind, storage_type, key, _location, numel, view = saved
        if kind != "storage" or storage_type is not _FloatStorage or view is not None:
            raise pickle.UnpicklingError("it holds something else than float tensors")
        return _Storage(str(key), int(numel))


def _read_2017(path: Path, through: str) -> dict[str, torch.Tensor]:
    with path.open("rb") as file:
        if _Restricted(file).load() != _MAGIC or _Restricted(file).load() != _PROTOCOL:
            raise ValueError("its first bytes are not those of a checkpoint")
        if not _Restricted(file).load().get("little_endian", True):
            raise ValueError("it was written on a big-endian machine")
        state = _Restricted(file).load()
        if not isinstance(state, dict):
            raise ValueError(f"it holds a {type(state).__name__}, not parameters by name")
        views = {name: state[name] for name in _wanted(state, through)}
        keys = [str(key) for key in _Restricted(file).load()]
        places = _find_storages(file, keys, path.stat().st_size)
        return {name: _read_view(file, view, places) for name, view in views.items()}


def _find_storages(file: IO[bytes], keys: list[str], end: int) -> dict[str, int]:
    """Where each storage's values begin: they follow each other, a count before each."""
    places: dict[str, int] = {}
    for key in keys:
        (numel,) = struct.unpack("<q", file.read(8))
        if numel < 0:
            raise ValueError("a storage has a negative size")
        places[key] = file.tell()
        if file.seek(numel * _FLOAT_BYTES, 1) > end:
            raise EOFError("it ends too early")
    return places


def _read_view(file: IO[bytes], view: Any, places: dict[str, int]) -> torch.Tensor:
    import torch

    if not isinstance(view, _View) or view.storage.key not in places:
        raise ValueError("it holds something else than float tensors")
    if view.stride != _contiguous(view.size):
        raise ValueError("it holds a tensor that is not contiguous")
    file.seek(places[view.storage.key] + view.offset * _FLOAT_BYTES)
    data = bytearray(file.read(view.numel * _FLOAT_BYTES))
    return torch.frombuffer(data, dtype=torch.float32).reshape(view.size)


def _contiguous(size: tuple[int, ...]) -> tuple[int, ...]:
    strides = [1]
    for side in reversed(size[1:]):
        strides.insert(0, strides[0] * side)
    return tuple(strides[: len(size)])
