"""The page, its data and its plots, made of measurements and made again of the data alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import machine
from benchmarks.baseline import Baseline
from benchmarks.figures import compute
from benchmarks.plots import PLOTS
from benchmarks.records import Records
from benchmarks.report import as_markdown, write_report

from .test_figures import bot_of, worker_of


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    docs.mkdir()
    return docs


@pytest.fixture
def everything(measured: Records, baseline: Baseline, add: Callable[..., None]) -> Records:
    for pixels in (230_400, 921_600):
        for network, aiogram in (("embedded", "newest"), ("VGG", "lean")):
            subject = {"network": network, "aiogram": aiogram, "pixels": pixels, "repeat": 0}
            add("bot", bot_of(400.0, 0.9), **subject)
    for side in (240, 480):
        add("worker", worker_of(300.0, side), painter="VGG", side=side, repeat=0)
    jobs = [worker_of(1.0, 1000)["jobs"][0] | {"device": "cuda", "seconds": s} for s in (2.0, 0.5)]
    add("gpu", {"start_seconds": 5.0, "idle_mb": 1.0, "jobs": jobs}, painter="VGG", side=1000)
    return measured


def test_the_page_says_machine_figures_and_rows(everything: Records, baseline: Baseline) -> None:
    page = as_markdown(compute(everything, baseline, machine.describe()))
    assert "photo x painting, 480 x 480" in page
    assert "| 60 times sooner | 40.0 times sooner (40.0 to 40.0) | no |" in page
    assert "| 480 MB; 480 MB | 400 MB; 400 MB | yes |" in page
    assert "torch 2." in page
    assert "| VGG | 1,000,000 | 2.00 | 0.50 |" in page
    assert "different states of the code" not in page
    assert "That is much" not in page


def test_page_and_plots_are_made_again_of_the_data_alone(
    everything: Records, tmp_path: Path, docs: Path
) -> None:
    pytest.importorskip("matplotlib")
    write_report(tmp_path, docs)
    plots = docs / "images" / "performance"
    page = (docs / "performance.md").read_text()
    drawn = {name: (plots / name).read_bytes() for name in PLOTS}
    for name, content in drawn.items():
        assert f"](images/performance/{name})" in page
        assert content.startswith(b"<?xml")
    (docs / "performance.md").unlink()
    shutil.rmtree(plots)
    write_report(tmp_path / "nothing", docs)
    assert (docs / "performance.md").read_text() == page
    assert {name: (plots / name).read_bytes() for name in PLOTS} == drawn


def test_a_disturbed_and_mixed_measurement_is_told(everything: Records, baseline: Baseline) -> None:
    values = worker_of(300.0, 960)
    subject = {"painter": "VGG", "side": 960, "repeat": 0}
    everything.add("worker", subject, values, code="def", others=0.4)
    page = as_markdown(compute(everything, baseline, machine.describe()))
    assert "**Measured of different states of the code: painting.**" in page
    assert "(40% at most)" in page
    assert "That is much" in page


def test_without_anything_there_is_no_page(tmp_path: Path, docs: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path, docs)
