from __future__ import annotations

import os
from pathlib import Path

import pytest

from impasto.painting import threads


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max 100000", 6),
        ("nonsense", 6),
        ("150000 100000", 2),
        ("30000 100000", 1),
        ("100000000 100000", 6),
    ],
)
def test_the_containers_quota_counts_but_never_more_than_allowed_and_never_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: int
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(text)
    monkeypatch.setattr(threads, "_CGROUP_V2", file)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)))
    assert threads.usable_cpus() == expected
