"""The baseline: recorded once a machine, and repeated for a few evaluations beside each painting.

Its losses by evaluation do not depend on what else the machine does, its seconds do. So its time
is its number of evaluations times the seconds that one takes now. The short repeats flatter it by
some percent: they do not reach the evaluations in which torch's L-BFGS has its whole history.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import processes
from .processes import MeasurementFailed, clean_environment
from .subjects import SIDE, Pair, SharedData

EVALUATIONS = 300
PACE_EVALUATIONS = 6


@dataclass(frozen=True, slots=True)
class Recording:
    """One whole run of the baseline."""

    single_by_evaluation: list[tuple[int, float]]
    """Each ten evaluations."""
    single: float
    multi: float
    resident_mb: float
    """Largest resident set of its process."""

    @property
    def evaluations(self) -> int:
        return self.single_by_evaluation[-1][0]


class Baseline:
    """Runs the baseline and keeps its recordings in a folder.

    A recording is what the baseline printed (`<content>-<style>.jsonl`), its picture (`.png`), and
    a mark that it came to its end (`.done`).
    """

    def __init__(self, shared: SharedData, folder: Path, *, threads: int) -> None:
        self._shared = shared
        self._folder = folder
        self._threads = threads

    def is_recorded(self, pair: Pair) -> bool:
        return self._file(pair, "done").is_file()

    def recording(self, pair: Pair) -> Recording:
        """Raises MeasurementFailed when there is none that came to its end."""
        if not self.is_recorded(pair):
            raise MeasurementFailed(f"the baseline of {pair.name} is not recorded")
        return parse_recording(self._file(pair, "jsonl").read_text())

    def record(self, pair: Pair) -> None:
        """Takes minutes. Raises MeasurementFailed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [
            *(sys.executable, self._shared.baseline, self._shared.vgg),
            *(self._shared.photo(pair.content), self._shared.style(pair.style)),
            *(self._file(pair, "png"), "--size", f"{SIDE}x{SIDE}"),
            *("--evaluations", str(EVALUATIONS), "--threads", str(self._threads)),
        ]
        with self._file(pair, "jsonl").open("w") as printed:
            process = subprocess.run(
                command,
                stdout=printed,
                stderr=subprocess.PIPE,
                text=True,
                env=clean_environment(),
                check=False,
            )
        if process.returncode != 0:
            raise MeasurementFailed(f"the baseline failed:\n{process.stderr[-4000:]}")
        self._file(pair, "done").write_text("ok\n")

    def pace(self, pair: Pair) -> float:
        """Seconds that an evaluation takes now. Raises MeasurementFailed."""
        answer = processes.ask(
            "painting_process",
            {
                "baseline": str(self._shared.baseline),
                "weights": str(self._shared.vgg),
                "content": str(self._shared.photo(pair.content)),
                "style": str(self._shared.style(pair.style)),
                "side": SIDE,
                "threads": self._threads,
                "evaluations": PACE_EVALUATIONS,
            },
        )
        return float(answer["seconds"])

    def _file(self, pair: Pair, suffix: str) -> Path:
        return self._folder / f"{pair.file_name}.{suffix}"


def parse_recording(printed: str) -> Recording:
    """What the baseline printed: a line each ten evaluations and a last one of another kind."""
    *progress, end = (json.loads(line) for line in printed.splitlines())
    return Recording(
        single_by_evaluation=[(p["evaluation"], p["style"] + p["content"]) for p in progress],
        single=end["single"],
        multi=end["multi"],
        resident_mb=end["peak_rss_mb"],
    )
