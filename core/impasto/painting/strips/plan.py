"""How a network is run within a given memory: which features are kept, which are computed twice.

Three things trade memory for time. Features may be kept from the forward to the backward pass, or
computed again. Whole maps may stand between the blocks of a network, or all blocks may run together
on one strip, whose halo then is deeper. And an optimizer may remember more, or less. Where the
network is computed in float32, whole maps can be stored in bfloat16, at half the memory: as precise
as painting on a CPU that computes in bfloat16.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch

from impasto.painting.network import Convolution, Network
from impasto.painting.strips.rows import (
    Segment,
    StripSize,
    split_at_pools,
    widest_pixel_bytes,
)
from impasto.painting.threads import at_once

IMAGE_BYTES: Final = 83
"""Bytes per pixel of a picture that painting takes besides feature maps and what an optimizer
remembers: six float32 images of three channels (the picture, its gradient, the step to come, ...)
and decoded ones."""
REMEMBERED_BYTES: Final = (48, 24)
"""Bytes per pixel that an optimizer's memory is worth, and the least: for L-BFGS 4 pairs, as good
as 6 and more, and 2."""
STRIP_MAPS: Final = 12
"""About how many maps of a strip's largest size are alive at once, what convolutions take for
themselves included: measured."""
MOST_PIXELS: Final = 200_000_000
LEAST_ROWS: Final = 16
LEAST_ROWS_TOGETHER: Final = 64
"""Strips lower than this spend their time on halos; the second is for blocks that run together."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a network is run on images of one size."""

    segments: tuple[Segment, ...]
    """Convolutions that run together on a strip; whole maps stand between segments."""
    keep: frozenset[str]
    """Layers whose whole features stay for the backward pass."""
    strip: StripSize
    stored: torch.dtype
    """The precision of whole maps."""

    def stored_bytes(self, convolution: Convolution) -> int:
        """Bytes of one pixel of a convolution's output, all channels, in a whole map."""
        return convolution.channels * self.stored.itemsize

    def whole_map_bytes(self, height: int, width: int) -> int:
        """Bytes of the maps that stand whole at an image of this size."""
        total = 3 * height * width * self.stored.itemsize  # the input
        for number, segment in enumerate(self.segments):
            for convolution in segment.convolutions:
                if convolution.name in self.keep:
                    total += self.stored_bytes(convolution) * height * width
                if convolution.pool:
                    height, width = height // 2, width // 2
            if number + 1 < len(self.segments):  # the next one's input and the gradient there
                total += 2 * self.stored_bytes(segment.convolutions[-1]) * height * width
        return total

    def strip_map_bytes(self, height: int, width: int) -> int:
        """Bytes of all maps of strips that are computed side by side, and what convolutions take
        for themselves."""
        row = width * widest_pixel_bytes(c for s in self.segments for c in s.convolutions)
        least = row * min(height, self.strip.least_rows * self.strip.at_once)
        return STRIP_MAPS * min(max(self.strip.bytes, least), row * height)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a painting may take at one size: how to run the network, and what is left for the
    optimizer to remember, in bytes."""

    plan: Plan
    optimizer: int | None
    """None: no limit."""


def lean_plan(network: Network, strip_bytes: int) -> Plan:
    """The plan that takes the least memory: only the image is whole."""
    together = (Segment(network.convolutions),)
    strip = StripSize(strip_bytes, at_once(network.device), LEAST_ROWS_TOGETHER)
    return Plan(together, frozenset(), strip, network.dtype)


def plans(network: Network, strip_bytes: int) -> Iterator[Plan]:
    """Ways to run a network, from the fastest to the one that takes least memory."""
    segments = split_at_pools(network.convolutions)
    # What costs most to compute again, for each byte of it, comes first; from RGB all is cheap.
    worth = sorted(
        (c for c in network.convolutions if c.weight.shape[1] > 3),
        key=lambda c: c.weight.shape[1],
        reverse=True,
    )
    strip = StripSize(strip_bytes, at_once(network.device), LEAST_ROWS)
    shorter = torch.bfloat16 if network.dtype == torch.float32 else network.dtype
    # Where all can be kept, higher strips save halos and calls; elsewhere keeping saves more.
    for stored in dict.fromkeys((network.dtype, shorter)):
        for times in (4, 2):
            higher = strip._replace(bytes=times * strip_bytes)
            yield Plan(segments, frozenset(c.name for c in worth), higher, stored)
    for count in range(len(worth), -1, -1):
        yield Plan(segments, frozenset(c.name for c in worth[:count]), strip, shorter)
    for part in (2, 4):
        yield Plan(segments, frozenset(), strip._replace(bytes=strip_bytes // part), shorter)
    yield lean_plan(network, strip_bytes)


def budget(
    network: Network, size: tuple[int, int], available: int | None, strip_bytes: int
) -> Budget | None:
    """The fastest way to paint an image of (height, width) in `available` bytes (None: no limit);
    None where it does not fit in any way."""
    height, width = size
    pixels = height * width
    for remembered in REMEMBERED_BYTES:
        for plan in plans(network, strip_bytes):
            needed = IMAGE_BYTES * pixels + _all_maps(network, plan, height, width)
            if available is None:
                return Budget(plan, None)
            if needed + remembered * pixels <= available:
                return Budget(plan, available - needed)
    return None


def least_bytes(network: Network, size: tuple[int, int], strip_bytes: int) -> int:
    """The least memory for which there is a budget for an image of (height, width)."""
    height, width = size
    maps = min(_all_maps(network, plan, height, width) for plan in plans(network, strip_bytes))
    return maps + (IMAGE_BYTES + REMEMBERED_BYTES[-1]) * height * width


def most_pixels(
    network: Network, aspect: float, available: int | None, strip_bytes: int
) -> int | None:
    """The most pixels with which a picture `aspect` times wider than high fits into `available`
    bytes; None is no limit."""
    if available is None:
        return None
    low, high = 0, MOST_PIXELS
    while high - low > high // 100 + 1:
        pixels = (low + high) // 2
        # Rounded up: a picture's own sides may be rounded either way.
        size = (math.ceil(math.sqrt(pixels / aspect)), math.ceil(math.sqrt(pixels * aspect)))
        if budget(network, size, available, strip_bytes) is None:
            high = pixels
        else:
            low = pixels
    return low


def _all_maps(network: Network, plan: Plan, height: int, width: int) -> int:
    """Bytes of maps at a size and at the smaller ones, which are evaluated along with it: those of
    `plan`, in which all sizes take turns, and the content features of each."""
    total = plan.strip_map_bytes(height, width) + plan.whole_map_bytes(height, width)
    for convolution in network.convolutions:
        if convolution.name in network.content_layers:
            # 1 + 1/4 + 1/16 + ...
            total += plan.stored_bytes(convolution) * height * width * 4 // 3
        if convolution.pool:
            height, width = height // 2, width // 2
    return total
