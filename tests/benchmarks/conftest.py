"""A machine's measurements, made up: two runs of one painter beside a baseline of two lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.baseline import Baseline
from benchmarks.pairs import Pair, SharedData
from benchmarks.records import Records

PAIR = Pair("photo", "painting", (480, 480))
RECORDING = [
    {"evaluation": 10, "seconds": 99.0, "style": 40.0, "content": 10.0},
    {"evaluation": 20, "seconds": 999.0, "style": 4.5, "content": 0.6},
    {"evaluation": 30, "seconds": 9999.0, "style": 4.4, "content": 0.5},
    {
        "seconds": 9999.9,
        "peak_rss_mb": 2214,
        "style": 4.3,
        "content": 0.5,
        "single": 4.8,
        "multi": 100.0,
    },
]
STEPS = [(1, 1, 50.0), (1, 2, 40.0), (2, 11, 30.0), (2, 12, 20.0)]
"""Level, step and loss: the first level ended early."""
SCORES = [(0, 90.0, 300.0), (1, 60.0, 120.0), (2, 5.0, 90.0), (3, 4.0, 95.0), (4, 4.0, 18.0)]
"""Index, single and multi; the last is the finished picture."""

Steps = list[tuple[int, int, float, float]]


def steps_at(pace: float) -> Steps:
    """The steps of a run that takes so many seconds for each."""
    return [(level, step, pace * (n + 1), loss) for n, (level, step, loss) in enumerate(STEPS)]


@pytest.fixture
def baseline(tmp_path: Path) -> Baseline:
    """With one recording."""
    folder = tmp_path / "baseline"
    folder.mkdir()
    lines = "".join(json.dumps(line) + "\n" for line in RECORDING)
    (folder / f"{PAIR.file_name}.jsonl").write_text(lines)
    (folder / f"{PAIR.file_name}.done").touch()
    return Baseline(SharedData(tmp_path), folder, threads=1)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "measurements.jsonl")


@pytest.fixture
def add(records: Records) -> Callable[..., None]:
    """Adds a measurement of the pair: `add("speed", {...}, painter="VGG", repeat=0)`."""

    def add_one(kind: str, values: dict[str, Any], **subject: str | int) -> None:
        if kind in ("speed", "losses"):
            subject = {"pair": PAIR.name, "size": PAIR.size_name, **subject}
        records.add(kind, subject, values, code="abc", others=0.01)

    return add_one


@pytest.fixture
def measured(records: Records, add: Callable[..., None]) -> Records:
    """One painter, VGG, painted twice: while the baseline took 1 s an evaluation, and while the
    machine was half as fast."""
    for repeat, pace in enumerate((1.0, 2.0)):
        run = {"pace": pace, "steps": steps_at(0.25 * pace), "seconds": 1.2 * pace, "peak_mb": 350}
        add("speed", run, painter="VGG", repeat=repeat)
    scored = {"steps": steps_at(7.0), "seconds": 77.0, "peak_mb": 999, "scores": SCORES}
    add("losses", scored, painter="VGG")
    return records
