"""Speed and memory by counts that no machine changes: evaluations to a loss, bytes at peak.

A change that makes painting slower or larger by more than these bounds allow should know that it
does. Float32, one style, pictures of our own making, the network that comes along.
"""

from __future__ import annotations

import math
import statistics
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from impasto import PaintOptions, PaintRequest, paint
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.painting.painter import PaintProgress
from impasto.painting.threads import thread_count, use_threads
from impasto.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("regressions")]

# Bounds leave a fifth above what was measured when they were set: what one change may cost.
MOST_LOSS = 11_000.0
MOST_BYTES = 56_000_000
MOST_BYTES_PER_PIXEL = 850
GRANTED_BYTES = 25_000_000


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors that operations take or make while it is entered, for as long
    as they live. What an operation allocates for itself alone is not among them."""

    def __init__(self) -> None:
        super().__init__()
        self.live = 0
        self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves((args, kwargs, result)):
            if isinstance(leaf, torch.Tensor):
                self._note(leaf.untyped_storage())
        return result

    def _note(self, storage: torch.UntypedStorage) -> None:
        key, size = storage.data_ptr(), storage.nbytes()
        if size == 0 or key in self._known:
            return
        self._known.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.live -= size


def smooth_noise(width: int, height: int, seed: int) -> Image.Image:
    """Large soft patches of color, as a photo has."""
    small = np.random.default_rng(seed).integers(0, 256, (height // 24, width // 24, 3))
    picture = Image.fromarray(small.astype(np.uint8))
    return picture.resize((width, height), Image.Resampling.BICUBIC)


def brush_marks(side: int) -> Image.Image:
    """Slanted strokes in two scales, as a painting has."""
    y, x = np.mgrid[:side, :side].astype(float)
    channels = [np.sin(x / 3 + y / 5), np.sin(x / 11 - y / 7), np.sin((x + y) / 4)]
    return Image.fromarray(np.uint8(127 + 120 * np.stack(channels, axis=-1)))


@dataclass(frozen=True, slots=True)
class Counts:
    """What painting one picture took and came to."""

    evaluations: int
    loss: float
    """Under the network at the picture's own size, however it was painted."""
    peak: int
    """Bytes of tensors."""
    size: tuple[int, int]


@pytest.fixture(scope="module")
def catalogue() -> Iterator[Catalogue]:
    """Features in float32, whatever this CPU likes best, sums in one order, memory without
    limit."""
    threads = thread_count()
    painting = {"device": "cpu", "network": "embedded", "memory_mb": 0, "enlarge": 1, "threads": 1}
    catalogue = load_catalogue(Settings.model_validate({"painting": painting}))
    catalogue.devices["cpu"].feature_dtype = lambda: torch.float32  # type: ignore[method-assign]
    yield catalogue
    use_threads(threads)


def paint_counting(
    catalogue: Catalogue, size: tuple[int, int], steps: int, *, seed: int = 1
) -> Counts:
    request = PaintRequest(
        content=smooth_noise(*size, seed),
        styles=[(brush_marks(160), 1.0)],
        options=PaintOptions(steps=steps),
    )
    evaluations = 0
    with LiveBytes() as counted:
        for event in paint(request, catalogue):
            if isinstance(event, PaintProgress):
                evaluations += 1
            else:
                painting = event
    return Counts(evaluations, painting.losses.total, counted.peak, painting.picture.size)


SIZE = (216, 192)
LARGER = (300, 240)
EVALUATIONS = 28


@pytest.fixture(scope="module")
def paintings(catalogue: Catalogue) -> list[Counts]:
    """Of two photos: what one painting's loss owes to chance is less in the mean of two."""
    return [paint_counting(catalogue, SIZE, EVALUATIONS, seed=seed) for seed in (1, 2)]


def test_so_many_evaluations_lead_to_that_low_a_loss(paintings: list[Counts]) -> None:
    assert all(painting.evaluations <= EVALUATIONS for painting in paintings)
    assert statistics.geometric_mean(painting.loss for painting in paintings) <= MOST_LOSS


def test_tensors_take_at_most_so_many_bytes(paintings: list[Counts]) -> None:
    assert max(painting.peak for painting in paintings) <= MOST_BYTES


def test_each_further_pixel_takes_at_most_so_many_bytes(
    catalogue: Catalogue, paintings: list[Counts]
) -> None:
    larger = paint_counting(catalogue, LARGER, steps=16)
    pixels = math.prod(LARGER) - math.prod(SIZE)
    assert (larger.peak - paintings[0].peak) / pixels <= MOST_BYTES_PER_PIXEL


def test_a_painting_stays_within_the_memory_that_it_is_granted(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue.devices["cpu"], "memory", lambda: GRANTED_BYTES)
    painting = paint_counting(catalogue, SIZE, steps=8)
    assert painting.size == SIZE, "and is not scaled down for it"
    assert painting.peak <= GRANTED_BYTES


def test_tensors_are_counted_while_they_live() -> None:
    known = torch.ones(100)
    with LiveBytes() as counted:
        one = known + 1
        other = one * 2
        view = other.view(10, 10)
        del one, other
        assert counted.live == 2 * 400, "the one taken and the one that is still seen"
        view.add_(1)
        assert counted.live == 2 * 400
        del view
        assert (counted.live, counted.peak) == (400, 3 * 400)
