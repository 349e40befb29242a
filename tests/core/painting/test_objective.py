"""The losses are those of the tutorials; the strips compute the same; gradients are right."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.painting import blocks
from impasto.painting.networks import load_network
from impasto.painting.objective import Objective
from impasto.painting.pictures import open_picture, to_tensor
from impasto.painting.strips import StripObjective

from .conftest import SHARED, random_weights

CPU = torch.device("cpu")
STYLE_WEIGHT = 1e6


def image(height: int, width: int, seed: int) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def tutorial_losses(
    weights: dict[str, torch.Tensor], x: torch.Tensor, content: torch.Tensor, style: torch.Tensor
) -> tuple[float, float]:
    """The formulas of the tutorial implementations, written out once more."""

    def features(picture: torch.Tensor) -> list[torch.Tensor]:
        mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
        std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
        maps, outputs = (picture - mean) / std, []
        for i in (0, 2, 5, 7, 10):
            maps = F.conv2d(
                maps, weights[f"features.{i}.weight"], weights[f"features.{i}.bias"], padding=1
            )
            outputs.append(maps)
            maps = F.relu(maps)
            if i in (2, 7):
                maps = F.max_pool2d(maps, 2)
        return outputs

    def gram(f: torch.Tensor) -> torch.Tensor:
        _, c, h, w = f.shape
        return f.reshape(c, h * w) @ f.reshape(c, h * w).T / (c * h * w)

    of_x, of_content, of_style = features(x), features(content), features(style)
    style_loss = sum(
        F.mse_loss(gram(a), gram(b)).item() for a, b in zip(of_x, of_style, strict=True)
    )
    return STYLE_WEIGHT * style_loss, F.mse_loss(of_x[3], of_content[3]).item()


@pytest.mark.parametrize("kind", [Objective, StripObjective])
def test_losses_are_those_of_the_tutorials(tiny_network: Path, kind: type) -> None:
    content, style, x = (image(64, 80, seed) for seed in range(3))
    expected = tutorial_losses(random_weights((4, 4, 8, 8, 8)), x, content, style)
    objective = kind(load_network(tiny_network), content, [(style, 1.0)], STYLE_WEIGHT)
    assert objective.losses(x) == pytest.approx(expected, rel=1e-4)
    assert objective.evaluate(x).losses == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", [Objective, StripObjective])
def test_losses_agree_with_the_yardstick_under_vgg19(kind: type) -> None:
    yardstick_file = SHARED / "reference" / "tutorial_nst.py"
    weights_file = SHARED / "data" / "weights" / "vgg19-features-0-10.safetensors"
    if not (yardstick_file.is_file() and weights_file.is_file()):
        pytest.skip("the yardstick and VGG-19's layers are not beside the repository")
    spec = importlib.util.spec_from_file_location("tutorial_nst", yardstick_file)
    assert spec
    assert spec.loader
    yardstick = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(yardstick)
    photo, painting = (
        to_tensor(open_picture(SHARED / "data" / name).resize((160, 120)))
        for name in ("photos/tubingen.jpg", "paintings/starry_night.jpg")
    )
    x = (photo + painting) / 2
    weights = yardstick.load_file(weights_file)
    target = yardstick.targets(photo, painting, weights)
    expected = [loss.item() for loss in yardstick.losses(x, target, weights)]
    objective = kind(load_network(weights_file), photo, [(painting, 1.0)], STYLE_WEIGHT)
    assert objective.losses(x) == pytest.approx(expected, rel=1e-4)


@settings(max_examples=15, deadline=None)
@given(
    height=st.integers(32, 75),
    width=st.integers(32, 75),
    strip_bytes=st.sampled_from([1, 6_000, 10**9]),
    readouts=st.booleans(),
)
def test_strips_compute_what_autograd_does(
    tiny_network: Path,
    tiny_network_with_readouts: Path,
    height: int,
    width: int,
    strip_bytes: int,
    readouts: bool,
) -> None:
    network = load_network(tiny_network_with_readouts if readouts else tiny_network)
    content, x = image(height, width, 1), image(height, width, 2)
    styles = [(image(40, 56, 3), 1.0), (image(61, 33, 4), 3.0)]
    whole = Objective(network, content, styles, STYLE_WEIGHT).evaluate(x)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "STRIP_BYTES", strip_bytes)
        striped = StripObjective(network, content, styles, STYLE_WEIGHT).evaluate(x)
    assert striped.losses == pytest.approx(whole.losses, rel=1e-4)
    assert (striped.gradient - whole.gradient).norm() < 1e-3 * whole.gradient.norm()
    assert striped.gradient.shape == x.shape
    assert striped.gradient.is_contiguous()


@pytest.mark.parametrize("kind", [Objective, StripObjective])
@pytest.mark.parametrize("readouts", [False, True])
def test_gradients_agree_with_finite_differences(
    tiny_network: Path, tiny_network_with_readouts: Path, kind: type, readouts: bool
) -> None:
    path = tiny_network_with_readouts if readouts else tiny_network
    network = load_network(path).to(CPU, torch.float64)
    content, style, x = (image(36, 40, seed).double() for seed in range(3))
    objective = kind(network, content, [(style, 1.0)], STYLE_WEIGHT)
    gradient = objective.evaluate(x).gradient
    for seed in range(4):
        direction = image(36, 40, 10 + seed).double() - 0.5
        step = 1e-6 * direction
        ahead, behind = objective.losses(x + step).total, objective.losses(x - step).total
        slope = (gradient * direction).sum().item()
        assert (ahead - behind) / 2e-6 == pytest.approx(slope, rel=1e-4)


def test_readouts_give_the_losses_of_the_teacher_channels(
    tiny_network_with_readouts: Path,
) -> None:
    """Metric-weighted losses equal those of the read-out features, computed on pixels."""
    network = load_network(tiny_network_with_readouts)
    content, style, x = (image(48, 48, seed) for seed in range(3))

    def read(picture: torch.Tensor) -> dict[str, torch.Tensor]:
        return {
            layer: F.conv2d(
                maps, network.readouts[layer].weight[:, :, None, None], network.readouts[layer].bias
            )
            for layer, maps in network.features(picture).items()
        }

    def gram(f: torch.Tensor) -> torch.Tensor:
        rows = f.flatten(2)[0]
        return rows @ rows.T / f.numel()

    of_x, of_content, of_style = read(x), read(content), read(style)
    expected_style = STYLE_WEIGHT * sum(
        weight * F.mse_loss(gram(of_x[layer]), gram(of_style[layer])).item()
        for layer, weight in network.style_layers.items()
    )
    expected_content = sum(
        weight * F.mse_loss(of_x[layer], of_content[layer]).item()
        for layer, weight in network.content_layers.items()
    )
    found = Objective(network, content, [(style, 1.0)], STYLE_WEIGHT).losses(x)
    assert found == pytest.approx((expected_style, expected_content), rel=1e-3)


@pytest.mark.parametrize("kind", [Objective, StripObjective])
def test_bfloat16_features_give_nearly_the_same_losses(tiny_network: Path, kind: type) -> None:
    content, style, x = (image(64, 64, seed) for seed in range(3))
    exact = kind(load_network(tiny_network), content, [(style, 1.0)], STYLE_WEIGHT).losses(x)
    half = load_network(tiny_network).to(CPU, torch.bfloat16)
    rounded = kind(half, content, [(style, 1.0)], STYLE_WEIGHT).losses(x)
    assert rounded.style == pytest.approx(exact.style, rel=0.1)
    assert rounded.content == pytest.approx(exact.content, rel=0.1)
