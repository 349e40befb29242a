"""Paints with a student or the teacher, to judge a network by its pictures.

A plain coarse-to-fine painter: preconditioned L-BFGS on whole pictures in float32, the same
schedule for every network. Finished pictures are scored on the teacher's objective, at the size
of the picture (`single`) and summed over it, its half and its quarter (`multi`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from .data import color_matched
from .losses import STYLE_WEIGHT, gram, moments
from .network import CONTENT, Convolutions, Student, backward, forward
from .triples import smoothed

Objective = Callable[[Tensor], tuple[float, Tensor]]
"""From a picture to its loss and the gradient of that."""

SCHEDULE = ((0.25, 40), (0.5, 40), (1.0, 60))
"""Share of the full size and evaluations there, of each level."""
HISTORY = 6
FIRST_STEP = 0.02
BASIS = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
"""Square root of the color correlation of natural pictures, as lucid has it."""


def read_picture(path: Path, side: int) -> Tensor:
    """An image file as 1 x 3 x side x side in [0, 1]; its shape is not kept."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


def write_picture(picture: Tensor, path: Path) -> None:
    pixels = (picture[0].permute(1, 2, 0) * 255).round().byte().cpu().numpy()
    Image.fromarray(pixels).save(path)


def _pulled(
    seen: Tensor, difference: Tensor, metric: Tensor, channels: int
) -> tuple[Tensor, Tensor]:
    """Style loss of a layer and its gradient with respect to thin features."""
    height, width = seen.shape[2:]
    moved = metric @ difference
    loss = STYLE_WEIGHT * (moved * moved.transpose(1, 2)).sum() / channels**2
    push = moved @ metric * (4 * STYLE_WEIGHT / (channels**3 * height * width))
    return loss, (push[:, :-1, :-1] @ seen.flatten(2) + push[:, :-1, -1:]).view_as(seen)


def objective(
    content: Tensor, style: Tensor, convolutions: Convolutions, readouts: Sequence[Tensor]
) -> Objective:
    """The objective of `losses`, for a network with readouts [A b] to the teacher's channels."""
    in_content = forward(content, convolutions[: CONTENT + 1])[0][CONTENT]
    in_style = [moments(f) for f in forward(style, convolutions)[0]]
    metrics = [readout.t() @ readout for readout in readouts]

    @torch.no_grad()
    def evaluate(picture: Tensor) -> tuple[float, Tensor]:
        features, indices = forward(picture, convolutions)
        pulls, total = [], torch.zeros((), device=picture.device)
        for position, seen in enumerate(features):
            channels, metric = len(readouts[position]), metrics[position]
            difference = (moments(seen) - in_style[position]) / channels
            loss, pull = _pulled(seen, difference, metric, channels)
            if position == CONTENT:
                distance = seen - in_content
                weighted = torch.einsum("ij,bjhw->bihw", metric[:-1, :-1], distance)
                values = channels * seen[0, 0].numel()
                loss = loss + (weighted * distance).sum() / values
                pull = pull + weighted * (2 / values)
            total = total + loss
            pulls.append(pull)
        return total.item(), backward(features, indices, pulls, convolutions)

    return evaluate


def networks(student: Student) -> tuple[Convolutions, list[Tensor]]:
    readouts = [student.readout(position).detach() for position in range(len(student.weights))]
    return [(w.detach(), b.detach()) for w, b in student.convolutions], readouts


def teacher_readouts(teacher: Convolutions) -> list[Tensor]:
    """The teacher reads itself out: an identity without bias."""
    return [functional.pad(torch.eye(len(b), device=b.device), (0, 1)) for _, b in teacher]


def _preconditioned(gradient: Tensor) -> Tensor:
    basis = torch.tensor(BASIS, device=gradient.device)
    color = basis @ basis.t()
    color = 0.5 * color / color.diagonal().mean() + 0.5 * torch.eye(3, device=gradient.device)
    return smoothed(torch.einsum("ij,bjhw->bihw", color, gradient))


