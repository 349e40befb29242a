"""What is minimised: Gram-matrix style loss plus content loss.

Gatys, Ecker, Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016), with
the scales of the tutorial implementations that the first bots used:

    G(F)    = F F^T / (C N)                  F: C x N features of one layer, N = height x width
    style   = style_weight * sum over style layers of w * mean((G(F_x) - G(F_style))^2)
    content = sum over content layers of w * mean((F_x - F_content)^2)

Features are taken before the ReLU. Content and style pictures may differ in size: Gram matrices are
per pixel. Several style pictures are mixed by averaging their Gram matrices.

Readouts. Where a layer has a readout R = [A b] to C_t teacher channels, the teacher's features are
R (f, 1), so its Gram difference is R D R^T with D that of the own features with a constant channel
appended, and

    mean((R D R^T)^2) = tr(M D M D) / C_t^2,   M = R^T R
    mean((A f_x - A f_content)^2) = mean over pixels of d^T (A^T A) d / C_t,   d = f_x - f_content

so that no readout is ever evaluated on pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from impasto.contracts import Evaluation, Losses
from impasto.painting.networks import Network, Readout

_GRAM_CHUNK = 16_384
"""Pixels per partial Gram matrix. In bfloat16 each product is rounded to 8 bits; partial sums,
added in float32, keep that rounding far below what separates two styles."""


@dataclass(frozen=True, slots=True)
class Metric:
    """How distances between own features are weighted to be those of the teacher's."""

    channels: int
    """C_t: the channels over which the losses average."""
    gram: torch.Tensor | None = None  # M, (C+1) x (C+1)
    content: torch.Tensor | None = None  # A^T A, C x C

    @classmethod
    def of(cls, network: Network, layer: str) -> Metric:
        readout: Readout | None = network.readouts.get(layer)
        if readout is None:
            (own,) = {c.bias.shape[0] for c in network.convolutions if c.name == layer}
            return cls(own)
        full = torch.cat([readout.weight, readout.bias[:, None]], dim=1)
        return cls(full.shape[0], full.T @ full, readout.weight.T @ readout.weight)

    def gram_loss(self, difference: torch.Tensor) -> torch.Tensor:
        """mean of squares of the teacher's Gram difference."""
        if self.gram is None:
            return difference.square().mean()
        weighted = self.gram @ difference
        return (weighted * weighted.T).sum() / self.channels**2

    def content_loss(self, difference: torch.Tensor) -> torch.Tensor:
        """mean of squares of the teacher's feature difference; difference: 1xCxHxW."""
        pixels = difference.shape[-2] * difference.shape[-1]
        if self.content is None:
            return difference.float().square().mean()
        weighted = F.conv2d(difference, self.content.to(difference.dtype)[:, :, None, None])
        return (difference.float() * weighted.float()).sum() / (self.channels * pixels)


def gram_matrix(features: torch.Tensor, metric: Metric) -> torch.Tensor:
    """Gram matrix of 1xCxHxW features over C_t H W, float32; CxC, or with a constant channel
    (C+1)x(C+1) where the layer has a readout."""
    _, channels, height, width = features.shape
    rows = features.permute(0, 2, 3, 1).reshape(-1, channels)
    if metric.gram is not None:
        rows = torch.cat([rows, rows.new_ones(rows.shape[0], 1)], dim=1)
    chunks = torch.split(rows, _GRAM_CHUNK) if rows.dtype != torch.float32 else (rows,)
    total = torch.stack([(chunk.T @ chunk).float() for chunk in chunks]).sum(0)
    return total / (metric.channels * height * width)


class Objective:
    """The loss of an image against one content and some style images, at one size.

    Args:
        network: on the device and in the precision to be used.
        content: 1x3xHxW float32 in [0, 1].
        styles: style images (1x3xHxW, any size) with their weights; weights are normalised.
        style_weight: weight of the style loss; content has weight 1.
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
        layers = {*network.style_layers, *network.content_layers}
        self._metrics = {layer: Metric.of(network, layer) for layer in layers}
        with torch.no_grad():
            found = network.features(content)
            self._content = {layer: found[layer] for layer in network.content_layers}
            self._grams = self._mixed_grams(styles)

    def losses(self, image: torch.Tensor) -> Losses:
        """Losses without a gradient: a third of the cost of `evaluate`."""
        with torch.no_grad():
            style, content = self._terms(image)
        return Losses(style.item(), content.item())

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        """Losses at a 1x3xHxW image in [0, 1] and the gradient of their sum, float32."""
        image = image.detach().requires_grad_()
        style, content = self._terms(image)
        (gradient,) = torch.autograd.grad(style + content, image)
        return Evaluation(Losses(style.item(), content.item()), gradient)

    def _terms(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self._network.features(image)
        style = content = image.new_zeros(())
        for layer, weight in self._network.style_layers.items():
            metric = self._metrics[layer]
            difference = gram_matrix(features[layer], metric) - self._grams[layer]
            style = style + weight * metric.gram_loss(difference)
        for layer, weight in self._network.content_layers.items():
            difference = features[layer] - self._content[layer]
            content = content + weight * self._metrics[layer].content_loss(difference)
        return self._style_weight * style, content

    def _mixed_grams(self, styles: Sequence[tuple[torch.Tensor, float]]) -> dict[str, torch.Tensor]:
        total = sum(weight for _, weight in styles)
        mixed: dict[str, torch.Tensor] = {}
        for image, weight in styles:
            found = self._network.features(image)
            for layer in self._network.style_layers:
                gram = gram_matrix(found[layer], self._metrics[layer]) * (weight / total)
                mixed[layer] = mixed[layer] + gram if layer in mixed else gram
        return mixed
