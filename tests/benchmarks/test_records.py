"""The file of measurements: what is finished stays, and what changed is measured anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.records import Records, fingerprint

SUBJECT = {"painter": "VGG", "repeat": 0}


def test_a_finished_measurement_is_there_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "machine" / "measurements.jsonl"
    Records(file).add("speed", SUBJECT, {"seconds": 5.0}, code="abc", others=0.0123)
    again = Records(file)
    assert again.has("speed", dict(reversed(SUBJECT.items())), "abc")
    assert not again.has("losses", SUBJECT, "abc")
    assert not again.has("speed", SUBJECT | {"repeat": 1}, "abc")
    [found] = again.of_kind("speed")
    assert (found.values, found.others) == ({"seconds": 5.0}, 0.012)


def test_other_code_is_measured_anew_unless_any_will_do(tmp_path: Path) -> None:
    records = Records(tmp_path / "measurements.jsonl")
    records.add("speed", SUBJECT, {"seconds": 5.0}, code="abc", others=0)
    assert not records.has("speed", SUBJECT, "def")
    assert records.has("speed", SUBJECT, None)
    records.add("speed", SUBJECT, {"seconds": 4.0}, code="def", others=0)
    for found in (records, Records(tmp_path / "measurements.jsonl")):
        assert [m.values["seconds"] for m in found] == [4.0], "the newest replaces the older"


def test_a_line_that_was_cut_off_costs_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "measurements.jsonl"
    Records(file).add("speed", SUBJECT, {"seconds": 5.0}, code="abc", others=0)
    file.write_text(file.read_text() + '{"kind": "speed", "subj')
    records = Records(file)
    records.add("speed", SUBJECT | {"repeat": 1}, {"seconds": 6.0}, code="abc", others=0)
    assert [m.values["seconds"] for m in Records(file)] == [5.0, 6.0]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    painting = tmp_path / "core" / "impasto" / "painting"
    for folder in (painting, tmp_path / "config", tmp_path / "plugins" / "impasto_dialog"):
        folder.mkdir(parents=True)
    (painting / "painter.py").write_text('"""Paints."""\nSTEPS = 1\n')
    (tmp_path / "plugins" / "impasto_dialog" / "talk.py").write_text("HELLO = 'hi'\n")
    (tmp_path / "config" / "impasto.toml").write_text("steps = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        ("core/impasto/painting/painter.py", '"""Says more."""\n\nSTEPS = 1  # few\n', set()),
        ("core/impasto/painting/painter.py", '"""Paints."""\nSTEPS = 2\n', {"painting", "bot"}),
        ("core/impasto/painting/new.py", "", {"painting", "bot"}),
        ("plugins/impasto_dialog/talk.py", "HELLO = 'hello'\n", {"bot"}),
        ("config/impasto.toml", "# How many.\nsteps = 1\n", set()),
        ("config/impasto.toml", "steps = 2\n", {"painting", "bot"}),
    ],
)
def test_the_fingerprint_is_of_what_the_code_does(
    repository: Path, file: str, text: str, changes: set[str]
) -> None:
    before = {scope: fingerprint(scope, repository) for scope in ("painting", "bot")}
    (repository / file).write_text(text)
    after = {scope: fingerprint(scope, repository) for scope in ("painting", "bot")}
    assert {scope for scope in before if before[scope] != after[scope]} == changes


def test_this_repository_has_a_fingerprint(tmp_path: Path) -> None:
    assert fingerprint("painting") != fingerprint("painting", tmp_path)
