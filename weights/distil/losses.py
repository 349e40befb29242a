"""The painting objective for teacher and student, its picture gradient, and the student's errors.

Objective, per picture: 1e6 * sum over layers of mean((G_x - G_s)^2) with G = F F^T / (C H W), plus
`content_weight` * mean((F_x - F_c)^2) at conv2_2, all on the teacher's C channels. The student has
thin features f and a readout R = [A b] to those channels; with f~ = (f, 1) the teacher's Gram is
R (f~ f~^T) R^T / (C H W), so only moments of thin features and small matrices are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .network import CONTENT, Convolutions, Student, backward, forward

STYLE_WEIGHT = 1e6


@dataclass
class Targets:
    """What a triple's content and style ask for, seen by the teacher. One row a triple."""

    grams: list[Tensor]
    """Per layer, B x C x C."""
    content: Tensor
    """B x C x H x W at the content layer."""

    def rows(self, chosen: Tensor) -> Targets:
        return Targets([g[chosen] for g in self.grams], self.content[chosen])


@dataclass
class ThinTargets:
    """What a triple's content and style ask for, seen by the student. One row a triple."""

    moments: list[Tensor]
    """Per layer, as `moments` returns them."""
    content: Tensor
    """B x c x H x W at the content layer, c thin channels."""

    def rows(self, chosen: Tensor) -> ThinTargets:
        return ThinTargets([m[chosen] for m in self.moments], self.content[chosen])


@dataclass
class View:
    """What a network sees in B pictures."""

    features: list[Tensor]
    gradient: Tensor
    """Of the objective, B x 3 x H x W."""
    differences: list[Tensor]
    """Per layer, Gram matrix of the picture less that of its style, B x C x C."""


def gram(features: Tensor) -> Tensor:
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def moments(features: Tensor) -> Tensor:
    """Mean over the pixels of f~ f~^T, B x (C + 1) x (C + 1)."""
    flat = features.flatten(2)
    mean = flat.mean(2, keepdim=True)
    second = flat @ flat.transpose(1, 2) / flat.shape[2]
    last = torch.cat((mean.transpose(1, 2), torch.ones_like(mean[:, :1])), 2)
    return torch.cat((torch.cat((second, mean), 2), last), 1)


@torch.no_grad()
def teacher_targets(content: Tensor, style: Tensor, teacher: Convolutions) -> Targets:
    in_content, _ = forward(content, teacher[: CONTENT + 1])
    in_style, _ = forward(style, teacher)
    return Targets([gram(f) for f in in_style], in_content[CONTENT])


def _content_pull(features: Tensor, target: Tensor, content_weight: Tensor) -> Tensor:
    """Gradient of the content loss with respect to teacher features."""
    return (features - target) * (2 * content_weight.view(-1, 1, 1, 1) / target[0].numel())


@torch.no_grad()
def teacher_view(
    pictures: Tensor, targets: Targets, content_weight: Tensor, teacher: Convolutions
) -> View:
    features, indices = forward(pictures, teacher)
    differences, pulls = [], []
    for position, (seen, wanted) in enumerate(zip(features, targets.grams, strict=True)):
        channels, height, width = seen.shape[1:]
        difference = gram(seen) - wanted
        factor = 4 * STYLE_WEIGHT / (channels**3 * height * width)
        pull = (difference @ seen.flatten(2) * factor).view_as(seen)
        if position == CONTENT:
            pull = pull + _content_pull(seen, targets.content, content_weight)
        differences.append(difference)
        pulls.append(pull)
    return View(features, backward(features, indices, pulls, teacher), differences)


def student_targets(content: Tensor, style: Tensor, student: Student) -> ThinTargets:
    """As `teacher_targets`, differentiable in the student's parameters."""
    in_content, _ = forward(content, student.convolutions[: CONTENT + 1])
    in_style, _ = forward(style, student.convolutions)
    return ThinTargets([moments(f) for f in in_style], in_content[CONTENT])


def student_view(
    pictures: Tensor, targets: ThinTargets, content_weight: Tensor, student: Student
) -> View:
    """As `teacher_view`, differentiable in the student's parameters; `features` are thin."""
    features, indices = forward(pictures, student.convolutions)
    differences, pulls = [], []
    for position, (seen, wanted) in enumerate(zip(features, targets.moments, strict=True)):
        height, width = seen.shape[2:]
        readout = student.readout(position)
        channels = len(readout)
        moved = (moments(seen) - wanted) / channels
        metric = readout.t() @ readout
        factor = 4 * STYLE_WEIGHT / (channels**3 * height * width)
        push = metric @ moved @ metric * factor
        pull = (push[:, :-1, :-1] @ seen.flatten(2) + push[:, :-1, -1:]).view_as(seen)
        if position == CONTENT:
            distance = seen - targets.content
            weighted = torch.einsum("ij,bjhw->bihw", metric[:-1, :-1], distance)
            scale = 2 * content_weight.view(-1, 1, 1, 1) / (channels * height * width)
            pull = pull + weighted * scale
        differences.append(readout @ moved @ readout.t())
        pulls.append(pull)
    gradient = backward(features, indices, pulls, student.convolutions)
    return View(features, gradient, differences)


def read_out(features: Tensor, readout: Tensor) -> Tensor:
    """Thin features in the teacher's channels, B x C x HW."""
    return readout[:, :-1] @ features.flatten(2) + readout[:, -1:]


CALM = 0.1
"""Share of a batch's mean energy that is added to each picture's in `calmness`."""


def calmness(wanted: Tensor) -> Tensor:
    """Weights of the pictures of a batch (B) by which a calm one counts as much as a busy one.

    One over the mean square of a picture's features; not more than a tenth of the batch's mean
    allows, so that what is as good as one color does not outweigh all.
    """
    energy = wanted.flatten(1).pow(2).mean(1)
    return 1 / (energy + CALM * energy.mean())


def feature_errors(
    thin: Sequence[Tensor], wanted: Sequence[Tensor], readouts: Sequence[Tensor]
) -> Tensor:
    """Per layer, squared error of the features over their squared size, by `calmness`."""
    errors = []
    for ours, theirs, readout in zip(thin, wanted, readouts, strict=True):
        target = theirs.flatten(2)
        residual = (read_out(ours, readout) - target).flatten(1).pow(2).mean(1)
        errors.append((residual * calmness(theirs)).mean() * (1 + CALM))
    return torch.stack(errors)


def gradient_errors(ours: Tensor, theirs: Tensor) -> Tensor:
    """Relative squared error of the picture gradient at full, half, quarter size; 3 x B."""
    errors = []
    for factor in (1, 2, 4):
        a, b = (functional.avg_pool2d(g, factor) if factor > 1 else g for g in (ours, theirs))
        errors.append((a - b).flatten(1).pow(2).sum(1) / b.flatten(1).pow(2).sum(1))
    return torch.stack(errors)


def gram_errors(ours: View, theirs: View, targets: Targets, floor: float = 1e-2) -> Tensor:
    """Relative squared error of the Gram differences, L x B.

    A share (`floor`) of the style's own Gram matrix is added to what it is relative to, since the
    difference itself vanishes in a finished painting.
    """
    errors = []
    for a, b, style in zip(ours.differences, theirs.differences, targets.grams, strict=True):
        size = b.flatten(1).pow(2).sum(1) + floor * style.flatten(1).pow(2).sum(1)
        errors.append((a - b).flatten(1).pow(2).sum(1) / size)
    return torch.stack(errors)
