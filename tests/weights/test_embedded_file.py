"""The embedded network's file: its form, and that it is a good stand-in of our own making."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

LAYERS = {"conv1_1": 0, "conv1_2": 2, "conv2_1": 5, "conv2_2": 7, "conv3_1": 10}
TEACHER_CHANNELS = {
    "conv1_1": 64,
    "conv1_2": 64,
    "conv2_1": 128,
    "conv2_2": 128,
    "conv3_1": 256,
}
FEATURE_ERRORS = {
    "conv1_1": 0.001,
    "conv1_2": 0.03,
    "conv2_1": 0.05,
    "conv2_2": 0.08,
    "conv3_1": 0.08,
}
"""Allowed squared error relative to the teacher's features; random weights miss all of them."""

Tensors = dict[str, torch.Tensor]


def _tensors(path: Path) -> Tensors:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118


@pytest.fixture(scope="module")
def tensors(embedded_file: Path) -> Tensors:
    return _tensors(embedded_file)


@pytest.fixture(scope="module")
def teacher(teacher_file: Path) -> Tensors:
    return _tensors(teacher_file)


def test_is_small(embedded_file: Path) -> None:
    assert embedded_file.stat().st_size <= 1_000_000


def test_has_five_convolutions_and_their_readouts(tensors: Tensors) -> None:
    expected = {}
    channels = 3
    for layer, index in LAYERS.items():
        width = len(tensors[f"features.{index}.bias"])
        expected[f"features.{index}.weight"] = (width, channels, 3, 3)
        expected[f"features.{index}.bias"] = (width,)
        expected[f"readout.{layer}.weight"] = (TEACHER_CHANNELS[layer], width)
        expected[f"readout.{layer}.bias"] = (TEACHER_CHANNELS[layer],)
        channels = width
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == expected


def test_values_are_finite_and_alive(tensors: Tensors) -> None:
    for name, tensor in tensors.items():
        assert torch.isfinite(tensor).all(), name
        assert tensor.abs().max() > 0, name


def test_metadata_says_what_it_is(embedded_file: Path) -> None:
    with safe_open(embedded_file, framework="pt") as file:
        description = json.loads(file.metadata()["impasto"])
    assert description["format"] == 1
    assert description["name"] == "embedded"
    assert set(description["style_layers"]) == set(LAYERS)
    assert set(description["content_layers"]) == {"conv2_2"}
    assert all(description[key] for key in ("teacher", "trained", "licence"))


def test_no_kernel_is_the_teachers(tensors: Tensors, teacher: Tensors) -> None:
    """No 3x3 kernel, and in the first layer no filter, is one of the teacher's at any scale."""
    for index in LAYERS.values():
        ours, theirs = tensors[f"features.{index}.weight"], teacher[f"features.{index}.weight"]
        assert not _directions(ours.reshape(-1, 9)) & _directions(theirs.reshape(-1, 9))
    # Only the first layer's filters see the same channels as the teacher's.
    ours, theirs = (source["features.0.weight"].flatten(1) for source in (tensors, teacher))
    normal = torch.nn.functional.normalize
    assert (normal(ours) @ normal(theirs).t()).abs().max() < 0.999


def _directions(rows: torch.Tensor) -> set[bytes]:
    """Each row without its scale and sign, to three digits."""
    largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    return {row.tobytes() for row in (rows / largest * 1000).round().short().numpy()}


def test_no_tensor_is_a_slice_of_the_teachers(tensors: Tensors, teacher: Tensors) -> None:
    values = torch.cat([tensor.flatten() for tensor in teacher.values()])
    for name, tensor in tensors.items():
        shared = torch.isin(tensor.flatten(), values).float().mean().item()
        assert shared < 0.1, name  # a few of half a million floats are equal by chance


def test_features_read_out_are_near_the_teachers(
    embedded_file: Path, teacher_file: Path, photo_file: Path
) -> None:
    from weights.distil.losses import feature_errors
    from weights.distil.network import forward, load_student, load_teacher
    from weights.distil.painting import read_picture

    cpu = torch.device("cpu")
    picture = read_picture(photo_file, 192)
    student = load_student(embedded_file, cpu)
    with torch.no_grad():
        thin, _ = forward(picture, student.convolutions)
        wanted, _ = forward(picture, load_teacher(teacher_file, cpu))
        errors = feature_errors(thin, wanted, student.all_readouts()).tolist()
    for (layer, allowed), error in zip(FEATURE_ERRORS.items(), errors, strict=True):
        assert error < allowed, f"{layer}: {error:.3f}"
