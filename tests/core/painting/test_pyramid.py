"""Sizes and steps of the levels, the sum over sizes with its gradient, and the way up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.painting.network import load_network
from impasto.painting.pyramid import Multiscale, StoppingRule, carry_up
from impasto.painting.tensors import resize, shrink
from impasto.sizes import LARGE_PIXELS, MIN_SIDE, plan_levels, step_shares, with_fine_finish

from .whole_objective import WholeObjective, gram_matrices


@given(st.integers(32, 4000), st.integers(32, 4000), st.integers(1, 5000))
def test_plans_grow_to_the_wanted_size_and_keep_to_the_steps(h: int, w: int, steps: int) -> None:
    levels = plan_levels((h, w), steps)
    assert (levels[-1].height, levels[-1].width) == (h, w)
    spent = sum(level.steps for level in levels)
    assert spent == steps if h * w <= LARGE_PIXELS else spent <= steps
    assert all(level.steps >= 1 for level in levels)
    assert all(min(level.height, level.width) >= MIN_SIDE for level in levels)
    areas = [level.height * level.width for level in levels]
    assert areas == sorted(areas)


def test_480_pixels_are_painted_in_three_sizes() -> None:
    levels = plan_levels((480, 480), 80)
    assert [(level.height, level.steps) for level in levels] == [(120, 30), (240, 20), (480, 30)]


def test_a_fine_picture_has_one_more_level_whose_steps_cost_more() -> None:
    *_, finest, finish = with_fine_finish(plan_levels((480, 480), 80), steps=15, cost=4)
    assert finish.size == finest.size == (480, 480)
    assert (finest.is_fine, finish.is_fine) == (False, True)
    assert finish.work == 2 * finest.work  # 15 steps at four times the cost of 30


def test_a_level_ends_when_ten_steps_gain_less_than_they_should() -> None:
    rule = StoppingRule(least_gain=0.05)
    due = [step for step in range(1, 35) if rule.is_due(step)]
    assert due == [10, 20, 30]
    assert not rule.says_stop(100.0)
    assert not rule.says_stop(90.0)
    assert rule.says_stop(86.0)


def test_with_no_least_gain_all_steps_are_made() -> None:
    rule = StoppingRule(least_gain=0)
    assert not any(rule.says_stop(loss) for loss in (100.0, 99.999, 99.999))


def test_where_full_size_counts_alone_it_gets_most_steps() -> None:
    counts = [level.steps for level in plan_levels((480, 480), 200, step_shares(coarse=0))]
    assert counts == [20, 20, 160]
    assert plan_levels((480, 480), 200, step_shares(coarse=0.5)) == plan_levels((480, 480), 200)


def test_a_level_keeps_its_own_detail_and_takes_the_change_from_below() -> None:
    above = torch.rand(1, 3, 64, 80, generator=torch.Generator().manual_seed(0)) * 0.8
    below = resize(above, (32, 40)).clamp(0, 1)
    carried = carry_up(below + 0.1, below, above)
    assert torch.allclose(carried, above + 0.1, atol=1e-4)


SIZES = [(45, 64), (23, 32)]
HALVES = [(48, 64), (24, 32)]


def image(size: tuple[int, int], seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, *size, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("sizes", [SIZES, HALVES])
def test_loss_and_gradient_are_those_of_the_weighted_sum(
    tiny_network: Path, sizes: list[tuple[int, int]]
) -> None:
    network = load_network(tiny_network).to(torch.device("cpu"), torch.float64)
    content, style, x = (image(sizes[0], seed) for seed in range(3))
    terms = [
        WholeObjective(network, shrink(content, size), grams, style_weight=1e6)
        for size in sizes
        for grams in [gram_matrices(network, shrink(style, size))]
    ]
    weights = (1.0, 0.3)
    both = Multiscale(list(zip(terms, sizes, weights, strict=True)))

    def loss(at: torch.Tensor) -> float:
        scales = zip(terms, sizes, weights, strict=True)
        return sum(weight * term.losses(shrink(at, size)).total for term, size, weight in scales)

    found = both.evaluate(x)
    assert found.loss.item() == pytest.approx(loss(x), rel=1e-9)
    for seed in range(3, 6):
        direction = image(sizes[0], seed) - 0.5
        step = 1e-6 * direction
        slope = (found.gradient * direction).sum().item()
        assert (loss(x + step) - loss(x - step)) / 2e-6 == pytest.approx(slope, rel=1e-4)


@pytest.mark.slow
def test_evaluating_does_not_import_sympy() -> None:
    """torch does so for gradients of tensors that are not scalars, and takes 40 MB for it."""
    program = (
        "import sys, torch\n"
        "from impasto.contracts import Evaluation\n"
        "from impasto.painting.pyramid import Multiscale\n"
        "class Sum:\n"
        "    def evaluate(self, x):\n"
        "        return Evaluation(x.sum(), torch.ones_like(x))\n"
        "both = Multiscale([(Sum(), (41, 40), 1.0), (Sum(), (20, 20), 0.5)])\n"
        "both.evaluate(torch.rand(1, 3, 41, 40))\n"
        "sys.exit('sympy' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_large_levels_bring_sharpness_in_few_steps() -> None:
    small, large = plan_levels((405, 540), 50), plan_levels((810, 1080), 50)
    assert [level.size for level in large] == [*(level.size for level in small), (810, 1080)]
    assert large[-1].steps < 0.4 * large[-2].steps
    assert large[-2].steps < small[-1].steps  # it is no longer the last
    assert sum(level.steps for level in large) < sum(level.steps for level in small) == 50
