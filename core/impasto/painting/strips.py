"""The objective in strips of rows: the same losses and gradients in a fraction of the memory.

Whole feature maps of a picture are what makes style transfer large. Here only the maps between
blocks (after a pool, a quarter of the pixels) are kept whole. Going forward, each block runs strip
by strip and leaves behind what its Gram matrices and content losses sum up to. Going backward, each
strip's features are computed again and autograd runs through that strip alone.

It is exact, not an approximation: a strip is computed with as many rows beyond each end (its halo)
as its block has 3x3 convolutions, so that what zero padding spoils at a cut never reaches the
strip's own rows; gradients that fall on halo rows are added to those of the neighbours.

The gradient of a Gram loss L at features F (as rows of pixels) is 2 F (dL/dS) with S = F^T F, a
small matrix known after the forward pass. Hence the two passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
import torch.nn.functional as F

from impasto.contracts import Evaluation, Losses
from impasto.painting.networks import IMAGENET_STD, Convolution, Network
from impasto.painting.objective import Metric, gram_sum, mix

STRIP_BYTES: Final = 6_000_000
"""About how large the largest map of a strip is: small enough for a CPU's cache and for small
hosts, large enough that the halo costs little."""
LEAST_ROWS: Final = 16


@dataclass(frozen=True, slots=True)
class _Block:
    """Convolutions between two pools."""

    convolutions: tuple[Convolution, ...]

    @property
    def pool(self) -> bool:
        return self.convolutions[-1].pool

    @property
    def halo(self) -> int:
        return len(self.convolutions)

    def strips(self, maps: torch.Tensor) -> Iterator[_Strip]:
        """Strips of even height (but for the last) over input maps 1xCxHxW."""
        height, width = maps.shape[-2:]
        widest = max(c.weight.shape[0] for c in self.convolutions)
        rows = STRIP_BYTES // (width * widest * maps.element_size())
        count = max(1, round(height / max(LEAST_ROWS, rows)))
        rows = -(-height // count)
        rows += rows % 2
        for top in range(0, height, rows):
            yield _Strip(top, min(height, top + rows), self.halo, height)

    def run(
        self, maps: torch.Tensor, own: slice, wanted: set[str]
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
        """Wanted features of the strip's own rows, by layer, and the pooled rows if a pool follows
        and a strip has two rows to pool."""
        found: dict[str, torch.Tensor] = {}
        for convolution in self.convolutions:
            maps = F.conv2d(maps, convolution.weight, convolution.bias, padding=1)
            if convolution.name in wanted:
                found[convolution.name] = maps[:, :, own]
            maps = F.relu(maps)
        maps = maps[:, :, own]
        return found, F.max_pool2d(maps, 2) if self.pool and maps.shape[2] > 1 else None


@dataclass(frozen=True, slots=True)
class _Strip:
    """Own rows [top, bottom) of maps of some height, and how far its input reaches beyond."""

    top: int
    bottom: int
    halo: int
    height: int

    @property
    def reach(self) -> slice:
        """Rows of the input that own rows depend on."""
        return slice(max(0, self.top - self.halo), min(self.height, self.bottom + self.halo))

    @property
    def own(self) -> slice:
        """The own rows within `reach`."""
        return slice(self.top - self.reach.start, self.bottom - self.reach.start)

    @property
    def rows(self) -> slice:
        return slice(self.top, self.bottom)

    @property
    def pooled(self) -> slice:
        """Rows of the pooled maps; an odd last row is dropped, as pooling does."""
        return slice(self.top // 2, self.top // 2 + (self.bottom - self.top) // 2)


@dataclass(slots=True)
class _Forward:
    """What a forward pass leaves behind."""

    inputs: list[torch.Tensor] = field(default_factory=list)
    """Input maps of each block."""
    sums: dict[str, torch.Tensor] = field(default_factory=dict)
    """F F^T over all pixels, by style layer."""
    pixels: dict[str, int] = field(default_factory=dict)
    content: float = 0.0


class StripObjective:
    """The loss of an image against one content and some style images, at one size.

    Takes and returns what `objective.Objective` does.
    """

    def __init__(
        self,
        network: Network,
        content: torch.Tensor,
        styles: Sequence[tuple[torch.Tensor, float]],
        style_weight: float,
    ) -> None:
        self._network = network
        self._style_weight = style_weight
        self._wanted = {*network.style_layers, *network.content_layers}
        self._metrics = {layer: Metric.of(network, layer) for layer in self._wanted}
        self._blocks = _split(network.convolutions)
        self._content: dict[str, torch.Tensor] = {}
        with torch.no_grad():
            self._content = self._content_features(content)
            self._grams = mix(
                [(self._gram_matrices(self._forward(image)), weight) for image, weight in styles]
            )

    @torch.no_grad()
    def losses(self, image: torch.Tensor) -> Losses:
        """Losses without a gradient: about a third of the cost of `evaluate`."""
        forward = self._forward(image, with_content=True)
        style, _ = self._style(forward)
        return Losses(style, forward.content)

    @torch.no_grad()
    def evaluate(self, image: torch.Tensor) -> Evaluation:
        """Losses at a 1x3xHxW image in [0, 1] and the gradient of their sum, float32."""
        forward = self._forward(image, with_content=True)
        style, slopes = self._style(forward)
        gradient: torch.Tensor | None = None
        while forward.inputs:
            block, maps = self._blocks[len(forward.inputs) - 1], forward.inputs.pop()
            gradient = self._backward(block, maps, gradient, slopes, first=not forward.inputs)
        assert gradient is not None  # noqa: S101  (a network has at least one block)
        std = gradient.new_tensor(IMAGENET_STD).view(1, 3, 1, 1)
        return Evaluation(Losses(style, forward.content), (gradient / std).contiguous())

    def _sweep(
        self, image: torch.Tensor, inputs: list[torch.Tensor]
    ) -> Iterator[tuple[_Strip, dict[str, torch.Tensor]]]:
        """Goes forward through all blocks; yields each strip with the wanted features of its own
        rows, and leaves the input maps of the blocks in `inputs`."""
        maps = self._network.normalized(image)
        for block in self._blocks:
            inputs.append(maps)
            following = _pooled_like(block, maps)
            for strip in block.strips(maps):
                found, pooled = block.run(maps[:, :, strip.reach], strip.own, self._wanted)
                yield strip, found
                if pooled is not None:
                    following[:, :, strip.pooled] = pooled
            maps = following

    def _forward(self, image: torch.Tensor, *, with_content: bool = False) -> _Forward:
        forward = _Forward()
        for strip, found in self._sweep(image, forward.inputs):
            self._sum_grams(forward, found)
            if with_content:
                forward.content += self._content_loss(found, strip)
        return forward

    def _sum_grams(self, forward: _Forward, found: dict[str, torch.Tensor]) -> None:
        for layer in self._network.style_layers.keys() & found.keys():
            part = gram_sum(found[layer], self._metrics[layer])
            pixels = found[layer].shape[-2] * found[layer].shape[-1]
            forward.sums[layer] = forward.sums[layer] + part if layer in forward.sums else part
            forward.pixels[layer] = forward.pixels.get(layer, 0) + pixels

    def _gram_matrices(self, forward: _Forward) -> dict[str, torch.Tensor]:
        return {
            layer: total / (self._metrics[layer].channels * forward.pixels[layer])
            for layer, total in forward.sums.items()
        }

    def _style(self, forward: _Forward) -> tuple[float, dict[str, torch.Tensor]]:
        """The style loss and, by layer, its slope: the derivative by F^T F, a symmetric matrix."""
        loss = 0.0
        slopes: dict[str, torch.Tensor] = {}
        for layer, gram in self._gram_matrices(forward).items():
            metric = self._metrics[layer]
            weight = self._style_weight * self._network.style_layers[layer]
            with torch.enable_grad():
                difference = (gram - self._grams[layer]).requires_grad_()
                term = weight * metric.gram_loss(difference)
                (slope,) = torch.autograd.grad(term, difference)
            loss += term.item()
            slopes[layer] = slope / (metric.channels * forward.pixels[layer])
        return loss, slopes

    def _content_loss(self, found: dict[str, torch.Tensor], strip: _Strip) -> float:
        """This strip's part of the content loss: its mean, times its share of all rows."""
        loss = 0.0
        for layer in self._network.content_layers.keys() & found.keys():
            difference = found[layer] - self._content[layer][:, :, strip.rows]
            share = (strip.bottom - strip.top) / strip.height
            weight = self._network.content_layers[layer]
            loss += weight * share * self._metrics[layer].content_loss(difference).item()
        return loss

    def _content_features(self, content: torch.Tensor) -> dict[str, torch.Tensor]:
        """Whole feature maps of the content layers: the only ones that are kept."""
        kept: dict[str, torch.Tensor] = {}
        for strip, found in self._sweep(content, []):
            for layer in self._network.content_layers.keys() & found.keys():
                features = found[layer]
                if layer not in kept:
                    kept[layer] = _room(features, strip.height, features.shape[-1])
                kept[layer][:, :, strip.rows] = features
        return kept

    def _backward(
        self,
        block: _Block,
        maps: torch.Tensor,
        above: torch.Tensor | None,
        slopes: dict[str, torch.Tensor],
        *,
        first: bool,
    ) -> torch.Tensor:
        """Gradient at a block's input maps, from that at its pooled output (None above the last
        block). That of the first block, the image's, is summed in float32."""
        dtype = torch.float32 if first else maps.dtype
        gradient = torch.zeros_like(maps, dtype=dtype)
        for strip in block.strips(maps):
            part = maps[:, :, strip.reach].detach().requires_grad_()
            with torch.enable_grad():
                found, pooled = block.run(part, strip.own, self._wanted)
            outputs, slopes_at = [], []
            for layer, features in found.items():
                outputs.append(features)
                slopes_at.append(self._feature_gradient(layer, features.detach(), slopes, strip))
            if above is not None and pooled is not None:
                outputs.append(pooled)
                slopes_at.append(above[:, :, strip.pooled])
            (of_part,) = torch.autograd.grad(outputs, part, slopes_at)
            gradient[:, :, strip.reach] += of_part
        return gradient

    def _feature_gradient(
        self, layer: str, features: torch.Tensor, slopes: dict[str, torch.Tensor], strip: _Strip
    ) -> torch.Tensor:
        """The losses' own gradient at a strip's features of one layer, 1xCxhxW."""
        gradient = torch.zeros_like(features)
        channels = features.shape[1]
        if layer in slopes:
            slope = 2 * slopes[layer][:, :channels]
            weight, constant = slope[:channels], slope[channels:].flatten()
            gradient = _mixed(features, weight, constant if len(constant) else None)
        if layer in self._content:
            difference = features - self._content[layer][:, :, strip.rows]
            metric = self._metrics[layer]
            scale = 2 * self._network.content_layers[layer]
            scale /= metric.channels * strip.height * features.shape[-1]
            if metric.content is not None:
                difference = _mixed(difference, metric.content)
            gradient = gradient.add(difference, alpha=scale)
        return gradient


