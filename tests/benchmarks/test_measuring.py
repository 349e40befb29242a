"""The order of measurements, restarts and failures, with all that computes left out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from benchmarks import measuring as measuring_module
from benchmarks import processes
from benchmarks.baseline import Baseline
from benchmarks.measuring import Measuring, Plan
from benchmarks.painters import CUT, DEFAULT, EMBEDDED, FINE, VGG, Painter, painter_named
from benchmarks.pairs import Pair, SharedData, parse_pair, parse_size, standard_pairs
from benchmarks.processes import MeasurementFailed
from benchmarks.records import Records

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
            "pace" if module == "pace_process" else request["options"]["network"]
            for module, request in self.requests
        ]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr(processes, "ask", asked)
    monkeypatch.setattr(measuring_module, "fingerprint", lambda scope: f"code of {scope}")
    monkeypatch.setattr(Measuring, "_random_network", lambda _: Path("random.safetensors"))
    monkeypatch.setattr(Pair, "squeezed", lambda *_: (Path("content.png"), Path("style.png")))
    return asked


def measuring(baseline: Baseline, folder: Path, *kinds: str) -> Measuring:
    plan = Plan(pairs=[PAIR], painters=[DEFAULT, EMBEDDED], kinds=kinds, repeats=2)
    return Measuring(plan, SharedData(Path("shared")), folder, baseline)


def test_painters_take_turns_each_after_the_baselines_pace(
    asked: Asked, baseline: Baseline, tmp_path: Path
) -> None:
    assert measuring(baseline, tmp_path, "speed").run() == []
    vgg = str(SharedData(Path("shared")).vgg)
    assert asked.order == ["pace", vgg, "pace", "embedded"] * 2
    assert not any("yardstick" in request for _, request in asked.requests), "undisturbed"


def test_what_is_measured_is_not_measured_again(
    asked: Asked, baseline: Baseline, tmp_path: Path
) -> None:
    asked.fail_at = 6
    [failure] = measuring(baseline, tmp_path, "speed").run()
    assert "the process broke" in failure
    before = len(asked.requests)
    assert measuring(baseline, tmp_path, "speed").run() == []
    assert len(asked.requests) == before + 2, "a pace and the one that failed"
    assert len(Records(tmp_path / "measurements.jsonl").of_kind("speed")) == 4


def test_losses_are_scored_against_the_baselines(
    asked: Asked, baseline: Baseline, tmp_path: Path
) -> None:
    measuring(baseline, tmp_path, "losses").run()
    scored = [request for module, request in asked.requests if module == "painting_process"]
    goals = [request["yardstick"]["goals"] for request in scored]
    assert goals == [{"multi": [100.0], "single": [pytest.approx(1.1 * 4.8)]}] * 2
    pictures = {request["picture"] for request in scored}
    assert len(pictures) == 2


def test_without_a_recording_of_the_baseline_there_are_no_losses(
    asked: Asked, tmp_path: Path
) -> None:
    empty = Baseline(SharedData(tmp_path), tmp_path / "empty", threads=1)
    failures = measuring(empty, tmp_path, "losses").run()
    assert len(failures) == 2
    assert "is not recorded" in failures[0]
    assert asked.requests == []


def test_a_painter_is_a_set_of_options_and_settings() -> None:
    painter = Painter("p", {"network": VGG, "steps": 9}, {"painting": {"style_weight": 5.0}})
    request = painter.request({VGG: Path("vgg.safetensors")}, threads=3)
    assert request["options"] == {"network": "vgg.safetensors", "steps": 9}
    assert request["settings"]["painting"] == {
        "network": "vgg.safetensors",
        "style_weight": 5.0,
        "threads": 3,
        "device": "cpu",
    }
    with pytest.raises(ValueError, match="there is no painter"):
        painter_named("Rembrandt")


def test_the_files_of_networks_stand_in_settings_too() -> None:
    request = FINE.request({VGG: Path("vgg.safetensors")}, threads=2)
    assert request["options"] == {"network": "auto", "fine": True}
    assert request["settings"]["painting"]["fine_network"] == "vgg.safetensors"
    assert request["settings"]["painting"]["network"] == "auto"


def test_only_thorough_painters_are_timed_apart_and_at_other_sizes(
    asked: Asked, baseline: Baseline, tmp_path: Path
) -> None:
    small = parse_pair(PAIR.name, (320, 320))
    plan = Plan([PAIR, small], painters=[DEFAULT, CUT], kinds=["speed", "losses"], repeats=2)
    failures = Measuring(plan, SharedData(Path("shared")), tmp_path, baseline).run()
    assert len(failures) == 1, "the baseline is not recorded at the small size"
    painted = [r for module, r in asked.requests if module == "painting_process"]
    steps = [r["options"].get("steps") for r in painted if "yardstick" not in r]
    assert steps == [None] * 4, "twice at each size, the cut one never"
    steps = [r["options"].get("steps") for r in painted if "yardstick" in r]
    assert steps == [None, CUT.options["steps"]]


def test_the_pairs_are_those_that_were_asked_for() -> None:
    pairs = standard_pairs()
    assert len(pairs) == len(set(pairs)) == 10
    sizes = [pair.size for pair in pairs]
    assert [len(list(group)) for _, group in itertools.groupby(sizes)] == [6, 2, 2]


@pytest.mark.parametrize("text", ["", "x", "480", "480x", "-4x5", "4x5x6", "axb"])
def test_a_size_is_height_and_width(text: str) -> None:
    assert parse_size("480x320") == (480, 320)
    with pytest.raises(ValueError, match="HEIGHTxWIDTH"):
        parse_size(text)


@pytest.mark.parametrize("text", ["", "photo", "photo:", ":style"])
def test_a_pair_is_content_and_style(text: str) -> None:
    assert parse_pair("photo:style", (1, 2)) == Pair("photo", "style", (1, 2))
    with pytest.raises(ValueError, match="CONTENT:STYLE"):
        parse_pair(text, (1, 2))
