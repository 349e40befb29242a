"""A leaner aiogram in a folder of its own, for the bots of small hosts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .processes import MeasurementFailed

REQUIREMENT = "aiogram>=3.22,<3.27"
"""Later ones take half as much memory again, only to be imported."""


def lean_aiogram(folder: Path) -> Path:
    """The folder with aiogram and what it needs, installed into it when it is not there.

    Raises:
        MeasurementFailed: it cannot be installed.
    """
    target = folder / "lean-aiogram"
    if (target / "aiogram").is_dir():
        return target
    unfinished = folder / "lean-aiogram.part"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    process = subprocess.run(
        [*command, "--upgrade", "--target", str(unfinished), REQUIREMENT],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise MeasurementFailed(f"{REQUIREMENT} cannot be installed: {process.stderr[-1000:]}")
    return unfinished.rename(target)
