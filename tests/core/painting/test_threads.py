from __future__ import annotations

import os
from pathlib import Path

import pytest

from impasto.painting import threads


@pytest.mark.parametrize(
    ("text", "expected"), [("max 100000", None), ("150000 100000", 1.5), ("nonsense", None)]
)
def test_the_containers_quota_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: float | None
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(text)
    monkeypatch.setattr(threads, "_CGROUP_V2", file)
    assert threads._cgroup_quota() == expected


def test_never_more_than_allowed_and_never_none(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = len(os.sched_getaffinity(0))
    monkeypatch.setattr(threads, "_cgroup_quota", lambda: None)
    assert threads.usable_cpus() == allowed
    monkeypatch.setattr(threads, "_cgroup_quota", lambda: 0.3)
    assert threads.usable_cpus() == 1
    monkeypatch.setattr(threads, "_cgroup_quota", lambda: 1000.0)
    assert threads.usable_cpus() == allowed
