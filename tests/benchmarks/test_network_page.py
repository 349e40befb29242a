"""The page about the small network, made of figures that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from benchmarks.baseline import Baseline
from benchmarks.figures import compute
from benchmarks.network_page import as_markdown, rows
from benchmarks.painters import CUT, EMBEDDED, FINE, OF_RANDOM_WEIGHTS
from benchmarks.records import Records

from .conftest import STEPS, steps_at

LAST = {
    EMBEDDED.name: (8.0, 18.9),
    FINE.name: (4.2, 18.0),
    CUT.name: (9.0, 18.8),
    OF_RANDOM_WEIGHTS.name: (900.0, 9000.0),
}
"""Single and multi of the finished pictures; VGG-19's are 4 and 18."""


@pytest.fixture
def figures(measured: Records, baseline: Baseline, add: Callable[..., None]) -> dict[str, Any]:
    for painter, (single, multi) in LAST.items():
        steps, scores = steps_at(0.1), [(len(STEPS), single, multi)]
        values = {"steps": steps, "seconds": 0.5, "peak_mb": 300.0}
        add("losses", values | {"scores": scores, "pace": 1.0}, painter=painter)
    ratio = {"all kept": 4.2, "nothing kept": 3.9}
    measured.add("steps", {"size": 480}, {"ratio": ratio}, code="abc", others=0.0)
    return compute(measured, baseline, {"cpu": "an abacus"})


def test_each_figure_stands_beside_what_was_asked(figures: dict[str, Any]) -> None:
    _, step, embedded, fine, speed, cut = rows(figures)
    assert (step.measured, step.reached) == ("4.2 times; 3.9 times", False)
    assert embedded.measured == "`multi` 1.05 (1.05 to 1.05); `single` 2.00 (2.00 to 2.00)"
    assert embedded.reached
    assert fine.reached
    assert speed.measured == "60.0 times faster; `multi` 0.19 of the baseline's"
    assert speed.reached
    assert cut.measured == "`single` in 1 of 1 pairs; `multi` in 0 of 1 pairs"
    assert not cut.reached


def test_the_page_has_every_pair_and_picture(figures: dict[str, Any]) -> None:
    page = as_markdown(figures, ["images/network/night-embedded.jpg"])
    assert "| photo x painting | 1.8; 4; 18 | 0.5; 9; 18.8 | 0.5; 8; 18.9 |" in page
    assert "![night-embedded](images/network/night-embedded.jpg)" in page


def test_what_is_not_measured_is_left_open(measured: Records, baseline: Baseline) -> None:
    page = as_markdown(compute(measured, baseline, {"cpu": "an abacus"}), [])
    assert "| VGG-19 cut to the same seconds |" in page
    assert "not measured" in page
