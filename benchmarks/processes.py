"""Questions to a process of its own: torch and its memory belong there, not here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from impasto.jobs.painter_process import COMPILED_AND_KEPT

from .records import REPOSITORY

Answer = dict[str, Any]


class MeasurementFailed(Exception):
    """What was to be measured did not work."""


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what would change how Impasto or torch run, with what the bot's
    painting process is given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("IMPASTO_", "OMP_", "MKL_", "MALLOC_", "ONEDNN_"))
    }
    return kept | COMPILED_AND_KEPT | more


def ask(module: str, request: Mapping[str, Any]) -> Answer:
    """Runs a module of this package that answers a JSON object with another one.

    Raises:
        MeasurementFailed: it ended with an error.
    """
    process = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=clean_environment(),
        check=False,
    )
    if process.returncode != 0:
        raise MeasurementFailed(f"{module} failed:\n{process.stderr[-4000:]}")
    answer: Answer = json.loads(process.stdout)
    return answer


def answer_from(measure: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """The other side of `ask`. What libraries print meanwhile goes to standard error."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        json.dump(measure(json.load(sys.stdin)), answers)
