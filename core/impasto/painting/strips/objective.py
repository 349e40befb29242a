"""The objective in strips of rows: what painting minimises.

The gradient of a Gram loss L at features F (as rows of pixels) is 2 F (dL/dS) with S = F^T F, a
small matrix that is known after the forward pass. Hence the two passes.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping

import torch
import torch.nn.functional as F

from impasto.contracts import Evaluation, Losses
from impasto.painting.network import Network
from impasto.painting.objective import Grams, Objective
from impasto.painting.strips.network import Buffers, GramSums, StripNetwork, strip_features
from impasto.painting.strips.plan import Plan
from impasto.painting.strips.rows import Stage


class StripObjective(Objective):
    """The same losses and gradients of an image as `Objective` gives, in strips of rows.

    Args:
        plan: how to run the network at this size, as `workspace.budget` finds it.
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
        self._strip_bytes = plan.strip.bytes
        self._strips = StripNetwork(network, plan, buffers)
        super().__init__(network, content, style, style_weight)

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
        sums = GramSums(self._network, self._metrics)
        content = image.new_zeros(())

        def visit(stage: Stage, features: torch.Tensor) -> None:
            sums.add(stage, features)
            if stage.convolution.name in self._content:
                content.add_(self._content_loss(stage, features))

        return sums, content, self._strips.forward(image, visit)

    def _slopes(self, sums: GramSums) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The style loss and, by layer, its derivative by F^T F, a symmetric matrix."""
        with torch.enable_grad():
            grams = {layer: gram.requires_grad_() for layer, gram in sums.grams().items()}
            loss = self._style_loss(grams)
            slopes = torch.autograd.grad(loss, list(grams.values()))
        return loss.detach(), {
            layer: slope / sums.divisor(layer) for layer, slope in zip(grams, slopes, strict=True)
        }

    def _content_loss(self, stage: Stage, features: torch.Tensor) -> torch.Tensor:
        """A strip's part of a layer's content loss: its mean, times its share of all rows."""
        layer = stage.convolution.name
        difference = features - stage.own.of(self._content[layer])
        share = difference.shape[-2] / stage.own.height
        weight = self._network.content_layers[layer]
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
            scale = 2 * self._network.content_layers[layer]
            scale /= metric.channels * stage.own.height * features.shape[-1]
            if gradient is None:
                gradient = difference.mul_(scale)
            else:
                gradient.add_(difference, alpha=scale)
        return gradient

    def _features_of(self, image: torch.Tensor, layers: Collection[str]) -> dict[str, torch.Tensor]:
        return strip_features(self._network, image, layers, self._strip_bytes)


def _mixed(
    maps: torch.Tensor, weight: torch.Tensor, constant: torch.Tensor | None = None
) -> torch.Tensor:
    """Every pixel's channels times a symmetric matrix, plus a constant: a 1x1 convolution."""
    dtype = maps.dtype
    offset = None if constant is None else constant.to(dtype)
    return F.conv2d(maps, weight.to(dtype)[:, :, None, None], offset)
