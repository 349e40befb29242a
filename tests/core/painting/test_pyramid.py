from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.painting.pictures import MIN_SIDE, resize
from impasto.painting.pyramid import carry_up, plan_levels


@given(st.integers(32, 4000), st.integers(32, 4000), st.integers(1, 5000))
def test_plans_grow_to_the_wanted_size_and_spend_all_steps(h: int, w: int, steps: int) -> None:
    levels = plan_levels((h, w), steps)
    assert (levels[-1].height, levels[-1].width) == (h, w)
    assert sum(level.steps for level in levels) == steps
    assert all(level.steps >= 1 for level in levels)
    assert all(min(level.height, level.width) >= MIN_SIDE for level in levels)
    areas = [level.height * level.width for level in levels]
    assert areas == sorted(areas)


def test_480_pixels_are_painted_in_three_sizes() -> None:
    levels = plan_levels((480, 480), 140)
    assert [(level.height, level.steps) for level in levels] == [(120, 40), (240, 40), (480, 60)]


def test_a_level_keeps_its_own_detail_and_takes_the_change_from_below() -> None:
    above = torch.rand(1, 3, 64, 80, generator=torch.Generator().manual_seed(0)) * 0.8
    below = resize(above, (32, 40)).clamp(0, 1)
    carried = carry_up(below + 0.1, below, above)
    assert torch.allclose(carried, above + 0.1, atol=1e-4)
