from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from impasto.errors import WeightsError
from impasto.painting.network import load_network

from .conftest import random_weights

VGG19 = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28)


def test_a_slice_of_vgg19_gets_the_layers_of_the_first_bots(tiny_network: Path) -> None:
    network = load_network(tiny_network)
    names = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]
    assert [c.name for c in network.convolutions] == names
    assert [c.pool for c in network.convolutions] == [False, True, False, True, False]
    assert list(network.style_layers) == names
    assert list(network.content_layers) == ["conv2_2"]


def test_a_network_down_to_conv5_1_gets_the_layers_of_gatys(tmp_path: Path) -> None:
    path = tmp_path / "deep.safetensors"
    save_file(random_weights((2,) * len(VGG19), VGG19), path)
    network = load_network(path)
    assert network.convolutions[-1].name == "conv5_1"
    assert list(network.style_layers) == ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]
    assert list(network.content_layers) == ["conv4_2"]
    features = network.features(torch.rand(1, 3, 64, 48))
    assert features["conv5_1"].shape == (1, 2, 4, 3)


def test_metadata_says_which_layers_count_and_nothing_deeper_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "named.safetensors"
    manifest = {"format": 1, "name": "mine", "style_layers": {"conv1_2": 2.0}}
    manifest["content_layers"] = {"conv2_1": 1.0}
    save_file(random_weights((4, 4, 8, 8, 8)), path, metadata={"impasto": json.dumps(manifest)})
    network = load_network(path)
    assert network.name == "mine"
    assert network.style_layers == {"conv1_2": 2.0}
    assert [c.name for c in network.convolutions] == ["conv1_1", "conv1_2", "conv2_1"]


def test_features_are_taken_before_the_relu(tiny_network: Path) -> None:
    features = load_network(tiny_network).features(torch.rand(1, 3, 40, 32))
    assert all(bool((maps < 0).any()) for maps in features.values())


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda t: t.pop("features.2.bias"), "features.2 should be a 3x3 convolution"),
        (lambda t: t.update({"features.2.weight": torch.zeros(4, 5, 3, 3)}), "of 4 channels"),
        (lambda t: [t.pop(key) for key in list(t)] and t.update(x=torch.zeros(1)), "no convol"),
        (lambda t: [t.pop(f"features.5.{p}") for p in ("weight", "bias")], "what is between"),
    ],
)
def test_files_that_are_no_network_are_refused(tmp_path: Path, spoil, sentence: str) -> None:
    tensors = random_weights((4, 4, 8, 8, 8))
    spoil(tensors)
    path = tmp_path / "broken.safetensors"
    save_file(tensors, path)
    with pytest.raises(WeightsError, match=sentence):
        load_network(path)


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(b"not safetensors at all")
    with pytest.raises(WeightsError, match="damaged"):
        load_network(path)
    with pytest.raises(WeightsError, match="absent"):
        load_network(tmp_path / "absent.safetensors")


def test_an_unknown_layer_or_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    for manifest, sentence in (
        ({"format": 1, "style_layers": {"conv9_9": 1.0}}, "conv9_9"),
        ({"format": 2}, "this version reads 1"),
    ):
        metadata = {"impasto": json.dumps(manifest)}
        save_file(random_weights((4, 4, 8, 8, 8)), path, metadata=metadata)
        with pytest.raises(WeightsError, match=sentence):
            load_network(path)
