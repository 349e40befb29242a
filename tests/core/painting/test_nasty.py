"""Nasty files get an answer, and what is refused for its size is refused before it costs memory."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.errors import PictureError
from impasto.painting.pictures import open_picture

from .nasty import FINE, MAKERS, Nasty, corpus

CORPUS = list(corpus())
MOST_MEGABYTES = 64
"""More than any of these files takes, even where it is decoded at a fraction of its size."""

PEAK = re.compile(r"^(VmHWM|VmRSS):\s+(\d+) kB", re.MULTILINE)


def answer_to(data: bytes) -> str:
    try:
        picture = open_picture(data, 230_400)
    except PictureError as error:
        return error.code
    assert picture.mode == "RGB"
    return FINE


@pytest.mark.parametrize("nasty", CORPUS, ids=[nasty.name for nasty in CORPUS])
def test_every_nasty_file_gets_its_answer(nasty: Nasty) -> None:
    assert answer_to(nasty.data) in nasty.answers


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_no_nasty_file_takes_much_memory() -> None:
    """In a process of its own, as the peak of this one may lie behind it."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-m", __name__], cwd=root, capture_output=True, text=True, check=True
    )
    peaks = dict(line.split() for line in done.stdout.splitlines())
    assert len(peaks) == len(MAKERS)
    assert {name: peak for name, peak in peaks.items() if int(peak) > MOST_MEGABYTES} == {}


@given(nasty=st.sampled_from(CORPUS), seed=st.integers(0, 2**32), changes=st.integers(1, 30))
@settings(max_examples=200, deadline=None)
def test_what_is_damaged_further_is_a_picture_or_refused(
    nasty: Nasty, seed: int, changes: int
) -> None:
    damage = random.Random(seed)
    data = bytearray(nasty.data[:50_000])
    for _ in range(changes if data else 0):
        # Headers are short and at the beginning: that is where most damage is done.
        at = damage.randrange(min(len(data), damage.choice((40, 400, len(data)))))
        data[at] = damage.randrange(256)
    answer_to(bytes(data))


def _memory() -> dict[str, int]:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return {name: int(kilobytes) >> 10 for name, kilobytes in PEAK.findall(status)}


def _measure() -> None:
    """Prints by how many megabytes each file raised the memory of this process at its peak."""
    answer_to(CORPUS[-1].data)  # what is loaded on first use
    for nasty in CORPUS:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        before = _memory()["VmRSS"]
        answer_to(nasty.data)
        print(nasty.name, _memory()["VmHWM"] - before)


if __name__ == "__main__":
    _measure()
