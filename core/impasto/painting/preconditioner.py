"""What is known of any picture before painting it, as a rough inverse Hessian.

Natural pictures have spectra that fall with frequency (amplitude ~ 1/f: Field, "Relations between
the statistics of natural images", JOSA A 1987) and strongly correlated colors. A gradient that is
multiplied by such a covariance changes a picture as pictures change: broad and gray first. It
roughly halves the number of steps, and keeps noise out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch

SPECTRAL_EXPONENT: Final = 1.25
"""Fall of the power spectrum; exponents from 1.0 to 1.5 did alike."""
LOWEST_FREQUENCY: Final = 0.01
"""Cycles per pixel below which the spectrum is taken as flat."""
COLOR_SHARE: Final = 0.5
"""How much of the color map is natural correlation; the rest leaves colors independent."""

_COLOR_COVARIANCE_ROOT: Final = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Square root of the RGB covariance of natural pictures: columns are lightness and two hues
(the decorrelation matrix of Olah et al., "Feature Visualization", Distill 2017)."""


def natural_image_preconditioner(
    height: int, width: int, device: torch.device
) -> Callable[[torch.Tensor], torch.Tensor]:
    """A symmetric positive definite map of 1x3xHxW float32 tensors: filter, then mix colors."""
    rows = torch.fft.fftfreq(height, device=device)[:, None]
    columns = torch.fft.rfftfreq(width, device=device)[None]
    power = (rows.square() + columns.square() + LOWEST_FREQUENCY**2).pow(-SPECTRAL_EXPONENT / 2)

    root = torch.tensor(_COLOR_COVARIANCE_ROOT, device=device)
    covariance = root @ root.T
    covariance = covariance / covariance.diagonal().mean()
    colors = COLOR_SHARE * covariance + (1 - COLOR_SHARE) * torch.eye(3, device=device)

    def precondition(gradient: torch.Tensor) -> torch.Tensor:
        filtered = torch.empty_like(gradient)
        for channel, row in enumerate(colors):  # one by one: complex spectra are large
            mixed = torch.tensordot(row, gradient[0], dims=1)
            spectrum = torch.fft.rfft2(mixed).mul_(power)
            filtered[0, channel] = torch.fft.irfft2(spectrum, s=(height, width))
        return filtered

    return precondition
