"""Kept Gram matrices: what comes back, and what goes when there is no more room."""

from __future__ import annotations

import threading

import torch

from impasto.painting.caches import StyleCache
from impasto.painting.objective import Grams


def grams(seed: int, sides: tuple[int, ...] = (5, 8)) -> Grams:
    generator = torch.Generator().manual_seed(seed)
    features = [torch.randn(side, 20, generator=generator) for side in sides]
    return {f"layer {number}": f @ f.T for number, f in enumerate(features)}


class Counted:
    """Computes Gram matrices, and counts how often."""

    def __init__(self, seed: int) -> None:
        self.seed, self.times = seed, 0

    def __call__(self) -> Grams:
        self.times += 1
        return grams(self.seed)


def test_what_was_computed_comes_back_whole_and_is_not_computed_again() -> None:
    cache, compute = StyleCache(), Counted(1)
    for found in (cache.get(("style",), compute), cache.get(("style",), compute)):
        assert found.keys() == grams(1).keys()
        for layer, gram in grams(1).items():
            torch.testing.assert_close(found[layer], gram)
            assert torch.equal(found[layer], found[layer].T)
    assert compute.times == 1


def test_the_least_recently_used_goes_first() -> None:
    one = 4 * (5 * 6 // 2 + 8 * 9 // 2)  # bytes of two symmetric float32 matrices
    cache = StyleCache(most_bytes=2 * one)
    first, second, third = Counted(1), Counted(2), Counted(3)
    for compute in (first, second, first, third, first, second):
        cache.get((compute.seed,), compute)
    assert (first.times, second.times, third.times) == (1, 2, 1)


def test_what_alone_is_too_large_is_kept_until_the_next() -> None:
    cache, large = StyleCache(most_bytes=10), Counted(1)
    cache.get((1,), large)
    cache.get((1,), large)
    assert large.times == 1


def test_two_threads_may_compute_the_same_and_it_counts_once() -> None:
    one = 4 * (5 * 6 // 2 + 8 * 9 // 2)
    cache, both = StyleCache(most_bytes=2 * one), threading.Barrier(2, timeout=60)

    def compute() -> Grams:
        both.wait()
        return grams(1)

    threads = [threading.Thread(target=cache.get, args=(("same",), compute)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other, same = Counted(2), Counted(1)
    cache.get(("other",), other)
    cache.get(("same",), same)
    assert same.times == 0
