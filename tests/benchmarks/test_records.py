"""The file of measurements: what is finished stays, and what changed is measured anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.records import Records, fingerprint

SUBJECT = {"painter": "VGG", "repeat": 0}


def test_a_finished_measurement_is_there_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "machine" / "measurements.jsonl"
    Records(file).add("pairs", SUBJECT, {"seconds": 5.0}, code="abc", others=0.0123)
    again = Records(file)
    assert again.has("pairs", dict(reversed(SUBJECT.items())), "abc")
    assert not again.has("bot", SUBJECT, "abc")
    assert not again.has("pairs", SUBJECT | {"repeat": 1}, "abc")
    [found] = again.of_kind("pairs")
    assert (found.values, found.others) == ({"seconds": 5.0}, 0.012)


def test_other_code_is_measured_anew(tmp_path: Path) -> None:
    records = Records(tmp_path / "measurements.jsonl")
    records.add("pairs", SUBJECT, {"seconds": 5.0}, code="abc", others=0)
    assert not records.has("pairs", SUBJECT, "def")
    records.add("pairs", SUBJECT, {"seconds": 4.0}, code="def", others=0)
    for found in (records, Records(tmp_path / "measurements.jsonl")):
        assert [m.values["seconds"] for m in found] == [4.0], "the newest replaces the older"


def test_a_line_that_was_cut_off_costs_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "measurements.jsonl"
    Records(file).add("pairs", SUBJECT, {"seconds": 5.0}, code="abc", others=0)
    file.write_text(file.read_text() + '\n{"kind": "pairs", "subj')
    records = Records(file)
    records.add("pairs", SUBJECT | {"repeat": 1}, {"seconds": 6.0}, code="abc", others=0)
    assert [m.values["seconds"] for m in Records(file)] == [5.0, 6.0]


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("core/impasto/painting/painter.py", True),
        ("core/impasto/painting/new.py", True),
        ("plugins/impasto_dialog/talk.py", True),
        ("config/impasto.toml", True),
        ("docs/index.md", False),
    ],
)
def test_the_fingerprint_is_of_what_is_measured(tmp_path: Path, file: str, changes: bool) -> None:
    (tmp_path / "core" / "impasto" / "painting").mkdir(parents=True)
    (tmp_path / "core" / "impasto" / "painting" / "painter.py").write_text("STEPS = 1")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    changed = tmp_path / file
    changed.parent.mkdir(parents=True, exist_ok=True)
    changed.write_text("STEPS = 2")
    assert (fingerprint(tmp_path) != before) == changes
