"""What painting relies on in an optimizer."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from impasto.contracts import Evaluation, Optimizer, Problem

SHAPE = (1, 3, 12, 16)


class Bowl:
    """A stretched quadratic whose minimum lies partly out of bounds; counts its evaluations."""

    def __init__(self, device: torch.device) -> None:
        random = torch.Generator().manual_seed(1)
        self.target = (torch.rand(SHAPE, generator=random) * 1.6 - 0.3).to(device)
        self.steepness = (1 + 9 * torch.rand(SHAPE, generator=random)).to(device)
        self.start = torch.rand(SHAPE, generator=random).to(device)
        self.evaluations = 0
        self.least, self.most = math.inf, -math.inf

    def problem(self) -> Problem:
        return Problem(start=self.start, evaluate=self.evaluate, precondition=torch.clone)

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        self.evaluations += 1
        self.least = min(self.least, image.min().item())
        self.most = max(self.most, image.max().item())
        return self.look(image)

    def look(self, image: torch.Tensor) -> Evaluation:
        """An evaluation that is not counted."""
        offset = image - self.target
        loss = 0.5 * (self.steepness * offset.square()).sum()
        return Evaluation(loss, self.steepness * offset)

    def loss(self, image: torch.Tensor) -> float:
        return float(self.look(image).loss)


class OptimizerConformance:
    """Inherit it and override the fixture `optimizer`."""

    @pytest.fixture
    def optimizer(self) -> Optimizer:
        raise NotImplementedError("override the fixture `optimizer`")

    @pytest.fixture(params=["cpu", "cuda"])
    def bowl(self, request: pytest.FixtureRequest) -> Bowl:
        """The function to minimize, on each device that works here."""
        if request.param == "cuda" and not torch.cuda.is_available():
            pytest.skip("there is no GPU here")
        return Bowl(torch.device(request.param))

    def test_keeps_the_contract(self, optimizer: Optimizer) -> None:
        assert isinstance(optimizer, Optimizer)

    def test_lowers_the_loss(self, optimizer: Optimizer, bowl: Bowl) -> None:
        losses = [float(iterate.loss) for iterate in optimizer.minimize(bowl.problem(), 60)]
        least = bowl.loss(bowl.target.clamp(0, 1))
        assert min(losses) - least < 0.5 * (losses[0] - least)

    def test_begins_at_the_start(self, optimizer: Optimizer, bowl: Bowl) -> None:
        first = next(optimizer.minimize(bowl.problem(), 5))
        assert first.step == 1
        assert float(first.loss) == pytest.approx(bowl.loss(bowl.start), rel=1e-4)

    @pytest.mark.parametrize("steps", [1, 2, 17])
    def test_honours_steps(self, optimizer: Optimizer, bowl: Bowl, steps: int) -> None:
        """One step is one evaluation: what an optimizer costs is what the settings say."""
        made = 0
        for made, iterate in enumerate(optimizer.minimize(bowl.problem(), steps), start=1):
            assert iterate.step == made
            assert bowl.evaluations <= made
        assert 1 <= made <= steps
        assert bowl.evaluations <= steps

    def test_reports_the_loss_of_the_image_it_yields(
        self, optimizer: Optimizer, bowl: Bowl
    ) -> None:
        for iterate in optimizer.minimize(bowl.problem(), 10):
            assert iterate.image.shape == SHAPE
            assert bowl.loss(iterate.image) == pytest.approx(float(iterate.loss), rel=1e-3)

    def test_stays_within_bounds(self, optimizer: Optimizer, bowl: Bowl) -> None:
        for iterate in optimizer.minimize(bowl.problem(), 30):
            assert 0 <= iterate.image.min() <= iterate.image.max() <= 1
        assert bowl.least >= 0
        assert bowl.most <= 1

    def test_leaves_the_start_alone(self, optimizer: Optimizer, bowl: Bowl) -> None:
        before = bowl.start.clone()
        list(optimizer.minimize(bowl.problem(), 5))
        assert torch.equal(bowl.start, before)

    def test_can_be_stopped(self, optimizer: Optimizer, bowl: Bowl) -> None:
        iterates = optimizer.minimize(bowl.problem(), 50)
        next(iterates)
        next(iterates)
        evaluations = bowl.evaluations
        iterates.close()
        assert list(iterates) == []
        assert bowl.evaluations == evaluations

    def test_begins_anew_each_time(self, optimizer: Optimizer, bowl: Bowl) -> None:
        """It is used for each level of each picture: nothing may be left of the one before."""
        first = [float(iterate.loss) for iterate in optimizer.minimize(bowl.problem(), 8)]
        second = [float(iterate.loss) for iterate in optimizer.minimize(bowl.problem(), 8)]
        assert first == pytest.approx(second, rel=1e-4)

    def test_survives_a_function_without_slope(self, optimizer: Optimizer, bowl: Bowl) -> None:
        def flat(image: torch.Tensor) -> Evaluation:
            return Evaluation(image.new_tensor(1.0), torch.zeros_like(image))

        for iterate in optimizer.minimize(replace(bowl.problem(), evaluate=flat), 6):
            assert torch.isfinite(iterate.image).all()
