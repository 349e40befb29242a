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

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F

from impasto.contracts import Evaluation, Losses
from impasto.painting.network import Network, Readout

Grams = Mapping[str, torch.Tensor]
"""Gram matrices by style layer, with a constant channel where the layer has a readout."""

COUNTED_BY: Final = 1024
"""On a CPU, pixels are multiplied in multiples of so many, and what is left over apart, filled up
with zeros. oneDNN compiles a product for every new number of pixels, 0.6 MB, and never gives back
half of that: counted one by one they took 15 MB for each new size of picture."""


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
            norm: torch.Tensor = torch.linalg.vector_norm(difference, dtype=_sum_dtype(difference))
            return norm.square() / difference.numel()
        return (self.content * _products(difference)).sum() / (self.channels * pixels)


def _sum_dtype(values: torch.Tensor) -> torch.dtype:
    """What sums over pixels are taken in: float32, or float64 where that is computed in."""
    return torch.promote_types(values.dtype, torch.float32)


def gram_sum(features: torch.Tensor, metric: Metric) -> torch.Tensor:
    """F F^T of 1xCxHxW features, at least float32; CxC, or (C+1)x(C+1) with a constant channel
    where the layer has a readout. Sums of row strips add up to the sum of the whole."""
    product = _products(features)
    if metric.gram is None:
        return product
    rows = _rows(features)
    sums = rows.sum(0, keepdim=True).to(product.dtype)  # summed in float32 before it is rounded
    count = sums.new_full((1, 1), len(rows))
    return torch.cat([torch.cat([product, sums.T], 1), torch.cat([sums, count], 1)])


def _products(features: torch.Tensor) -> torch.Tensor:
    """F F^T of 1xCxHxW features, CxC, at least float32."""
    rows = _rows(features)
    rest = len(rows) % COUNTED_BY if rows.is_cpu else 0
    even = rows[: len(rows) - rest]
    products = (even.T @ even).to(_sum_dtype(rows))
    if rest:
        filled = F.pad(rows[-rest:], (0, 0, 0, COUNTED_BY - rest))
        products = products + filled.T @ filled
    return products


def _rows(features: torch.Tensor) -> torch.Tensor:
    """1xCxHxW features as one row a pixel; a view where they are channels-last."""
    return features.permute(0, 2, 3, 1).flatten(0, 2)


def mix(each: Sequence[tuple[Grams, float]]) -> Grams:
    """Gram matrices of several style pictures, averaged by their weights, layer by layer."""
    total = sum(weight for _, weight in each)
    layers = each[0][0]
    return {
        layer: torch.stack([grams[layer] * (weight / total) for grams, weight in each]).sum(0)
        for layer in layers
    }


def metrics(network: Network) -> dict[str, Metric]:
    """The metric of each style and content layer."""
    layers = {*network.style_layers, *network.content_layers}
    return {layer: Metric.of(network, layer) for layer in layers}


@torch.no_grad()
def gram_matrices(network: Network, image: torch.Tensor) -> Grams:
    """G(F) of each style layer at a 1x3xHxW image in [0, 1]: what a style image is to the
    objective, whatever its size."""
    return _grams(network, network.features(image), metrics(network))


def _grams(
    network: Network, features: Mapping[str, torch.Tensor], by_layer: Mapping[str, Metric]
) -> Grams:
    grams = {}
    for layer in network.style_layers:
        pixels = features[layer].shape[-2] * features[layer].shape[-1]
        total = gram_sum(features[layer], by_layer[layer])
        grams[layer] = total / (by_layer[layer].channels * pixels)
    return grams


class Objective:
    """The loss of an image against a content image and the Gram matrices of a style, at one size.

    This is the readable form: the whole picture at once, gradients by autograd. Painting uses
    `strip_objective.StripObjective`, which computes the same in a fraction of the memory.

    Args:
        network: on the device and in the precision to be used.
        content: 1x3xHxW float32 in [0, 1].
        style: Gram matrices by style layer, as `gram_matrices` gives them.
        style_weight: weight of the style loss; content has weight 1.
    """

    def __init__(
        self, network: Network, content: torch.Tensor, style: Grams, style_weight: float
    ) -> None:
        self._network = network
        self._metrics = metrics(network)
        self._style = style
        self._style_weight = style_weight
        with torch.no_grad():
            self._content = self._features_of(content, network.content_layers)

    def losses(self, image: torch.Tensor) -> Losses:
        """Losses without a gradient."""
        with torch.no_grad():
            style, content = self._terms(image)
        return Losses(style.item(), content.item())

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        """Loss at a 1x3xHxW image in [0, 1] and its gradient, float32."""
        image = image.detach().requires_grad_()
        loss = torch.stack(self._terms(image)).sum()
        (gradient,) = torch.autograd.grad(loss, image)
        return Evaluation(loss.detach(), gradient)

    def _terms(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self._network.features(image)
        content = image.new_zeros(())
        for layer, weight in self._network.content_layers.items():
            difference = features[layer] - self._content[layer]
            content = content + weight * self._metrics[layer].content_loss(difference)
        return self._style_loss(_grams(self._network, features, self._metrics)), content

    def _style_loss(self, grams: Grams) -> torch.Tensor:
        """The weighted style loss of these Gram matrices, a scalar tensor."""
        terms = [
            self._style_weight * weight * self._metrics[layer].gram_loss(difference)
            for layer, weight in self._network.style_layers.items()
            for difference in [grams[layer] - self._style[layer]]
        ]
        return torch.stack(terms).sum()

    def _features_of(self, image: torch.Tensor, layers: Collection[str]) -> dict[str, torch.Tensor]:
        features = self._network.features(image)
        return {layer: features[layer] for layer in layers}
