"""A tiny network, small pictures and a catalogue: what painting needs, in milliseconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.painting.threads import thread_count, use_threads
from impasto.settings import Settings

SHARED = Path(__file__).resolve().parents[4] / "shared"
FIVE = (0, 2, 5, 7, 10)
"""Numbers of VGG-19's first five convolutions in torchvision."""


def random_weights(
    widths: tuple[int, ...], numbers: tuple[int, ...] = FIVE, seed: int = 0
) -> dict[str, torch.Tensor]:
    """He-initialised convolutions with torchvision's names."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, torch.Tensor] = {}
    channels = 3
    for number, width in zip(numbers, widths, strict=True):
        scale = (2 / (9 * channels)) ** 0.5
        weight = torch.randn(width, channels, 3, 3, generator=generator) * scale
        tensors[f"features.{number}.weight"] = weight
        tensors[f"features.{number}.bias"] = torch.randn(width, generator=generator) * 0.1
        channels = width
    return tensors


def random_readouts(widths: tuple[int, ...], teacher: tuple[int, ...]) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    names = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
    tensors: dict[str, torch.Tensor] = {}
    for name, own, wide in zip(names, widths, teacher, strict=True):
        tensors[f"readout.{name}.weight"] = torch.randn(wide, own, generator=generator) / own**0.5
        tensors[f"readout.{name}.bias"] = torch.randn(wide, generator=generator) * 0.1
    return tensors


@pytest.fixture
def threads_as_before() -> Iterator[None]:
    """Gives painting the number of threads back that it had before the test."""
    before = thread_count()
    yield
    use_threads(before)


@pytest.fixture(scope="session")
def tiny_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG-19's first five convolutions, thin, with random weights."""
    path = tmp_path_factory.mktemp("networks") / "tiny.safetensors"
    save_file(random_weights((4, 4, 8, 8, 8)), path)
    return path


@pytest.fixture(scope="session")
def tiny_network_with_readouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("networks") / "tiny-readouts.safetensors"
    widths = (4, 4, 8, 8, 8)
    tensors = random_weights(widths) | random_readouts(widths, (6, 6, 12, 12, 16))
    manifest = {"format": 1, "name": "tiny", "style_layers": {"conv1_1": 0.5, "conv3_1": 2.0}}
    manifest["content_layers"] = {"conv2_2": 1.0, "conv2_1": 0.5}
    save_file(tensors, path, metadata={"impasto": json.dumps(manifest)})
    return path


@pytest.fixture(scope="session")
def tiny_deep_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG-19 down to conv5_1, thin, with random weights."""
    path = tmp_path_factory.mktemp("networks") / "tiny-deep.safetensors"
    numbers = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28)
    save_file(random_weights((4, 4, 6, 6, *[8] * 9), numbers), path)
    return path


@pytest.fixture(scope="session")
def catalogue(tiny_network: Path) -> Catalogue:
    """The built-in painting plugins, on the CPU, with the tiny network."""
    settings = Settings.model_validate(
        {
            "painting": {
                "network": str(tiny_network),
                "device": "cpu",
                "steps": 12,
                "enlarge": 1,
                "memory_mb": 0,
                "threads": 1,
            }
        }
    )
    return load_catalogue(settings)


@pytest.fixture
def picture() -> Callable[..., Image.Image]:
    """Makes pictures of smooth noise: `picture(width, height, seed)`."""

    def make(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
        random = np.random.default_rng(seed)
        coarse = random.integers(0, 256, (max(2, height // 8), max(2, width // 8), 3))
        small = Image.fromarray(coarse.astype(np.uint8))
        return small.resize((width, height), Image.Resampling.BICUBIC)

    return make
