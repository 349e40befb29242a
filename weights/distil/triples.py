"""Triples of picture, content and style, the picture being on its way from one to the other.

What a painter asks of the network is its gradient at half-finished pictures. So the pictures of
the training are half-finished paintings: each slot of the pool holds a triple that is painted a
step further at every visit, along the gradient that the teacher (or the student itself) just gave
for the training, and is replaced by a fresh one when its life is over.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .data import Pictures, color_matched
from .losses import Targets, teacher_targets
from .network import Convolutions
from .settings import Settings

LIVES = (1, 4, 12, 40)
"""Visits after which a triple is replaced, chosen with equal chances."""
FIRST_STEP, LAST_STEP = 0.04, 0.008
"""RMS of a painting step in the life's beginning and end."""


def smoothed(gradient: Tensor, cutoff: float = 0.01, power: float = 1.25) -> Tensor:
    """The gradient with the spectrum of natural pictures, which large strokes need."""
    height, width = gradient.shape[-2:]
    vertical = torch.fft.fftfreq(height, device=gradient.device)[:, None]
    horizontal = torch.fft.rfftfreq(width, device=gradient.device)[None]
    spectrum = (vertical**2 + horizontal**2 + cutoff**2) ** (-power / 2)
    return torch.fft.irfft2(torch.fft.rfft2(gradient) * spectrum, s=(height, width))


def unit(values: Tensor) -> Tensor:
    size = values.flatten(1).pow(2).mean(1).sqrt().clamp_min(1e-20)
    return values / size.view(-1, 1, 1, 1)


def drawn_styles(count: int, pictures: Pictures, random: torch.Generator) -> Tensor:
    return pictures.draw(count, random, textured=0.5, strength=1.0)


def started(content: Tensor, style: Tensor, random: torch.Generator) -> Tensor:
    """Where paintings start: matched or plain content, blends with the style, noise."""
    count = len(content)
    noise = torch.randn(content.shape, generator=random)
    mask = unit(smoothed(torch.randn((count, 1, *content.shape[2:]), generator=random)))
    mask = (mask * torch.rand((count, 1, 1, 1), generator=random) * 3).sigmoid()
    matched = color_matched(content, style)
    choices = torch.stack(
        (
            matched,
            matched + 0.05 * noise,
            matched * mask + content * (1 - mask),
            matched * mask + style * (1 - mask),
            color_matched(unit(smoothed(noise)) * 0.2 + 0.5, style),
        )
    )
    weights = torch.tensor([0.45, 0.1, 0.1, 0.25, 0.1])
    choice = torch.multinomial(weights, count, replacement=True, generator=random)
    return choices[choice, torch.arange(count)].clamp(0, 1)


class Pool:
    """Triples under way, with what the teacher asks of each."""

    def __init__(
        self, pictures: Pictures, teacher: Convolutions, settings: Settings, random: torch.Generator
    ) -> None:
        self.pictures, self.teacher, self.settings, self.random = (
            pictures,
            teacher,
            settings,
            random,
        )
        self.device = teacher[0][0].device
        self._queue: list[int] = []
        slots = torch.arange(settings.slots)
        self.age = torch.zeros(settings.slots)
        self.life = torch.zeros(settings.slots)
        content, style, picture, weight, targets = self._fresh(len(slots))
        self.content, self.style, self.picture = content, style, picture
        self.content_weight, self.targets = weight, targets
        self.momentum = torch.zeros_like(picture)
        self.by_teacher = self._coin(len(slots), settings.teacher_paints)
        self.life = self._lives(len(slots))

    def _coin(self, count: int, chance: float) -> Tensor:
        return torch.rand(count, generator=self.random) < chance

    def _lives(self, count: int) -> Tensor:
        choice = torch.randint(len(LIVES), (count,), generator=self.random)
        return torch.tensor(LIVES, dtype=torch.float32)[choice]

    def _fresh(self, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Targets]:
        content = self.pictures.draw(count, self.random, textured=0.1, strength=0.5)
        style = drawn_styles(count, self.pictures, self.random)
        picture = started(content, style, self.random)
        # Some triples weigh the content more, or its gradient would rarely be seen beside
        # the style's.
        weight = 10 ** (1.5 * torch.rand(count, generator=self.random))
        weight = torch.where(self._coin(count, 0.3), weight, torch.ones(count))
        content, style, picture, weight = (
            t.to(self.device) for t in (content, style, picture, weight)
        )
        return content, style, picture, weight, teacher_targets(content, style, self.teacher)

    def next_slots(self) -> Tensor:
        """The slots of the next step; every slot is visited once before any is again."""
        while len(self._queue) < self.settings.triples_batch:
            self._queue += torch.randperm(self.settings.slots, generator=self.random).tolist()
        batch = self._queue[: self.settings.triples_batch]
        self._queue = self._queue[self.settings.triples_batch :]
        return torch.tensor(batch)

    def targets_of(self, slots: Tensor) -> Targets:
        return Targets([g[slots] for g in self.targets.grams], self.targets.content[slots])

    @torch.no_grad()
    def paint(self, slots: Tensor, teacher: Tensor, student: Tensor) -> None:
        """One step along the chosen gradient for each slot; finished ones are replaced."""
        by_teacher = self.by_teacher[slots].view(-1, 1, 1, 1).to(self.device)
        chosen = torch.where(by_teacher, teacher, student)
        momentum = 0.7 * self.momentum[slots] + unit(smoothed(chosen))
        share = (self.age[slots] / self.life[slots]).clamp(0, 1)
        size = LAST_STEP + (FIRST_STEP - LAST_STEP) * 0.5 * (1 + torch.cos(math.pi * share))
        step = unit(momentum) * size.view(-1, 1, 1, 1).to(self.device)
        self.momentum[slots] = momentum
        self.picture[slots] = (self.picture[slots] - step).clamp(0, 1)
        self.age[slots] += 1
        self._replace(slots[self.age[slots] >= self.life[slots]])

    def _replace(self, slots: Tensor) -> None:
        if not len(slots):
            return
        content, style, picture, weight, targets = self._fresh(len(slots))
        self.content[slots], self.style[slots], self.picture[slots] = content, style, picture
        self.content_weight[slots] = weight
        for mine, new in zip(self.targets.grams, targets.grams, strict=True):
            mine[slots] = new
        self.targets.content[slots] = targets.content
        self.momentum[slots] = 0
        self.age[slots] = 0
        self.life[slots] = self._lives(len(slots))
        self.by_teacher[slots] = self._coin(len(slots), self.settings.teacher_paints)
