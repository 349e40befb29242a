"""The objective as its formulas are written: whole pictures, gradients by autograd. Painting uses
`strips.objective.StripObjective`, which must compute the same in a fraction of the memory."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from impasto.contracts import Evaluation, Losses
from impasto.painting.network import Network
from impasto.painting.objective import Grams, Metric, gram_sum, metrics, style_loss


class WholeObjective:
    """The loss of an image against a content image and the Gram matrices of a style; arguments as
    `StripObjective` has them."""

    def __init__(
        self, network: Network, content: torch.Tensor, style: Grams, style_weight: float
    ) -> None:
        self._network = network
        self._metrics = metrics(network)
        self._style = style
        self._style_weight = style_weight
        with torch.no_grad():
            self._content = network.features(content)

    def losses(self, image: torch.Tensor) -> Losses:
        with torch.no_grad():
            style, content = self._terms(image)
        return Losses(style.item(), content.item())

    def evaluate(self, image: torch.Tensor) -> Evaluation:
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
        grams = _grams(self._network, features, self._metrics)
        style = style_loss(self._network, self._metrics, grams, self._style, self._style_weight)
        return style, content


@torch.no_grad()
def gram_matrices(network: Network, image: torch.Tensor) -> Grams:
    """G(F) of each style layer at a 1x3xHxW image in [0, 1]."""
    return _grams(network, network.features(image), metrics(network))


def _grams(
    network: Network, features: Mapping[str, torch.Tensor], by_layer: Mapping[str, Metric]
) -> Grams:
    grams = {}
    for layer in network.style_layers:
        metric = by_layer[layer]
        pixels = features[layer].shape[-2] * features[layer].shape[-1]
        grams[layer] = gram_sum(features[layer], metric) / (metric.channels * pixels)
    return grams
