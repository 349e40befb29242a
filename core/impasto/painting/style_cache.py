"""Gram matrices of style pictures, kept: a preset costs its pass through the network once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from PIL import Image

from impasto.painting.objective import Grams

MOST_BYTES: Final = 16_000_000
"""Some forty styles at three levels under VGG-19's first layers, or hundreds under a thin one."""

Key = tuple[object, ...]


class StyleCache:
    """The most recently used Gram matrices, as many as fit."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, Grams] = OrderedDict()

    def get(self, key: Key, compute: Callable[[], Grams]) -> Grams:
        """What is kept under this key, else what `compute` returns, which then is kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        grams = self._kept[key] = compute()
        self._bytes += _size(grams)
        while self._bytes > self._most_bytes and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= _size(oldest)
        return grams


def fingerprint(picture: Image.Image) -> bytes:
    """Tells pictures apart by their pixels."""
    return hashlib.blake2b(
        picture.tobytes(), digest_size=16, key=repr(picture.size).encode()
    ).digest()


def _size(grams: Grams) -> int:
    return sum(gram.numel() * gram.element_size() for gram in grams.values())
