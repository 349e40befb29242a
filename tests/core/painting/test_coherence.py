"""The term that keeps broad colors where they are."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from impasto.contracts import Evaluation
from impasto.painting.coherence import (
    CELLS,
    DRIFT,
    HOLD,
    LEAST_WEIGHT,
    MOST_WEIGHT,
    CalmSurfaces,
    CoherentColors,
)


class Bowl:
    """scale * sum of squares: an objective whose loss and gradient are known."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        return Evaluation(self.scale * image.square().sum(), 2 * self.scale * image)


def an_image(height: int, width: int, seed: int) -> torch.Tensor:
    """Of 256 values of each color, as pictures are."""
    chance = torch.Generator().manual_seed(seed)
    return torch.randint(256, (1, 3, height, width), generator=chance) / 255


Terms = type[CoherentColors] | type[CalmSurfaces]
each_term = pytest.mark.parametrize("term", [CoherentColors, CalmSurfaces])


def own_loss(of: CoherentColors | CalmSurfaces, inner: Bowl, image: torch.Tensor) -> float:
    return (of.evaluate(image).loss - inner.evaluate(image).loss).item()


@each_term
@pytest.mark.parametrize("size", [(40, 60), (37, 91), (6, 5), (200, 32)])
def test_the_gradient_is_that_of_the_loss(term: Terms, size: tuple[int, int]) -> None:
    start, image = an_image(*size, seed=0).double(), an_image(*size, seed=1).double()
    objective = term(Bowl(), 0.5 + 0.1 * (start - 0.5), strength=3.0)
    gradient = objective.evaluate(image).gradient
    direction = an_image(*size, seed=2).double() - 0.5
    ahead, behind = (objective.evaluate(image + d * 1e-6 * direction).loss for d in (1, -1))
    assert (gradient * direction).sum().item() == pytest.approx((ahead - behind).item() / 2e-6)


@each_term
def test_where_the_colors_are_in_place_nothing_is_added(term: Terms) -> None:
    start, inner = an_image(80, 80, seed=0), Bowl()
    objective = term(inner, start, strength=5.0)
    assert own_loss(objective, inner, start) == pytest.approx(0, abs=1e-3)


def test_marks_within_a_cell_cost_nothing_and_patches_do() -> None:
    side = 12 * CELLS
    start, inner = torch.full((1, 3, side, side), 0.5), Bowl()
    objective = CoherentColors(inner, start, strength=5.0)
    objective.evaluate(start)
    checks = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(side // 2, side // 2)
    marks = start + 0.1 * checks
    patches = start + 0.1 * F.interpolate(checks[None, None, :4, :4], size=(side, side))
    assert own_loss(objective, inner, marks) == pytest.approx(0, abs=1e-2)
    assert own_loss(objective, inner, patches) > 1000


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("side", [60, 480])
def test_a_strength_means_the_same_for_all_styles_and_sizes(scale: float, side: int) -> None:
    start, inner = torch.full((1, 3, side, side), 0.5), Bowl(scale)
    objective = CoherentColors(inner, start, strength=2.0)
    at_first = objective.evaluate(start).loss.item()
    drifted = start + DRIFT
    both_grids = 2 * at_first * (1 + LEAST_WEIGHT)
    assert own_loss(objective, inner, drifted) == pytest.approx(both_grids, rel=1e-3)


def test_what_is_drawn_in_the_photo_is_held_more_than_what_is_smooth() -> None:
    """A mark of half a coarse cell, as an eye has, and around which the coarse means stay."""
    side = 12 * CELLS
    start, inner = torch.full((1, 3, side, side), 0.5), Bowl()
    checks = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(2, 2)
    start[..., :60, :60] += 0.1 * checks.repeat_interleave(15, 0).repeat_interleave(15, 1)
    objective = CoherentColors(inner, start, strength=5.0)
    objective.evaluate(start)

    def with_mark(at: int) -> torch.Tensor:
        image = start.clone()
        image[..., at : at + 12, at : at + 6] += 0.1
        image[..., at : at + 12, at + 6 : at + 12] -= 0.1
        return image

    drawn, smooth = (own_loss(objective, inner, with_mark(at)) for at in (18, 174))
    assert drawn == pytest.approx(smooth * MOST_WEIGHT / LEAST_WEIGHT, rel=0.05)


def test_a_band_along_an_edge_costs_what_one_costs_that_fills_its_cells() -> None:
    """Half as wide, beside its opposite: pictures had a band of strong colors at their edges."""
    side = 12 * CELLS
    start, inner = torch.full((1, 3, side, side), 0.5), Bowl()
    objective = CoherentColors(inner, start, strength=5.0)
    objective.evaluate(start)

    def with_band(top: int, height: int) -> float:
        image = start.clone()
        image[..., top : top + height, :] += 0.1
        image[..., top + height : top + 2 * height, :] -= 0.1
        return own_loss(objective, inner, image)

    within, filling, at_edge = with_band(6, 6), with_band(6, 12), with_band(0, 6)
    assert at_edge > 0.5 * filling
    assert at_edge > 4 * within


def test_strong_marks_cost_where_the_photo_is_smooth_and_nothing_where_it_is_not() -> None:
    side = 240
    start, inner = torch.full((1, 3, side, side), 0.5), Bowl()
    drawn = torch.rand(side // 8, side // 8, generator=torch.Generator().manual_seed(0))
    start[..., 120:] = F.interpolate(drawn[None, None, :, :15], size=(side, 120))
    objective = CalmSurfaces(inner, start, strength=5.0)
    at_first = objective.evaluate(start).loss.item()

    def with_marks(left: int, height: float) -> float:
        image = start.clone()
        image[..., left : left + 60] += height * torch.tensor([1.0, -1.0]).repeat(30)
        return own_loss(objective, inner, image)

    full = 5.0 * at_first * HOLD / 4  # on a quarter of the picture
    assert with_marks(30, DRIFT) == pytest.approx(full, rel=1e-2)
    assert with_marks(30, DRIFT / 4) == pytest.approx(full / 16, rel=1e-2)
    assert with_marks(150, DRIFT) < full / 20


@each_term
def test_devices_are_not_asked_for_values(term: Terms, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a value waits for a GPU."""
    objective = term(Bowl(), an_image(40, 40, seed=0), strength=2.0)
    for name in ("item", "__bool__", "__float__", "tolist"):
        monkeypatch.setattr(torch.Tensor, name, lambda _: pytest.fail("a value was read"))
    objective.evaluate(an_image(40, 40, seed=1))
