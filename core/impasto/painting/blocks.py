"""One block of convolutions (those between two pools), forward and backward, on a strip of rows.

A strip's own rows are exact, not approximate: each 3x3 convolution needs one more row on either
side of its input than it gives, so a block of n convolutions starts from n rows beyond its own (its
halo). Zero padding stands at the borders of the picture alone.

The backward pass is written out. Autograd computes the same, but keeps more maps, and fills whole
maps with zeros for the gradient of each slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch.nn.grad import conv2d_input

from impasto.painting.networks import Convolution

STRIP_BYTES: Final = 2_000_000
"""About how large the largest map of a strip is: it should stay in the CPU's cache, and be large
against the halo, which is computed twice."""
LEAST_ROWS: Final = 16

Visit = Callable[[str, torch.Tensor], None]
"""Called with a layer's name and its features (before the ReLU) at the strip's own rows."""
Slope = Callable[[str, torch.Tensor], torch.Tensor | None]
"""As Visit; returns the losses' own gradient at these features, None where there is none."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Own rows [top, bottom) of a map of `height` rows."""

    top: int
    bottom: int
    height: int

    @property
    def rows(self) -> slice:
        return slice(self.top, self.bottom)

    @property
    def pooled(self) -> slice:
        """Rows of the pooled map; an odd last row is dropped, as pooling does."""
        return slice(self.top // 2, self.top // 2 + (self.bottom - self.top) // 2)

    def grown(self, rows: int) -> Strip:
        """The strip and so many rows on either side, as far as the map goes."""
        top, bottom = max(0, self.top - rows), min(self.height, self.bottom + rows)
        return Strip(top, bottom, self.height)

    def within(self, outer: Strip) -> slice:
        """Where this strip's rows are in those of a grown one."""
        return slice(self.top - outer.top, self.bottom - outer.top)


@dataclass(frozen=True, slots=True)
class Block:
    """Convolutions between two pools."""

    convolutions: tuple[Convolution, ...]

    @property
    def pool(self) -> bool:
        """Whether a pool follows; none does after a network's last block."""
        return self.convolutions[-1].pool

    def strips(self, maps: torch.Tensor) -> Iterator[Strip]:
        """Strips of even height (but for the last) over input maps 1xCxHxW."""
        height, width = maps.shape[-2:]
        widest = max(c.weight.shape[0] for c in self.convolutions)
        rows = STRIP_BYTES // (width * widest * maps.element_size())
        count = max(1, round(height / max(LEAST_ROWS, rows)))
        rows = -(-height // count)
        rows += rows % 2
        for top in range(0, height, rows):
            yield Strip(top, min(height, top + rows), height)

    def forward(self, maps: torch.Tensor, strip: Strip, visit: Visit) -> torch.Tensor | None:
        """Runs a strip of the block's input maps; returns its pooled rows, if any."""
        x = maps[:, :, self._input(strip).rows]
        for convolution, output in self._outputs(strip):
            x = _convolve(x, convolution, output)
            visit(convolution.name, x[:, :, strip.within(output)])
            x = F.relu_(x)
        return F.max_pool2d(x, 2) if self._pools(strip) else None

    def backward(
        self, maps: torch.Tensor, strip: Strip, above: torch.Tensor | None, slope: Slope
    ) -> tuple[Strip, torch.Tensor]:
        """Gradient at the block's input from that at its pooled output (None above the last
        block) and the losses' own at its layers; it covers the rows that are returned with it."""
        x = maps[:, :, self._input(strip).rows]
        activations: list[torch.Tensor] = []
        own_slopes: list[torch.Tensor | None] = []
        for convolution, output in self._outputs(strip):
            x = _convolve(x, convolution, output)
            own_slopes.append(slope(convolution.name, x[:, :, strip.within(output)]))
            x = F.relu_(x)
            activations.append(x)
        gradient = torch.zeros_like(x)
        if above is not None and self._pools(strip):
            gradient = _through_pool(above[:, :, strip.pooled], x)
        following: Strip | None = None
        for convolution, output in reversed(list(self._outputs(strip))):
            activation, own_slope = activations.pop(), own_slopes.pop()
            if following is not None:  # a pool passes gradients on to positive values only
                gradient = torch.ops.aten.threshold_backward(gradient, activation, 0)
            if own_slope is not None:
                gradient[:, :, strip.within(output)] += own_slope
            gradient = _convolve_back(gradient, convolution, output)
            following = output
        return self._input(strip), gradient

    def _input(self, strip: Strip) -> Strip:
        return strip.grown(len(self.convolutions))

    def _outputs(self, strip: Strip) -> Iterator[tuple[Convolution, Strip]]:
        """Each convolution with the rows that it has to give for the strip's own to be exact."""
        for number, convolution in enumerate(self.convolutions, start=1):
            yield convolution, strip.grown(len(self.convolutions) - number)

    def _pools(self, strip: Strip) -> bool:
        return self.pool and strip.bottom - strip.top > 1


def split_into_blocks(convolutions: Sequence[Convolution]) -> list[Block]:
    """Blocks of convolutions, each but the last ending where a pool follows."""
    blocks: list[list[Convolution]] = [[]]
    for convolution in convolutions:
        blocks[-1].append(convolution)
        if convolution.pool:
            blocks.append([])
    return [Block(tuple(block)) for block in blocks if block]


def _borders(output: Strip) -> tuple[int, int]:
    """Rows of zero padding above and below: at the picture's borders only."""
    return int(output.top == 0), int(output.bottom == output.height)


def _convolve(x: torch.Tensor, convolution: Convolution, output: Strip) -> torch.Tensor:
    """Rows of a convolution's output from those of its input, one more on each inner side."""
    above, below = _borders(output)
    if above != below:
        x = F.pad(x, (0, 0, above, below))
    rows = above if above == below else 0
    return F.conv2d(x, convolution.weight, convolution.bias, padding=(rows, 1))


def _convolve_back(gradient: torch.Tensor, convolution: Convolution, output: Strip) -> torch.Tensor:
    """The gradient at a convolution's input rows from that at its output rows."""
    above, below = _borders(output)
    height, width = gradient.shape[-2:]
    # Zero padding on one side only is not to be had: that row comes with the rest, and goes.
    padding = above if above == below else 0
    shape = (1, convolution.weight.shape[1], height + 2 - 2 * padding, width)
    full: torch.Tensor = conv2d_input(  # type: ignore[no-untyped-call]
        shape, convolution.weight, gradient, padding=(padding, 1)
    )
    return full if above == below else full[:, :, above : full.shape[2] - below]


def _through_pool(above: torch.Tensor, activation: torch.Tensor) -> torch.Tensor:
    """The gradient before ReLU and 2x2 max-pool, from that after them and the ReLU's output."""
    pooled, winners = F.max_pool2d(activation, 2, return_indices=True)
    alive = torch.ops.aten.threshold_backward(above, pooled, 0)
    gradient: torch.Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
        alive, activation, [2, 2], [2, 2], [0, 0], [1, 1], False, winners
    )
    return gradient