def _split(convolutions: Sequence[Convolution]) -> list[_Block]:
    blocks: list[list[Convolution]] = [[]]
    for convolution in convolutions:
        blocks[-1].append(convolution)
        if convolution.pool:
            blocks.append([])
    return [_Block(tuple(block)) for block in blocks if block]


def _mixed(
    maps: torch.Tensor, weight: torch.Tensor, constant: torch.Tensor | None = None
) -> torch.Tensor:
    """Every pixel's channels times a symmetric matrix, plus a constant: a 1x1 convolution."""
    dtype = maps.dtype
    offset = None if constant is None else constant.to(dtype)
    return F.conv2d(maps, weight.to(dtype)[:, :, None, None], offset)


def _room(like: torch.Tensor, height: int, width: int, channels: int | None = None) -> torch.Tensor:
    """Uninitialised channels-last maps of the kind of others."""
    shape = (1, channels or like.shape[1], height, width)
    return like.new_empty(shape).contiguous(memory_format=torch.channels_last)


def _pooled_like(block: _Block, maps: torch.Tensor) -> torch.Tensor:
    """Room for a block's pooled output; nothing where no pool follows."""
    if not block.pool:
        return maps
    height, width = maps.shape[-2:]
    return _room(maps, height // 2, width // 2, block.convolutions[-1].weight.shape[0])
