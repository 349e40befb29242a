"""The benchmark of the painting process understands what that process says."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.processes import MeasurementFailed
from benchmarks.subjects import EMBEDDED, SharedData
from benchmarks.worker import CONTENT, STYLE, WorkerRun
from PIL import Image


@pytest.fixture
def shared(tmp_path: Path) -> SharedData:
    """Shared data with the photo and the style alone."""
    data = SharedData(tmp_path)
    for file, seed in ((data.photo(CONTENT), 60), (data.style(STYLE), 90)):
        file.parent.mkdir(parents=True)
        Image.effect_noise((96, 80), seed).convert("RGB").save(file)
    return data


@pytest.mark.slow
def test_a_picture_is_timed_from_the_first_preview_to_the_end(shared: SharedData) -> None:
    measured = WorkerRun(EMBEDDED, 64).measure(shared, threads=1)
    assert measured["painted_pixels"] == 64 * 64
    assert measured["seconds"] > 0
    assert measured["peak_mb"] >= measured["idle_mb"] > 0


@pytest.mark.slow
def test_a_picture_that_cannot_be_painted_is_no_measurement(shared: SharedData) -> None:
    shared.style(STYLE).write_bytes(b"no picture")
    with pytest.raises(MeasurementFailed, match="answered"):
        WorkerRun(EMBEDDED, 64).measure(shared, threads=1)
