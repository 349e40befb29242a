"""What is read from the system: of this process, whose figures are known well enough."""

from __future__ import annotations

import mmap
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from benchmarks import machine
from benchmarks.processes import MeasurementFailed, ask, clean_environment

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")


@needs_proc
def test_memory_that_is_written_to_cannot_be_reclaimed_and_that_of_a_file_can(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(64 << 20))
    before = machine.unreclaimable_mb(os.getpid())
    ballast = bytearray(os.urandom(1) * (64 << 20))
    assert machine.unreclaimable_mb(os.getpid()) >= before + len(ballast) / 2**20 - 1
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        before = machine.unreclaimable_mb(os.getpid())
        assert sum(mapped[:: mmap.PAGESIZE]) == 0
        assert machine.unreclaimable_mb(os.getpid()) < before + 16


@needs_proc
def test_cpu_time_of_a_process_grows_as_it_works() -> None:
    before = machine.cpu_seconds(os.getpid())
    while time.process_time() < before + 0.1:
        pass
    assert machine.cpu_seconds(os.getpid()) >= before + 0.05


@needs_proc
def test_a_process_that_is_gone_is_told() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(ProcessLookupError):
        machine.unreclaimable_mb(process.pid)
    assert list(machine.family(process.pid)) == [process.pid]


@needs_proc
def test_a_process_and_its_children_are_read() -> None:
    program = "import sys; b = b'x' * (40 << 20); print(flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    process.stdout.readline()
    found = machine.by_process(os.getpid())
    process.stdin.close()
    process.wait()
    process.stdout.close()
    assert found[process.pid] >= 40
    assert os.getpid() in found


def test_the_watch_keeps_the_largest_sum() -> None:
    everything_read = threading.Event()

    def read() -> dict[int, float]:
        if not readings:
            everything_read.set()
            return {}
        return readings.pop(0)

    readings = [{1: 5.0}, {1: 4.0, 2: 3.0}, {2: 6.0}]
    with machine.MemoryWatch(read) as watch:
        assert everything_read.wait(60)
    assert watch.peak == {1: 4.0, 2: 3.0}


@needs_proc
def test_the_machine_is_said_in_words_and_as_a_folders_name() -> None:
    facts = machine.describe()
    assert {"cpu", "cores", "memory_gb", "python", "torch", "aiogram"} <= facts.keys()
    assert re.fullmatch("[a-z0-9.-]+", machine.identity())


@needs_proc
def test_our_own_work_is_not_that_of_others() -> None:
    others = machine.OthersWork()
    sum(range(3_000_000))
    assert 0 <= others.share() <= 1


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(MeasurementFailed, match=r"No module named benchmarks\.nothing"):
        ask("nothing", {})


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "3")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    environment = clean_environment(IMPASTO_STATE_DIR="here")
    assert "OMP_NUM_THREADS" not in environment
    assert "IMPASTO_PAINTING__STEPS" not in environment
    assert environment["IMPASTO_STATE_DIR"] == "here"