class _Curvature:
    """The L-BFGS two-loop recursion around the preconditioner."""

    def __init__(self) -> None:
        self.pairs: list[tuple[Tensor, Tensor, float]] = []

    def add(self, moved: Tensor, change: Tensor) -> None:
        product = (moved * change).sum().item()
        if product > 1e-6 * (moved.norm() * change.norm()).item():
            self.pairs = [*self.pairs[1 - HISTORY :], (moved, change, 1 / product)]

    def direction(self, gradient: Tensor) -> Tensor:
        step, shares = -gradient, []
        for moved, change, inverse in reversed(self.pairs):
            share = inverse * (moved * step).sum()
            step = step - share * change
            shares.append(share)
        step = _preconditioned(step)
        if not self.pairs:
            return step * (FIRST_STEP / step.pow(2).mean().sqrt())
        _, change, inverse = self.pairs[-1]
        step = step / (inverse * (change * _preconditioned(change)).sum())
        for (moved, change, inverse), share in zip(self.pairs, reversed(shares), strict=True):
            step = step + moved * (share - inverse * (change * step).sum())
        return step


def minimized(evaluate: Objective, picture: Tensor, evaluations: int) -> Tensor:
    """The picture after so many evaluations, kept in [0, 1] by projection."""
    curvature = _Curvature()
    loss, gradient = evaluate(picture)
    used, size = 1, 1.0
    while used < evaluations:
        bound = ((picture <= 0) & (gradient > 0)) | ((picture >= 1) & (gradient < 0))
        free = gradient.masked_fill(bound, 0)
        step = curvature.direction(free).masked_fill(bound, 0)
        if (step * gradient).sum() >= 0:
            curvature = _Curvature()
            step = curvature.direction(free) / 4
        tried = (picture + size * step).clamp(0, 1)
        new_loss, new_gradient = evaluate(tried)
        used += 1
        if new_loss > 1.3 * loss and size > 0.05:
            size *= 0.3
            continue
        curvature.add(tried - picture, new_gradient - gradient)
        picture, loss, gradient, size = tried, new_loss, new_gradient, 1.0
    return picture


def painted(
    content: Tensor,
    style: Tensor,
    convolutions: Convolutions,
    readouts: Sequence[Tensor],
    schedule: Sequence[tuple[float, int]] = SCHEDULE,
) -> tuple[Tensor, float]:
    """The finished picture and the seconds it took."""
    begin, picture = time.perf_counter(), None
    for share, evaluations in schedule:
        size = [max(16, round(side * share / 4) * 4) for side in content.shape[2:]]
        here, there = (
            functional.interpolate(p, size=size, mode="bicubic", antialias=True).clamp(0, 1)
            for p in (content, style)
        )
        start = color_matched(here, there)
        if picture is not None:
            small = picture.shape[2:]
            before = functional.interpolate(start, size=small, mode="bicubic", antialias=True)
            start = start + functional.interpolate(picture - before, size=size, mode="bicubic")
        evaluate = objective(here, there, convolutions, readouts)
        picture = minimized(evaluate, start.clamp(0, 1), evaluations)
    assert picture is not None
    return picture, time.perf_counter() - begin


@torch.no_grad()
def score(
    picture: Tensor, content: Tensor, style: Tensor, teacher: Convolutions
) -> dict[str, float]:
    """The yardstick: `style`, `content` and `single` at full size, `multi` over three sizes."""
    sums = []
    for factor in (1, 2, 4):
        seen, wanted, after = (
            forward(functional.avg_pool2d(p, factor), teacher)[0] for p in (picture, content, style)
        )
        by_style = sum((gram(a) - gram(b)).pow(2).mean() for a, b in zip(seen, after, strict=True))
        by_content = (seen[CONTENT] - wanted[CONTENT]).pow(2).mean()
        sums.append((float(STYLE_WEIGHT * by_style), float(by_content)))
    return {
        "style": sums[0][0],
        "content": sums[0][1],
        "single": sum(sums[0]),
        "multi": sum(sum(pair) for pair in sums),
    }


def random_student(student: Student, seed: int) -> Student:
    """The student's shape with random weights: what a painting owes to the shape alone.

    The readouts keep the teacher's mean square per layer, so that losses have its scale.
    """
    random = torch.Generator().manual_seed(seed)
    widths = [len(bias) for bias in student.biases]
    channels = [len(readout) for readout in student.readouts]
    other = Student(widths, channels, random).to(student.scales.device)
    noise = torch.rand((4, 3, 96, 96), generator=random).to(student.scales.device)
    other.balance(noise)
    other.scales.copy_(student.scales)
    for position, width in enumerate(widths):
        readout = torch.randn((channels[position], width + 1), generator=random) / width**0.5
        other.set_readout(position, readout.to(noise) * other.scales[position])
    return other
