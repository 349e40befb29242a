"""Fresh virtual environments that borrow the packages of the one that runs the tests, so that
nothing is downloaded and torch is not installed again."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

import hatchling.build

ROOT = Path(__file__).resolve().parents[1]


def checked(*command: object, cwd: Path) -> str:
    """Runs a program in surroundings that do not know the checkout; returns what it printed."""
    surroundings = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH" and not name.startswith("IMPASTO_")
    }
    result = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def install_projects(python: Path, projects: Iterable[Path]) -> None:
    """Installs projects as `pip install --editable` would. Their build backend is called here: pip
    starts three processes for each of them."""
    [packages] = python.parents[1].glob("lib/python*/site-packages")
    for project in projects:
        with contextlib.chdir(project):
            wheel = packages / hatchling.build.build_editable(str(packages))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
        wheel.unlink()


def environment(folder: Path, *, with_impasto: bool = False) -> Path:
    """The Python of a new environment; it has this checkout's impasto only if it is to."""
    venv.create(folder, with_pip=False)
    [packages] = folder.glob("lib/python*/site-packages")
    borrowed = folder / "borrowed"
    borrowed.mkdir()
    places = [Path(name) for name in sys.path if Path(name).name == "site-packages"]
    for entry in (entry for place in places if place.is_dir() for entry in place.iterdir()):
        is_ours = "impasto" in entry.name
        is_wanted = not is_ours or (with_impasto and entry.name.endswith(".dist-info"))
        if is_wanted and not (borrowed / entry.name).exists():
            (borrowed / entry.name).symlink_to(entry)
    lines = [borrowed, ROOT / "core", ROOT / "plugins"] if with_impasto else [borrowed]
    (packages / "borrowed.pth").write_text("".join(f"{line}\n" for line in lines))
    return folder / "bin" / "python"


def install(python: Path, *what: object, cwd: Path) -> None:
    options = ("--no-deps", "--no-build-isolation", "--no-compile")
    quiet = ("--quiet", "--disable-pip-version-check")
    checked(python, "-m", "pip", "install", *options, *quiet, *what, cwd=cwd)
