"""How painting fares where other programs want the same CPUs.

    python -m benchmarks.shared_machine [--python OTHER/.venv/bin/python]

Seconds of a picture of 230,400 pixels, alone and beside n processes that never rest, and their
ratio to those by a fair share of the CPUs: (CPUs + n) / CPUs times the seconds alone. Then seconds
in a control group that is nested in one of half a CPU (Linux, and the right to make such groups),
and their ratio to those on one thread, asked for by the setting. `--python` names the interpreter
of another environment with Impasto, as of an older commit: both take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from impasto.memory import GROUPS

from .processes import clean_environment
from .records import REPOSITORY

NEIGHBOURS: Final = (0, 2, 8)
ROUNDS: Final = 3
PERIOD_US: Final = 100_000

PAINTER: Final = """
import sys, time
from pathlib import Path
from impasto import PaintOptions, PaintRequest, open_picture, paint
from impasto.painting.catalogue import load_catalogue
from impasto.settings import Settings

photo, style = (open_picture(Path(name)) for name in sys.argv[1:3])
painting = {"device": "cpu", "threads": int(sys.argv[3]), "memory_mb": 0}
catalogue = load_catalogue(Settings.model_validate({"painting": painting}))
options = PaintOptions(max_pixels=int(sys.argv[4]))
request = PaintRequest(content=photo, styles=[(style, 1.0)], options=options)
for _ in sys.stdin:
    begin = time.perf_counter()
    for _ in paint(request, catalogue):
        pass
    print(time.perf_counter() - begin, flush=True)
"""


class Painter:
    """A process that paints the same picture again and again."""

    def __init__(
        self, python: str, *, pixels: int, threads: int = 0, prefix: Sequence[str] = ()
    ) -> None:
        pictures = [
            str(REPOSITORY / name)
            for name in ("docs/images/gallery/coffee.jpg", "styles/night.jpg")
        ]
        self._process = subprocess.Popen(
            [*prefix, python, "-c", PAINTER, *pictures, str(threads), str(pixels)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )
        self.paint()  # warms up

    def paint(self) -> float:
        """Seconds that it took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Processes that take all the CPU time that they are given."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@contextlib.contextmanager
def half_a_cpu() -> Iterator[tuple[str, ...]]:
    """A command that puts itself into a group within a group of half a CPU and becomes the one that
    follows. Raises OSError where no group can be made."""
    second = (GROUPS / "cgroup.controllers").exists()
    outer = (GROUPS if second else GROUPS / "cpu") / f"impasto-{os.getpid()}"
    inner = outer / "inner"
    inner.mkdir(parents=True)
    try:
        if second:
            (outer / "cpu.max").write_text(f"{PERIOD_US // 2} {PERIOD_US}")
        else:
            (outer / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (outer / "cpu.cfs_quota_us").write_text(str(PERIOD_US // 2))
        yield ("sh", "-c", f'echo $$ > {inner}/cgroup.procs && exec "$@"', "sh")
    finally:
        inner.rmdir()
        outer.rmdir()


def in_turns(painters: Sequence[Painter]) -> list[float]:
    """Median seconds of each."""
    seconds = [[painter.paint() for painter in painters] for _ in range(ROUNDS)]
    return [statistics.median(own) for own in zip(*seconds, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shared_machine")
    parser.add_argument("--python", action="append", default=[], metavar="INTERPRETER")
    pythons = [sys.executable, *parser.parse_args().python]
    cpus = len(os.sched_getaffinity(0))
    painters = [Painter(python, pixels=230_400) for python in pythons]
    try:
        alone = in_turns(painters)
        for count in NEIGHBOURS:
            with neighbours(count):
                taken = in_turns(painters)
            fair = (cpus + count) / cpus
            for python, own, of_one in zip(pythons, taken, alone, strict=True):
                print(
                    f"{python}: beside {count}: {own:.1f} s, {own / of_one / fair:.2f} of fair",
                    flush=True,
                )
    finally:
        for painter in painters:
            painter.end()
    with half_a_cpu() as prefix:
        for python in pythons:
            both = [Painter(python, pixels=57_600, threads=n, prefix=prefix) for n in (0, 1)]
            try:
                by_default, on_one = in_turns(both)
            finally:
                for painter in both:
                    painter.end()
            print(
                f"{python}: half a CPU: {by_default:.1f} s, {by_default / on_one:.2f} of 1 thread"
            )


if __name__ == "__main__":
    main()
