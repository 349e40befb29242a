"""A feature network of 3,000 weights, and the plugin that offers it by the name `tiny`.

Enough for a test to see a picture change, within a second. Its filters are random, which is known
to carry textures (He et al., "A Powerful Generative Model Using Random Weights for the Deep Image
Representation", arXiv:1606.04801); nobody should judge a painting by it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from impasto import NetworkSource, Settings, hookimpl

if TYPE_CHECKING:
    from impasto.painting.network import Network

NAME: Final = "tiny"
WIDTHS: Final = {0: 6, 2: 6, 5: 10, 7: 10, 10: 12}
"""Channels by the number of the convolution, as torchvision's VGG numbers its layers."""


class TinyNetwork:
    """The `tiny` network; made anew by every `load`, always the same."""

    name = NAME
    description = "random filters, for tests"

    def why_not(self) -> str | None:
        return None

    def load(self) -> Network:
        from impasto.painting.network import load_network

        with tempfile.TemporaryDirectory() as folder:
            return load_network(save_tiny_network(Path(folder) / f"{NAME}.safetensors"))


def save_tiny_network(path: Path) -> Path:
    """Writes the network as a safetensors file, which `painting.network` can name too."""
    random = np.random.default_rng(0)
    tensors: dict[str, NDArray[np.float32]] = {}
    channels = 3
    for number, width in WIDTHS.items():
        scale = (2 / (9 * channels)) ** 0.5  # keeps the variance through ReLUs
        weight = random.normal(0, scale, (width, channels, 3, 3))
        tensors[f"features.{number}.weight"] = weight.astype(np.float32)
        tensors[f"features.{number}.bias"] = np.zeros(width, np.float32)
        channels = width
    save_file(tensors, path, metadata={"impasto": json.dumps({"format": 1, "name": NAME})})
    return path


@hookimpl
def impasto_networks(settings: Settings) -> list[NetworkSource]:
    return [TinyNetwork()]
