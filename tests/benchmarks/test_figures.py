"""From measurements to figures: every one of these can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from benchmarks.baseline import Baseline
from benchmarks.figures import compute
from benchmarks.must_show import rows
from benchmarks.records import Records

from .conftest import SCORES, steps_at

FACTS = {"cpu": "an abacus", "cores": 2}


@pytest.fixture
def pair(measured: Records, baseline: Baseline) -> dict[str, Any]:
    [found] = compute(measured, baseline, FACTS)["pairs"]
    return found


def test_the_baselines_time_is_its_evaluations_times_its_pace_now(pair: dict[str, Any]) -> None:
    assert pair["baseline"]["evaluations"] == 30
    assert pair["baseline"]["seconds"] == 30 * 1.5, "not the seconds of its recording"
    assert pair["baseline"]["curve"] == [[15.0, 50.0], [30.0, 5.1], [45.0, 4.9]]


def test_each_run_is_compared_with_the_pace_just_before_it(pair: dict[str, Any]) -> None:
    [painter] = pair["painters"]
    assert painter["whole"]["seconds"] == {
        "median": 1.8,
        "least": 1.2,
        "largest": 2.4,
        "count": 2,
    }
    assert painter["whole"]["sooner"]["least"] == painter["whole"]["sooner"]["largest"] == 25.0


def test_a_loss_is_reached_at_the_step_that_first_has_it(pair: dict[str, Any]) -> None:
    [painter] = pair["painters"]
    assert painter["to_multi"]["seconds"]["least"] == 0.75, "90 at the third step"
    assert painter["to_multi"]["sooner"]["median"] == 40.0
    assert painter["to_single"]["seconds"]["least"] == 0.75, "5.0 is below 1.1 times 4.8"
    alike = painter["to_single_alike"]["sooner"]["median"]
    assert alike == pytest.approx(20 / 0.75, abs=1e-4), "the baseline had 5.28 after 20 evaluations"
    assert (painter["single"], painter["multi"]) == (4.0, 18.0)


def test_curves_have_the_clock_of_the_undisturbed_runs(pair: dict[str, Any]) -> None:
    [painter] = pair["painters"]
    assert [seconds for seconds, *_ in painter["curve"]] == [0.375, 0.75, 1.125, 1.5, 1.8]
    assert painter["unlike"] == 0.0


def test_runs_that_made_other_steps_are_told(
    measured: Records, baseline: Baseline, add: Callable[..., None]
) -> None:
    short = {"pace": 1.0, "steps": steps_at(0.25)[:-1], "seconds": 1.0, "peak_mb": 350}
    add("speed", short, painter="VGG", repeat=2)
    [pair] = compute(measured, baseline, FACTS)["pairs"]
    assert pair["painters"][0]["unlike"] == 1.0


def test_what_is_never_reached_counts_as_no_sooner(
    measured: Records, baseline: Baseline, add: Callable[..., None]
) -> None:
    worse = [(index, single + 9, multi + 900) for index, single, multi in SCORES]
    add("losses", {"steps": steps_at(7.0), "seconds": 77.0, "scores": worse}, painter="VGG")
    figures = compute(measured, baseline, FACTS)
    [painter] = figures["pairs"][0]["painters"]
    assert painter["to_multi"] is None
    assert painter["to_single"] is None
    to_multi, to_single, default, *_ = rows(figures)
    assert (to_multi.reached, to_single.reached, default.reached) == (False, False, False)


def test_every_figure_has_its_row(measured: Records, baseline: Baseline) -> None:
    found = rows(compute(measured, baseline, FACTS))
    assert len(found) == 8
    to_multi, to_single, default, *others = found
    assert (to_multi.asked, to_multi.reached) == ("60 times sooner", False)
    assert "40.0 times sooner" in to_multi.measured
    assert (to_single.asked, to_single.reached) == ("12 times sooner", True)
    assert default.reached, "25 times faster, and 18 is less than a fifth of 100"
    assert "0.18" in default.measured
    assert {other.reached for other in others} == {None}


def bot_of(peak: float, preview: float, painted: int = 230_400) -> dict[str, float]:
    names = ("tap_to_taken_seconds", "taken_to_ready_seconds", "painter_resident_mb")
    sizes = {"painted_pixels": painted, "peak_mb": peak, "bot_mb": 100.0, "painter_mb": peak - 100}
    return dict.fromkeys(names, 1.0) | sizes | {"taken_to_preview_seconds": preview}


def worker_of(peak: float, side: int) -> dict[str, Any]:
    job = {"seconds": 5.0, "first_preview_seconds": 0.5, "peak_mb": peak}
    job |= {"width": side, "height": side}
    return {"start_seconds": 3.0, "idle_mb": 230.0, "jobs": [job]}


def test_memory_is_the_worst_of_all_runs_and_seconds_are_the_median(
    records: Records, baseline: Baseline, add: Callable[..., None]
) -> None:
    for repeat, (peak, preview) in enumerate([(400.0, 0.9), (470.0, 0.8), (410.0, 5.0)]):
        for network, aiogram in (("embedded", "newest"), ("VGG", "lean")):
            subject = {"network": network, "aiogram": aiogram, "pixels": 230_400, "repeat": repeat}
            add("bot", bot_of(peak, preview), **subject)
        add("worker", worker_of(peak - 100, 480), painter="embedded", side=480, repeat=repeat)
        add("worker", worker_of(peak - 120, 480), painter="VGG", side=480, repeat=repeat)
    *_, preview, painter, bot, large_bot, _ = rows(compute(records, baseline, FACTS))
    assert (preview.measured, preview.reached) == ("0.90 s", True)
    assert (painter.measured, painter.reached) == ("350 MB; 370 MB", False)
    assert (bot.measured, bot.reached) == ("470 MB; 470 MB", True)
    assert large_bot.reached is None


def test_without_measurements_there_is_nothing_to_compute(
    records: Records, baseline: Baseline
) -> None:
    with pytest.raises(ValueError, match="nothing is measured"):
        compute(records, baseline, FACTS)
