"""The optimizer plugins on functions whose minima are known."""

from __future__ import annotations

import pytest
import torch

import impasto_lbfgs
from impasto import Evaluation, Problem
from impasto.painting import objective
from impasto.painting.objective import natural_image_preconditioner
from impasto_adam import Adam
from impasto_lbfgs import Lbfgs

SHAPE = (1, 3, 24, 20)
OPTIMIZERS = [Lbfgs(history=6), Adam(learning_rate=0.05)]


def random_image(seed: int) -> torch.Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed))


def bowl(target: torch.Tensor, steepness: torch.Tensor) -> Problem:
    """A stretched quadratic around a target that may lie out of bounds."""

    def evaluate(image: torch.Tensor) -> Evaluation:
        offset = image - target
        return Evaluation(0.5 * (steepness * offset.square()).sum(), steepness * offset)

    return Problem(start=random_image(1), evaluate=evaluate, precondition=torch.clone)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.name)
def test_each_step_is_one_evaluation_within_bounds(optimizer) -> None:
    problem = bowl(random_image(2) * 3 - 1, torch.ones(SHAPE))
    start = problem.start.clone()
    evaluations = 0
    evaluate = problem.evaluate

    def counting(image: torch.Tensor) -> Evaluation:
        nonlocal evaluations
        evaluations += 1
        assert image.min() >= 0
        assert image.max() <= 1
        return evaluate(image)

    counted = Problem(start=problem.start, evaluate=counting, precondition=problem.precondition)
    for number, iterate in enumerate(optimizer.minimize(counted, 25), start=1):
        assert iterate.step == number == evaluations
        assert evaluate(iterate.image).loss.item() == pytest.approx(float(iterate.loss))
    assert evaluations == 25
    assert torch.equal(problem.start, start)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.name)
def test_the_minimum_within_bounds_is_found(optimizer) -> None:
    target = random_image(2) * 2 - 0.5
    problem = bowl(target, 1 + 9 * random_image(3))
    *_, last = optimizer.minimize(problem, 150)
    least = problem.evaluate(target.clamp(0, 1)).loss
    first = problem.evaluate(problem.start).loss
    assert last.loss - least < 0.01 * (first - least)


def test_lbfgs_needs_far_fewer_steps_than_adam_on_a_stretched_bowl() -> None:
    problem = bowl(random_image(2), 1 + 99 * random_image(3))
    *_, lbfgs = OPTIMIZERS[0].minimize(problem, 40)
    *_, adam = OPTIMIZERS[1].minimize(problem, 40)
    assert lbfgs.loss < 0.5 * adam.loss


def test_lbfgs_survives_a_function_that_leads_it_astray() -> None:
    """Gradients that point uphill half of the time: steps are refused, the image stays in bounds
    and the loss never explodes."""

    def evaluate(image: torch.Tensor) -> Evaluation:
        loss = (20 * image).sin().sum() + 200
        sign = -1 if int(loss * 10) % 2 else 1
        return Evaluation(loss, sign * 20 * (20 * image).cos())

    problem = Problem(start=random_image(1), evaluate=evaluate, precondition=torch.clone)
    losses = [float(iterate.loss) for iterate in Lbfgs(history=4).minimize(problem, 60)]
    assert max(losses) <= 1.3**4 * losses[0]


def test_lbfgs_stays_put_at_a_minimum() -> None:
    problem = bowl(random_image(1), torch.ones(SHAPE))
    *_, last = Lbfgs(history=4).minimize(problem, 10)
    assert float(last.loss) == pytest.approx(0, abs=1e-6)


def test_the_preconditioner_is_symmetric_and_positive_definite() -> None:
    precondition = natural_image_preconditioner(24, 20, torch.device("cpu"))
    a, b = random_image(4) - 0.5, random_image(5) - 0.5
    there, back = (precondition(a) * b).sum().item(), (a * precondition(b)).sum().item()
    assert there == pytest.approx(back, rel=1e-4)
    for seed in range(5):
        probe = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))
        assert (precondition(probe) * probe).sum() > 0


def test_in_small_blocks_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def painted() -> torch.Tensor:
        precondition = natural_image_preconditioner(24, 20, torch.device("cpu"))
        target = random_image(2) * 2 - 0.5
        evaluate = bowl(target, 1 + 9 * random_image(3)).evaluate
        problem = Problem(start=random_image(1), evaluate=evaluate, precondition=precondition)
        *_, last = Lbfgs(history=3).minimize(problem, 8)
        return last.image

    whole = painted()
    monkeypatch.setattr(impasto_lbfgs, "BLOCK", 100)
    monkeypatch.setattr(objective, "TRANSFORMED_AT_ONCE", 60)
    torch.testing.assert_close(painted(), whole, atol=1e-3, rtol=0)
