"""Triples of picture, content and style, the picture being on its way from one to the other.

What a painter asks of the network is its gradient at half-finished pictures, and what becomes of a
painting is where that gradient ends. So the pictures of the training are paintings: each slot of
the pool holds a triple that is painted on at every visit and replaced by a fresh one when its life
is over. Most follow the student. A painting that the student calls finished shows what it is blind
to; the teacher sees it there, and the student learns it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .data import Pictures, color_matched
from .losses import Targets, ThinTargets, View, student_view, teacher_targets
from .network import Convolutions, Student
from .settings import Settings

LIVES = (1, 4, 16)
"""Visits after which a triple is replaced, chosen with equal chances."""
STROKE = 0.04
"""RMS of a painting's first stroke; the more gradients contradict each other, the less later."""
SLOW, SLOWEST = 0.9, 0.99
"""Decay of the gradients' mean and of their mean square."""
NATURAL = 1.25
"""Power of the frequency by which a natural picture's amplitudes fall, about."""


def smoothed(gradient: Tensor, power: float = NATURAL, cutoff: float = 0.01) -> Tensor:
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
        content, style, picture, weight, targets = self._fresh(len(slots))
        self.content, self.style, self.picture = content, style, picture
        self.content_weight, self.targets = weight, targets
        self.strokes = torch.zeros(settings.slots, device=self.device)
        self.mean = torch.zeros_like(picture)
        self.square = torch.zeros(settings.slots, device=self.device)
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

    @torch.no_grad()
    def paint(
        self, slots: Tensor, theirs: View, ours: View, asked: ThinTargets, student: Student
    ) -> None:
        """Paint on, from what teacher and student see and what the student asks for: a stroke
        where the teacher paints, several where the student does.

        Finished triples are replaced.
        """
        by_teacher = self.by_teacher[slots]
        chosen = by_teacher.view(-1, 1, 1, 1).to(self.device)
        self._stroke(slots, torch.where(chosen, theirs.gradient, ours.gradient))
        if not by_teacher.all():
            own = slots[~by_teacher]
            targets = asked.rows(~by_teacher)
            weight = self.content_weight[own]
            for _ in range(self.settings.strokes - 1):
                view = student_view(self.picture[own], targets, weight, student)
                self._stroke(own, view.gradient)
        self.age[slots] += 1
        self._replace(slots[self.age[slots] >= self.life[slots]])

    def _stroke(self, slots: Tensor, gradient: Tensor) -> None:
        """A step of Adam, with one second moment a picture, in the metric of natural pictures."""
        self.strokes[slots] += 1
        root = smoothed(gradient, NATURAL / 2)
        size = root.flatten(1).pow(2).mean(1)
        self.mean[slots] = SLOW * self.mean[slots] + (1 - SLOW) * root
        self.square[slots] = SLOWEST * self.square[slots] + (1 - SLOWEST) * size
        strokes = self.strokes[slots]
        mean = self.mean[slots] / (1 - SLOW**strokes).view(-1, 1, 1, 1)
        square = self.square[slots] / (1 - SLOWEST**strokes)
        agreement = (mean.flatten(1).pow(2).mean(1) / square.clamp_min(1e-30)).sqrt()
        step = unit(smoothed(mean, NATURAL / 2)) * (STROKE * agreement).view(-1, 1, 1, 1)
        self.picture[slots] = (self.picture[slots] - step).clamp(0, 1)

    def _replace(self, slots: Tensor) -> None:
        if not len(slots):
            return
        content, style, picture, weight, targets = self._fresh(len(slots))
        self.content[slots], self.style[slots], self.picture[slots] = content, style, picture
        self.content_weight[slots] = weight
        for mine, new in zip(self.targets.grams, targets.grams, strict=True):
            mine[slots] = new
        self.targets.content[slots] = targets.content
        self.strokes[slots] = 0
        self.mean[slots] = 0
        self.square[slots] = 0
        self.age[slots] = 0
        self.life[slots] = self._lives(len(slots))
        self.by_teacher[slots] = self._coin(len(slots), self.settings.teacher_paints)
