"""The objective in strips of rows: what painting minimises.

The gradient of a Gram loss L at features F (as rows of pixels) is 2 F (dL/dS) with S = F^T F, a
small matrix that is known after the forward pass. Hence the two passes.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import torch
import torch.nn.functional as F

from impasto.contracts import Evaluation, Losses
from impasto.painting.network import Network
from impasto.painting.objective import Grams, metrics, style_loss
from impasto.painting.strips.network import (
    Buffers,
    GramSums,
    StripNetwork,
    StripSum,
    strip_features,
)
from impasto.painting.strips.plan import Plan
from impasto.painting.strips.rows import Stage


class StripObjective:
    """The loss of an image against a content image and the Gram matrices of a style, at one size.

    Args:
        network: on the device and in the precision to be used.
        content: 1x3xHxW float32 in [0, 1].
        style: Gram matrices by style layer, as `strip_grams` gives them.
        style_weight: weight of the style loss; content has weight 1.
        plan: how to run the network at this size, as `strips.plan.budget` finds it.
        buffers: shared with objectives of other sizes of the picture.
    """

    def __init__(
        self,
        network: Network,
        content: torch.Tensor,
        style: Grams,
        style_weight: float,
        plan: Plan,
        *,
        buffers: Buffers | None = None,
    ) -> None:
        self.network = network
        self._metrics = metrics(network)
        self._style = style
        self._style_weight = style_weight
        self._strips = StripNetwork(network, plan, buffers)
        self._content = strip_features(
            network, content, network.content_layers, plan.strip.bytes, plan.stored
        )

    @torch.no_grad()
    def losses(self, image: torch.Tensor) -> Losses:
        """Losses without a gradient: about a third of the cost of `evaluate`."""
        sums, content, _ = self._forward(image)
        return Losses(self._style_loss(sums.grams()).item(), content.item())

    @torch.no_grad()
    def evaluate(self, image: torch.Tensor) -> Evaluation:
        """Loss at a 1x3xHxW image in [0, 1] and its gradient, float32."""
        sums, content, inputs = self._forward(image)
        style, slopes = self._slopes(sums)
        slope = functools.partial(self._feature_gradient, slopes)
        return Evaluation(style + content, self._strips.backward(inputs, slope))

    def _forward(self, image: torch.Tensor) -> tuple[GramSums, torch.Tensor, list[torch.Tensor]]:
        """F F^T by style layer, the content loss, and what the backward pass needs."""
        sums = GramSums(self.network, self._metrics)
        content = {layer: StripSum() for layer in self._content}

        def visit(stage: Stage, features: torch.Tensor) -> None:
            sums.add(stage, features)
            layer = stage.convolution.name
            if layer in content:
                content[layer].add(stage, self._content_loss(stage, features))

        inputs = self._strips.forward(image, visit)
        losses = (each.total() for each in content.values())
        return sums, sum(losses, image.new_zeros(())), inputs

    def _style_loss(self, grams: Grams) -> torch.Tensor:
        return style_loss(self.network, self._metrics, grams, self._style, self._style_weight)

    def _slopes(self, sums: GramSums) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The style loss and, by layer, its derivative by F^T F, a symmetric matrix."""
        losses, slopes = [], {}
        for layer, gram in sums.grams().items():
            difference = gram - self._style[layer]
            weight = self._style_weight * self.network.style_layers[layer]
            slope = self._metrics[layer].gram_slope(difference).mul_(weight)
            losses.append((difference * slope).sum() / 2)
            slopes[layer] = slope / sums.divisor(layer)
        return torch.stack(losses).sum(), slopes

    def _content_loss(self, stage: Stage, features: torch.Tensor) -> torch.Tensor:
        """A strip's part of a layer's content loss: its mean, times its share of all rows."""
        layer = stage.convolution.name
        difference = features - stage.own.of(self._content[layer])
        share = difference.shape[-2] / stage.own.height
        weight = self.network.content_layers[layer]
        return weight * share * self._metrics[layer].content_loss(difference)

    def _feature_gradient(
        self, slopes: Mapping[str, torch.Tensor], stage: Stage, features: torch.Tensor
    ) -> torch.Tensor | None:
        """The losses' own gradient at a strip's features of one layer, 1xCxhxW."""
        layer = stage.convolution.name
        gradient: torch.Tensor | None = None
        if layer in slopes:
            channels = features.shape[1]
            slope = 2 * slopes[layer][:, :channels]
            weight, constant = slope[:channels], slope[channels:].flatten()
            gradient = _mixed(features, weight, constant if len(constant) else None)
        if layer in self._content:
            difference = features - stage.own.of(self._content[layer])
            metric = self._metrics[layer]
            if metric.content is not None:
                difference = _mixed(difference, metric.content)
            scale = 2 * self.network.content_layers[layer]
            scale /= metric.channels * stage.own.height * features.shape[-1]
            if gradient is None:
                gradient = difference.mul_(scale)
            else:
                gradient.add_(difference, alpha=scale)
        return gradient


def _mixed(
    maps: torch.Tensor, weight: torch.Tensor, constant: torch.Tensor | None = None
) -> torch.Tensor:
    """Every pixel's channels times a symmetric matrix, plus a constant: a 1x1 convolution."""
    dtype = maps.dtype
    offset = None if constant is None else constant.to(dtype)
    return F.conv2d(maps, weight.to(dtype)[:, :, None, None], offset)
