"""The training's hand-written gradients and its textures."""

from __future__ import annotations

import pytest
import torch
from weights.distil.losses import (
    Targets,
    feature_errors,
    gram,
    read_out,
    student_targets,
    student_view,
    teacher_targets,
    teacher_view,
)
from weights.distil.muon import orthogonalized
from weights.distil.network import CONTENT, Convolutions, Student, forward
from weights.distil.painting import networks, objective
from weights.distil.textures import MAKERS, textures

WIDTHS, CHANNELS = (4, 5, 6, 7, 8), (6, 6, 9, 9, 12)
WEIGHT = torch.tensor([1.0, 5.0], dtype=torch.float64)


@pytest.fixture
def random() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.fixture
def student(random: torch.Generator) -> Student:
    made = Student(WIDTHS, CHANNELS, random)
    for readout in made.readouts:
        torch.nn.init.normal_(readout, generator=random)
    return made.double()


@pytest.fixture
def triple(random: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Picture, content and style; odd sizes, so that pooling drops rows."""
    return tuple(torch.rand(2, 3, 19, 22, generator=random, dtype=torch.float64) for _ in range(3))


def _by_autograd(
    triple: tuple[torch.Tensor, ...], student: Student, read: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient of the objective as its definition says, with or without readouts; the losses."""

    def seen(picture: torch.Tensor) -> list[torch.Tensor]:
        features, _ = forward(picture, student.convolutions)
        if not read:
            return features
        return [
            read_out(f, student.readout(p)).view(len(f), -1, *f.shape[2:])
            for p, f in enumerate(features)
        ]

    picture, content, style = triple
    picture = picture.clone().requires_grad_()
    ours, theirs = seen(picture), seen(style)
    losses = WEIGHT * (ours[CONTENT] - seen(content)[CONTENT]).pow(2).mean((1, 2, 3))
    for a, b in zip(ours, theirs, strict=True):
        losses = losses + 1e6 * (gram(a) - gram(b)).pow(2).mean((1, 2))
    return torch.autograd.grad(losses.sum(), picture)[0], losses.detach()


def _plain(student: Student) -> Convolutions:
    return [(w.detach(), b.detach()) for w, b in student.convolutions]


def test_students_gradient_is_the_objectives(
    student: Student, triple: tuple[torch.Tensor, ...]
) -> None:
    picture, content, style = triple
    view = student_view(picture, student_targets(content, style, student), WEIGHT, student)
    torch.testing.assert_close(view.gradient, _by_autograd(triple, student, read=True)[0])


def test_teachers_gradient_is_the_objectives(
    student: Student, triple: tuple[torch.Tensor, ...]
) -> None:
    picture, content, style = triple
    teacher = _plain(student)
    targets: Targets = teacher_targets(content, style, teacher)
    view = teacher_view(picture, targets, WEIGHT, teacher)
    torch.testing.assert_close(view.gradient, _by_autograd(triple, student, read=False)[0])


def test_painter_minimizes_the_same_objective(
    student: Student, triple: tuple[torch.Tensor, ...]
) -> None:
    first = tuple(pictures[:1] for pictures in triple)
    loss, gradient = objective(first[1], first[2], *networks(student))(first[0])
    wanted, losses = _by_autograd(triple, student, read=True)
    torch.testing.assert_close(gradient, wanted[:1])
    assert loss == pytest.approx(losses[0].item())


def test_students_gradient_can_be_learnt_from(
    student: Student, triple: tuple[torch.Tensor, ...]
) -> None:
    """Backpropagation through the written-out gradient agrees with finite differences."""
    picture, content, style = triple
    bias = student.biases[1]

    def value() -> torch.Tensor:
        view = student_view(picture, student_targets(content, style, student), WEIGHT, student)
        return (view.gradient * picture).sum()

    (slope,) = torch.autograd.grad(value(), bias)
    step = 1e-7
    with torch.no_grad():
        bias[2] += step
        after = value().item()
        bias[2] -= 2 * step
        before = value().item()
    assert slope[2].item() == pytest.approx((after - before) / (2 * step), rel=1e-4)


@pytest.mark.parametrize("shape", [(5, 12), (12, 5)])
def test_muon_evens_out_singular_values(shape: tuple[int, int], random: torch.Generator) -> None:
    values = torch.linalg.svdvals(orthogonalized(torch.randn(shape, generator=random)))
    assert values.min() > 0.3
    assert values.max() < 1.3


def test_textures_depend_on_the_seed_alone() -> None:
    first, again, other = (textures(seed, len(MAKERS), 48) for seed in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert a.shape == (48, 48, 3)
        assert (a == b).all()
        assert (a != c).any()


def test_calm_and_busy_pictures_count_alike(random: torch.Generator) -> None:
    """Errors relative to the whole batch let skies and shadows go unlearnt: they are faint."""
    wanted = torch.randn(2, 3, 8, 8, generator=random) * torch.tensor([1.0, 4.0]).view(2, 1, 1, 1)
    plain = torch.cat((torch.eye(3), torch.zeros(3, 1)), 1)

    def error(of_calm: float, of_busy: float) -> float:
        wrong = wanted * torch.tensor([of_calm, of_busy]).view(2, 1, 1, 1)
        return feature_errors([wanted + wrong], [wanted], [plain]).item()

    assert error(0.1, 0.1) == pytest.approx(0.01, rel=0.2)
    assert error(0.1, 0) == pytest.approx(error(0, 0.1), rel=0.6)
    assert error(0.1, 0) > 0.2 * error(0.1, 0.1)
