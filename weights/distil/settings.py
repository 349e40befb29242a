"""Every choice of a training run, in one place, so that a log can hold them all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How one run trains. Sizes are in pixels, learning rates per step."""

    seed: int = 20
    steps: int = 8000
    """Length of the schedule; a time limit that is reached first shortens it."""
    time_limit: float = 4500.0
    """Seconds of training, over all resumed parts of the run."""
    widths: tuple[int, ...] = (16, 32, 64, 96, 160)
    layer_weights: tuple[float, ...] = (0.5, 0.5, 1.0, 1.0, 2.0)
    """Of the layers' errors. Seven tenths of what the style loss under VGG-19 of a painting by the
    network has more than that of one by VGG-19 is in the last layer's."""

    crop: int = 96
    matching_batch: int = 4
    """Pictures a step while only features are matched."""
    triples_batch: int = 4
    """Triples (picture, content, style) a step once gradients are matched."""
    matching_share: float = 0.8
    """Share of the schedule that only matches features; then gradients are matched too."""

    matching_rate: float = 0.05
    """Of the convolutions while features are matched, by Muon: a step's share of the norm."""
    bias_rate: float = 2e-3
    """Of the biases while features are matched, by Adam."""
    imitation_rate: float = 3e-4
    """Of all parameters once gradients are matched, by Adam.

    Muon's steps do not shrink when gradients are mostly noise, as those of the picture gradient's
    error are with a few triples a step: with it the features got worse from there on.
    """
    warm_up_steps: int = 200
    averaging: float = 0.998
    """Decay of the exponential average of the weights, which is what is exported."""

    gradient_weight: float = 1.0
    feature_weight: float = 3.0
    gram_weight: float = 1.0
    gram_floor: float = 1e-4
    """Share of the style's own Gram matrix that is added to what Gram differences' errors are
    relative to. The less, the more a nearly finished painting counts, whose difference is small."""

    slots: int = 64
    """Triples that are being painted at any time, and of which each step visits a few."""
    teacher_paints: float = 0.15
    """Share of the triples that are painted along the teacher's gradient, not the student's."""
    strokes: int = 8
    """Steps by which the student paints its triples on at every visit."""

    validate_every: int = 500
    checkpoint_every: int = 500
