"""How near the student's features, Gram matrices and picture gradients are to the teacher's."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .data import Pictures
from .losses import (
    Targets,
    feature_errors,
    gradient_errors,
    gram_errors,
    student_targets,
    student_view,
    teacher_targets,
    teacher_view,
)
from .network import LAYERS, Convolutions, Student
from .triples import drawn_styles, smoothed, started, unit

TRIPLES = 8
STAGES = (0, 10, 30)
"""Painting steps after which pictures are taken, along the teacher's gradient."""


@dataclass
class Case:
    """Pictures at one stage of painting with what they are painted after."""

    stage: int
    pictures: Tensor
    content: Tensor
    style: Tensor
    targets: Targets


def cases(pictures: Pictures, teacher: Convolutions, seed: int) -> list[Case]:
    """The same triples for every call with the same photos and seed."""
    random = torch.Generator().manual_seed(seed)
    device = teacher[0][0].device
    content = pictures.draw(TRIPLES, random, strength=0.3)
    style = drawn_styles(TRIPLES, pictures, random)
    picture = started(content, style, random).to(device)
    content, style = content.to(device), style.to(device)
    targets = teacher_targets(content, style, teacher)
    ones = torch.ones(TRIPLES, device=device)
    made, momentum = [], torch.zeros_like(picture)
    for step in range(max(STAGES) + 1):
        if step in STAGES:
            made.append(Case(step, picture, content, style, targets))
        gradient = teacher_view(picture, targets, ones, teacher).gradient
        momentum = 0.7 * momentum + unit(smoothed(gradient))
        picture = (picture - unit(momentum) * 0.04 * 0.96**step).clamp(0, 1)
    return made


def _cosine(ours: Tensor, theirs: Tensor) -> float:
    """Mean over the batch."""
    return functional.cosine_similarity(ours.flatten(1), theirs.flatten(1)).mean().item()


@torch.no_grad()
def evaluate(student: Student, teacher: Convolutions, validation: list[Case]) -> dict[str, object]:
    """Errors and cosines, averaged over triples; gradients per stage, the rest over all stages."""
    report: dict[str, object] = {}
    features, grams = [], []
    for case in validation:
        ones = torch.ones(len(case.pictures), device=case.pictures.device)
        theirs = teacher_view(case.pictures, case.targets, ones, teacher)
        asked = student_targets(case.content, case.style, student)
        ours = student_view(case.pictures, asked, ones, student)
        features.append(feature_errors(ours.features, theirs.features, student.all_readouts()))
        grams.append(gram_errors(ours, theirs, case.targets).mean(1))
        cosine = _cosine(ours.gradient, theirs.gradient)
        smooth = _cosine(smoothed(ours.gradient), smoothed(theirs.gradient))
        relative = gradient_errors(ours.gradient, theirs.gradient).median(1).values
        report[f"stage_{case.stage}"] = {
            "cosine": round(cosine, 4),
            "smoothed_cosine": round(smooth, 4),
            "gradient_errors": [round(value, 4) for value in relative.tolist()],
        }
    for name, values in (("features", features), ("grams", grams)):
        mean = torch.stack(values).mean(0).tolist()
        report[name] = {layer: round(v, 4) for layer, v in zip(LAYERS, mean, strict=True)}
    return report
