"""The objective in strips of rows: the same losses and gradients in a fraction of the memory.

Whole feature maps of a picture are what makes style transfer large. Here only the maps between
blocks (after a pool, a quarter of the pixels) are kept whole. Going forward, each block runs strip
by strip (`blocks.py`) and leaves behind what its Gram matrices and content losses sum up to. Going
backward, each strip's features are computed once more.

The gradient of a Gram loss L at features F (as rows of pixels) is 2 F (dL/dS) with S = F^T F, a
small matrix that is known after the forward pass. Hence the two passes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from impasto.contracts import Evaluation, Losses
from impasto.painting.blocks import Block, Strip, split_into_blocks
from impasto.painting.networks import IMAGENET_STD, Network
from impasto.painting.objective import Objective, gram_sum


@dataclass(slots=True)
class _Forward:
    """What a forward pass leaves behind."""

    inputs: list[torch.Tensor] = field(default_factory=list)
    """Input maps of each block."""
    sums: dict[str, torch.Tensor] = field(default_factory=dict)
    """F F^T over all pixels, by style layer."""
    pixels: dict[str, int] = field(default_factory=dict)
    content: float = 0.0


class StripObjective(Objective):
    """The same losses and gradients of an image as `Objective` gives, in strips of rows."""

    def __init__(
        self,
        network: Network,
        content: torch.Tensor,
        styles: Sequence[tuple[torch.Tensor, float]],
        style_weight: float,
    ) -> None:
        self._blocks = split_into_blocks(network.convolutions)
        super().__init__(network, content, styles, style_weight)

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
        self, image: torch.Tensor, visit: Callable[[Strip, str, torch.Tensor], None]
    ) -> list[torch.Tensor]:
        """Goes forward through all blocks, showing each layer's features strip by strip; returns
        the input maps of the blocks."""
        maps = self._network.normalized(image)
        inputs = []
        for block in self._blocks:
            inputs.append(maps)
            following = _pooled_like(block, maps)
            for strip in block.strips(maps):
                pooled = block.forward(maps, strip, functools.partial(visit, strip))
                if pooled is not None:
                    following[:, :, strip.pooled] = pooled
            maps = following
        return inputs

    def _forward(self, image: torch.Tensor, *, with_content: bool = False) -> _Forward:
        forward = _Forward()

        def visit(strip: Strip, layer: str, features: torch.Tensor) -> None:
            if layer in self._network.style_layers:
                part = gram_sum(features, self._metrics[layer])
                forward.sums[layer] = forward.sums[layer] + part if layer in forward.sums else part
                forward.pixels[layer] = strip.height * features.shape[-1]
            if with_content and layer in self._content:
                forward.content += self._content_loss(layer, features, strip)

        forward.inputs = self._sweep(image, visit)
        return forward

    def _gram_matrices(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return self._grams_of(self._forward(image))

    def _grams_of(self, forward: _Forward) -> dict[str, torch.Tensor]:
        return {
            layer: total / (self._metrics[layer].channels * forward.pixels[layer])
            for layer, total in forward.sums.items()
        }

    def _style(self, forward: _Forward) -> tuple[float, dict[str, torch.Tensor]]:
        """The style loss and, by layer, its slope: the derivative by F^T F, a symmetric matrix."""
        loss = 0.0
        slopes: dict[str, torch.Tensor] = {}
        for layer, gram in self._grams_of(forward).items():
            metric = self._metrics[layer]
            weight = self._style_weight * self._network.style_layers[layer]
            with torch.enable_grad():
                difference = (gram - self._grams[layer]).requires_grad_()
                term = weight * metric.gram_loss(difference)
                (slope,) = torch.autograd.grad(term, difference)
            loss += term.item()
            slopes[layer] = slope / (metric.channels * forward.pixels[layer])
        return loss, slopes

    def _content_loss(self, layer: str, features: torch.Tensor, strip: Strip) -> float:
        """A strip's part of a layer's content loss: its mean, times its share of all rows."""
        difference = features - self._content[layer][:, :, strip.rows]
        share = (strip.bottom - strip.top) / strip.height
        weight = self._network.content_layers[layer]
        return weight * share * self._metrics[layer].content_loss(difference).item()

    def _content_features(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Whole feature maps of the content layers: the only ones that are kept."""
        kept: dict[str, torch.Tensor] = {}

        def visit(strip: Strip, layer: str, features: torch.Tensor) -> None:
            if layer in self._network.content_layers:
                if layer not in kept:
                    kept[layer] = _room(features, strip.height, features.shape[-1])
                kept[layer][:, :, strip.rows] = features

        self._sweep(image, visit)
        return kept

    def _backward(
        self,
        block: Block,
        maps: torch.Tensor,
        above: torch.Tensor | None,
        slopes: dict[str, torch.Tensor],
        *,
        first: bool,
    ) -> torch.Tensor:
        """Gradient at a block's input maps, from that at its pooled output (None above the last
        block). That of the first block, the image's, is summed in the image's precision."""
        dtype = torch.promote_types(maps.dtype, torch.float32) if first else maps.dtype
        gradient = torch.zeros_like(maps, dtype=dtype)
        for strip in block.strips(maps):
            slope = functools.partial(self._feature_gradient, strip, slopes)
            reach, part = block.backward(maps, strip, above, slope)
            gradient[:, :, reach.rows] += part
        return gradient

    def _feature_gradient(
        self, strip: Strip, slopes: dict[str, torch.Tensor], layer: str, features: torch.Tensor
    ) -> torch.Tensor | None:
        """The losses' own gradient at a strip's features of one layer, 1xCxhxW."""
        gradient: torch.Tensor | None = None
        if layer in slopes:
            channels = features.shape[1]
            slope = 2 * slopes[layer][:, :channels]
            weight, constant = slope[:channels], slope[channels:].flatten()
            gradient = _mixed(features, weight, constant if len(constant) else None)
        if layer in self._content:
            difference = features - self._content[layer][:, :, strip.rows]
            metric = self._metrics[layer]
            if metric.content is not None:
                difference = _mixed(difference, metric.content)
            scale = 2 * self._network.content_layers[layer]
            scale /= metric.channels * strip.height * features.shape[-1]
            difference = difference.mul_(scale)
            gradient = difference if gradient is None else gradient.add_(difference)
        return gradient


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


def _pooled_like(block: Block, maps: torch.Tensor) -> torch.Tensor:
    """Room for a block's pooled output; nothing where no pool follows."""
    if not block.pool:
        return maps
    height, width = maps.shape[-2:]
    return _room(maps, height // 2, width // 2, block.convolutions[-1].weight.shape[0])
