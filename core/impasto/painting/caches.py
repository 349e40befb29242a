"""Gram matrices of style pictures, kept: a preset costs its pass through the network once."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

import torch
from PIL import Image

from impasto.contracts import Device
from impasto.painting.network import Network
from impasto.painting.objective import Grams
from impasto.painting.strips.network import strip_grams
from impasto.painting.tensors import image_of
from impasto.sizes import MIN_SIDE

MOST_BYTES: Final = 10_000_000
"""Fifteen styles at three levels under VGG-19's first layers, forty under the embedded network."""

Key = tuple[object, ...]
_Halves = Mapping[str, torch.Tensor]
"""By layer, a Gram matrix without what its symmetry repeats."""


class StyleCache:
    """The most recently used Gram matrices, as many as fit. Several threads may use it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, _Halves] = OrderedDict()
        self._keeping = threading.Lock()

    def grams(self, network: Network, device: Device, style: Image.Image, halvings: int) -> Grams:
        """Gram matrices, under a network on a device, of a prepared style picture whose sides are
        halved `halvings` times."""
        width, height = (max(MIN_SIDE, round(side / 2**halvings)) for side in style.size)

        def compute() -> Grams:
            image = image_of(style, (height, width), device.torch_device())
            return strip_grams(network, image, device.strip_bytes())

        # Networks stay loaded, so none can take over the identity of another.
        return self.get((id(network), fingerprint(style), (width, height)), compute)

    def get(self, key: Key, compute: Callable[[], Grams]) -> Grams:
        """What is kept under this key, else what `compute` returns, which then is kept."""
        halves = self._kept.get(key)
        if halves is None:  # computed by two threads now and then, rather than one at a time
            halves = {layer: _half(gram) for layer, gram in compute().items()}
        self._keep(key, halves)
        return {layer: _whole(half) for layer, half in halves.items()}

    def _keep(self, key: Key, halves: _Halves) -> None:
        """Makes this the one used last, and lets go of those that no longer fit."""
        with self._keeping:
            if key not in self._kept:
                self._kept[key] = halves
                self._bytes += _size(halves)
            self._kept.move_to_end(key)
            while self._bytes > self._most_bytes and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= _size(oldest)


def fingerprint(picture: Image.Image) -> bytes:
    """Tells pictures apart by their pixels."""
    return hashlib.blake2b(
        picture.tobytes(), digest_size=16, key=repr(picture.size).encode()
    ).digest()


def _half(gram: torch.Tensor) -> torch.Tensor:
    """A symmetric matrix as the values on and above its diagonal, row by row."""
    above = torch.triu_indices(*gram.shape, device=gram.device)
    return gram[above[0], above[1]]


def _whole(half: torch.Tensor) -> torch.Tensor:
    """The matrix that `_half` was given."""
    side = (math.isqrt(8 * len(half) + 1) - 1) // 2
    row, column = torch.triu_indices(side, side, device=half.device)
    gram = half.new_empty(side, side)
    gram[row, column] = half
    gram[column, row] = half
    return gram


def _size(halves: _Halves) -> int:
    return sum(half.numel() * half.element_size() for half in halves.values())
