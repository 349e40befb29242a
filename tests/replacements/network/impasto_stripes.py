"""A feature network that nobody trained: its filters are stripes of all directions."""

from __future__ import annotations

import math

import torch

from impasto import NetworkSource, Settings, hookimpl
from impasto.painting.network import Convolution, Network

DIRECTIONS = 8


def stripes(channels: int) -> torch.Tensor:
    """DIRECTIONS x channels x 3 x 3: light on one side, dark on the other."""
    y, x = torch.meshgrid(torch.arange(-1.0, 2), torch.arange(-1.0, 2), indexing="ij")
    angles = [2 * math.pi * number / DIRECTIONS for number in range(DIRECTIONS)]
    filters = torch.stack([math.cos(a) * x + math.sin(a) * y for a in angles])
    return filters[:, None].expand(-1, channels, -1, -1).contiguous() / (3 * channels)


class Stripes:
    name = "stripes"
    description = "stripes of all directions"

    def why_not(self) -> str | None:
        return None

    def load(self) -> Network:
        bias = torch.zeros(DIRECTIONS)
        return Network(
            name=self.name,
            convolutions=(
                Convolution("conv1_1", stripes(3), bias, pool=True),
                Convolution("conv2_1", stripes(DIRECTIONS), bias, pool=False),
            ),
            style_layers={"conv1_1": 1.0, "conv2_1": 1.0},
            content_layers={"conv2_1": 1.0},
            readouts={},
        )


@hookimpl
def impasto_networks(settings: Settings) -> list[NetworkSource]:
    return [Stripes()]
