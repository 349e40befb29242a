"""The order of measurements, restarts and failures, with all that computes left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from benchmarks import measuring as measuring_module
from benchmarks import processes
from benchmarks.baseline import Baseline
from benchmarks.measuring import Measuring, Plan
from benchmarks.processes import MeasurementFailed
from benchmarks.records import Records
from benchmarks.subjects import (
    EMBEDDED,
    FINE,
    OF_VGG,
    PAIRS,
    VGG,
    Painter,
    Pair,
    SharedData,
    painter_named,
)

from .conftest import PAIR


class Asked:
    """Stands in for the processes: notes what they are asked and answers something."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Mapping[str, Any]]] = []
        self.fail_at: int | None = None

    def __call__(self, module: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self.requests.append((module, request))
        if len(self.requests) == self.fail_at:
            raise MeasurementFailed("the process broke")
        return {"seconds": 1.0}

    @property
    def order(self) -> list[str]:
        return [
            "pace" if "evaluations" in request else request["options"]["network"]
            for _, request in self.requests
        ]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr(processes, "ask", asked)
    monkeypatch.setattr(measuring_module, "fingerprint", lambda: "the code")
    monkeypatch.setattr(Pair, "squeezed", lambda *_: (Path("content.png"), Path("style.png")))
    return asked


def measuring(baseline: Baseline, folder: Path) -> Measuring:
    plan = Plan(pairs=[PAIR], painters=[OF_VGG, EMBEDDED], kinds=["pairs"], repeats=2)
    return Measuring(plan, SharedData(Path("shared")), folder, baseline)


def test_painters_take_turns_each_after_the_baselines_pace(
    asked: Asked, baseline: Baseline, tmp_path: Path
) -> None:
    assert measuring(baseline, tmp_path).run() == []
    vgg = str(SharedData(Path("shared")).vgg)
    assert asked.order == ["pace", vgg, "pace", "embedded"] * 2


def test_what_is_measured_is_not_measured_again(
    asked: Asked, baseline: Baseline, tmp_path: Path
) -> None:
    asked.fail_at = 6
    [failure] = measuring(baseline, tmp_path).run()
    assert "the process broke" in failure
    before = len(asked.requests)
    assert measuring(baseline, tmp_path).run() == []
    assert len(asked.requests) == before + 2, "a pace and the one that failed"
    assert len(Records(tmp_path / "measurements.jsonl").of_kind("pairs")) == 4


def test_the_first_run_of_each_painter_is_scored(
    asked: Asked, baseline: Baseline, tmp_path: Path
) -> None:
    measuring(baseline, tmp_path).run()
    painted = [request for _, request in asked.requests if "evaluations" not in request]
    assert ["picture" in request for request in painted] == [True, True, False, False]
    assert len({request["picture"] for request in painted[:2]}) == 2


def test_a_painter_is_a_set_of_options_and_settings() -> None:
    painter = Painter("p", {"network": VGG, "steps": 9}, {"style_weight": 5.0})
    request = painter.request(Path("vgg.safetensors"), pixels=900_000, threads=3)
    assert request["options"] == {"network": "vgg.safetensors", "steps": 9}
    assert request["settings"]["painting"] == {
        "network": "vgg.safetensors",
        "style_weight": 5.0,
        "color_coherence": 0.0,
        "simplify": 0.0,
        "threads": 3,
        "device": "cpu",
        "max_pixels_cpu": 900_000,
        "memory_mb": 440,
    }
    with pytest.raises(ValueError, match="there is no painter"):
        painter_named("Rembrandt")


def test_the_files_of_networks_stand_in_settings_too() -> None:
    request = FINE.request(Path("vgg.safetensors"), pixels=1024, threads=2)
    assert request["options"] == {"network": "auto", "fine": True}
    assert request["settings"]["painting"]["fine_network"] == "vgg.safetensors"
    assert request["settings"]["painting"]["network"] == "auto"
    assert request["settings"]["painting"]["memory_mb"] == 372


@pytest.mark.parametrize("text", ["", "photo", "photo:", ":style"])
def test_a_pair_is_content_and_style(text: str) -> None:
    assert Pair.parse(PAIRS[0].name) == PAIRS[0]
    with pytest.raises(ValueError, match="CONTENT:STYLE"):
        Pair.parse(text)
