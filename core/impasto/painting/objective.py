"""What is minimized: Gram-matrix style loss plus content loss.

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

The terms are here; `strips/objective.py` sums them up over strips of rows, with their gradients.
The preconditioner says what is known of the minimum before anything is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F

from impasto.painting.network import Network, Readout
from impasto.painting.threads import share_out

Grams = Mapping[str, torch.Tensor]
"""Gram matrices by style layer, with a constant channel where the layer has a readout."""

COUNTED_BY: Final = 1024
"""On a CPU, products over pixels are taken of a multiple of this number of pixels; the remainder is
filled up with zeros and multiplied separately. oneDNN compiles a product for every new number of
pixels, 0.6 MB each, and never gives back half of that: without rounding, each new size of picture
left 15 MB behind."""

TRANSFORMED_AT_ONCE: Final = 2**17
"""Numbers in a block of lines that are Fourier-transformed together: memory for blocks of more than
some megabytes comes from the system each time, which clears it page by page."""
SPECTRAL_EXPONENT: Final = 1.25
"""Fall of the power spectrum; exponents from 1.0 to 1.5 did alike."""
LOWEST_FREQUENCY: Final = 0.01
"""Cycles per pixel below which the spectrum is taken as flat."""
COLOR_SHARE: Final = 0.5
"""How much of the color map is natural correlation; the rest leaves colors independent."""
_COLOR_COVARIANCE_ROOT: Final = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Square root of the RGB covariance of natural pictures: columns are lightness and two hues
(the decorrelation matrix of Olah et al., "Feature Visualization", Distill 2017)."""


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

    def gram_slope(self, difference: torch.Tensor) -> torch.Tensor:
        """The derivative of `gram_loss` by the difference; half of its inner product with the
        difference is the loss."""
        if self.gram is None:
            return difference * (2 / difference.numel())
        return (self.gram @ difference @ self.gram).mul_(2 / self.channels**2)

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


def style_loss(
    network: Network,
    by_layer: Mapping[str, Metric],
    grams: Grams,
    style: Grams,
    style_weight: float,
) -> torch.Tensor:
    """The weighted style loss of an image's Gram matrices against the style's, a scalar tensor."""
    terms = [
        style_weight * weight * by_layer[layer].gram_loss(grams[layer] - style[layer])
        for layer, weight in network.style_layers.items()
    ]
    return torch.stack(terms).sum()


def natural_image_preconditioner(
    height: int, width: int, device: torch.device
) -> Callable[[torch.Tensor], torch.Tensor]:
    """A rough inverse Hessian: a symmetric positive definite map of 1x3xHxW float32 tensors that
    filters and then mixes colors.

    Natural pictures have spectra that fall with frequency (amplitude ~ 1/f: Field, "Relations
    between the statistics of natural images", JOSA A 1987) and strongly correlated colors. A
    gradient that is multiplied by such a covariance changes a picture as pictures change: broad and
    gray first. It roughly halves the number of steps, and keeps noise out. Beyond its borders the
    gradient is taken as zero, as far as a fast Fourier transform reaches.
    """
    padded = fast_length(height), fast_length(width)
    rows = torch.fft.fftfreq(padded[0], device=device)[:, None]
    columns = torch.fft.rfftfreq(padded[1], device=device)[None]
    power = (rows.square() + columns.square() + LOWEST_FREQUENCY**2).pow(-SPECTRAL_EXPONENT / 2)

    root = torch.tensor(_COLOR_COVARIANCE_ROOT, device=device)
    covariance = root @ root.T
    covariance = covariance / covariance.diagonal().mean()
    colors = COLOR_SHARE * covariance + (1 - COLOR_SHARE) * torch.eye(3, device=device)

    frequencies = len(columns[0])
    row_blocks = _blocks(height, frequencies)
    column_blocks = _blocks(frequencies, padded[0])

    def precondition(gradient: torch.Tensor) -> torch.Tensor:
        filtered = torch.empty_like(gradient)

        def channel(number: int) -> None:  # one by one: complex spectra are large
            spectrum = torch.empty((height, frequencies), dtype=torch.complex64, device=device)
            for block in row_blocks:
                mixed = torch.tensordot(colors[number], gradient[0, :, block], dims=1)
                spectrum[block] = torch.fft.rfft(mixed, padded[1])
            for block in column_blocks:
                part = torch.fft.fft(spectrum[:, block], padded[0], dim=0).mul_(power[:, block])
                spectrum[:, block] = torch.fft.ifft(part, dim=0)[:height]
            for block in row_blocks:
                filtered[0, number, block] = torch.fft.irfft(spectrum[block], padded[1])[:, :width]

        share_out(range(len(colors)), channel, device)
        return filtered

    return precondition


def _blocks(lines: int, length: int) -> list[slice]:
    """Lines of this length, as many as are transformed together."""
    count = max(1, TRANSFORMED_AT_ONCE // length)
    return [slice(begin, begin + count) for begin in range(0, lines, count)]


def fast_length(length: int) -> int:
    """The least number from `length` on that has no prime factor beyond 5: Fourier transforms of
    other lengths take several times as long."""
    while not _is_fast(length):
        length += 1
    return length


def _is_fast(length: int) -> bool:
    for factor in (2, 3, 5):
        while length % factor == 0:
            length //= factor
    return length == 1
