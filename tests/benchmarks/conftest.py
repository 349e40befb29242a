"""A machine's measurements, made up: two runs of one painter beside a baseline of two lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.baseline import Baseline
from benchmarks.records import Records
from benchmarks.subjects import PAIRS, SharedData

PAIR = PAIRS[0]
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
SCORES = [(90.0, 300.0), (60.0, 120.0), (5.0, 90.0), (4.0, 95.0), (4.0, 18.0)]
"""`single` and `multi` after each step, and of the finished picture."""


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
    """Adds a measurement: `add("pairs", {...}, painter="VGG", repeat=0)`."""

    def add_one(kind: str, values: dict[str, Any], **subject: str | int) -> None:
        if kind == "pairs":
            subject = {"pair": PAIR.name, **subject}
        records.add(kind, subject, values, code="abc", others=0.01)

    return add_one


@pytest.fixture
def measured(records: Records, add: Callable[..., None]) -> Records:
    """One painter, VGG, painted twice: while the baseline took 1 s an evaluation, and while the
    machine was half as fast."""
    for repeat, pace in enumerate((1.0, 2.0)):
        steps = [pace * 0.25 * (number + 1) for number in range(4)]
        run: dict[str, Any] = {"pace": pace, "steps": steps, "seconds": 1.2 * pace}
        add(
            "pairs", run | ({"scores": SCORES} if repeat == 0 else {}), painter="VGG", repeat=repeat
        )
    return records
