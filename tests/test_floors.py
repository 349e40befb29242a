"""The lower bounds of pyproject.toml, which CI installs and runs the quick tests with."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def constraints() -> dict[str, Version]:
    printed = subprocess.run(
        [sys.executable, ".ci/floors.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = (line.split("==") for line in printed.stdout.splitlines())
    return {name: Version(lowest) for name, lowest in lines}


def test_every_library_is_installed_at_its_lowest() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"]]
    for name in extras.keys() - {"dev", "docs"}:
        wanted += extras[name]
    found = constraints()
    assert found.keys() == {Requirement(item).name for item in wanted}
    for item in map(Requirement, wanted):
        assert item.specifier.contains(found[item.name]), item


def test_what_is_installed_here_is_not_below_them() -> None:
    for name, lowest in constraints().items():
        try:
            assert Version(version(name)) >= lowest, name
        except PackageNotFoundError:
            continue  # of an extra


def test_an_extra_that_developers_need_has_one_bound() -> None:
    extras = PROJECT["optional-dependencies"]
    of_users = {item for name in extras.keys() - {"dev", "docs"} for item in extras[name]}
    of_developers = {Requirement(item).name: item for item in extras["dev"]}
    for item in of_users:
        assert of_developers.get(Requirement(item).name, item) == item
