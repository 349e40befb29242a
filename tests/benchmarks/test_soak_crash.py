"""A short storm, as it is run for hours by `make soak`: nothing gets lost, and no picture comes
twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.soak.crash import SECONDS_TO_SETTLE, run_crash

pytestmark = pytest.mark.slow

PATIENCE = 900.0
"""Seconds that the faults may take on a slow and busy machine; it is over with the last of them."""


@pytest.mark.timeout(PATIENCE + SECONDS_TO_SETTLE + 120)
async def test_a_short_storm_loses_nothing(tmp_path: Path) -> None:
    outcome = await run_crash(
        tmp_path, faults=5, seconds=PATIENCE, seed=5, people=3, longest_calm=4
    )
    assert outcome.verdict.lost == []
    assert outcome.verdict.second_pictures == []
    assert outcome.verdict.by_state.get("delivered"), "and pictures were painted in between"
    assert outcome.tally.faults == 5
    assert outcome.tally.unclean_ends == 0
