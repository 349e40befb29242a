"""Wheel, wheel built from the sdist, and editable install: each finds its data and its plugins."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from .environments import ROOT, checked, environment, install

DATA = (
    "config/impasto.toml",
    "styles/styles.toml",
    "styles/famous.toml",
    "weights/weights.toml",
    "weights/embedded.safetensors",
)
BUILD = [sys.executable, "-m", "build", "--no-isolation"]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]

LOOK_AROUND = """
import io, json
from contextlib import redirect_stdout
from impasto import data_folders
from impasto.cli import main

def printed(*words):
    with redirect_stdout(io.StringIO()) as out:
        try:
            main(words)
        except SystemExit as ended:
            assert not ended.code
    return out.getvalue()

folders = data_folders.styles_folder(), data_folders.weights_folder(), data_folders.default_config()
print(json.dumps({
    "styles": json.loads(printed("styles", "--json")),
    "plugins": json.loads(printed("plugins", "--json")),
    "folders": [str(folder) for folder in folders],
}))
"""
"""In one process, as each takes seconds to load all."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that belong to the project, without what tools leave behind."""
    copy = tmp_path_factory.mktemp("source") / "impasto"
    ignore = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis", "run", "*.partial")
    copy.mkdir()
    for name in ("core", "plugins", "styles", "weights", "config", "tests", "docs", "deploy"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=ignore)
    for file in (
        *ROOT.glob("*.*"),
        *ROOT.glob(".gitignore"),
        ROOT / "LICENSE",
        ROOT / "Makefile",
        ROOT / "Procfile",
    ):
        if file.is_file():
            shutil.copy(file, copy)
    return copy


@pytest.fixture(scope="module")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an sdist, and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("built")
    checked(*BUILD, "--outdir", out, ".", cwd=checkout)
    return out


@pytest.fixture(scope="module")
def sdist(built: Path) -> Path:
    [path] = built.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def wheel_of_sdist(built: Path) -> Path:
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    checked(*BUILD, "--wheel", "--outdir", out, ".", cwd=checkout)
    [path] = out.glob("*.whl")
    return path


@pytest.fixture(scope="module", params=["wheel", "wheel_of_sdist", "editable"])
def installed(
    request: pytest.FixtureRequest, checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """How impasto was installed, and the folder of the programs of that environment."""
    python = environment(tmp_path_factory.mktemp("environment") / request.param)
    away = tmp_path_factory.mktemp("away")
    if request.param == "editable":
        install(python, "--editable", checkout, cwd=away)
    else:
        install(python, request.getfixturevalue(request.param), cwd=away)
    return request.param, python.parent


def test_the_wheel_has_the_data_and_nothing_that_is_not_needed(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in DATA:
        assert f"impasto/_data/{name}" in names
    assert "impasto/py.typed" in names
    assert "impasto_playground/page/index.html" in names
    assert any(
        n.startswith("impasto/_data/styles/") and n.endswith((".jpg", ".png", ".webp"))
        for n in names
    )
    tops = {name.partition("/")[0].removesuffix(".py") for name in names}
    assert {top for top in tops if not top.startswith("impasto")} == set()
    unwanted = {"tests", "distil", "draw", "__pycache__", "photos", "paintings", "run"}
    assert [name for name in names if unwanted & set(Path(name).parts)] == []
    assert [name for name in names if name.endswith((".pt", ".pyc", ".partial"))] == []


WHEEL = (
    r"impasto(_\w+)?/(\w+/)*\w+\.pyi?",
    r"impasto_\w+\.py",
    r"impasto/py\.typed",
    r"impasto_authors/templates/(kinds|project)/[\w.]+\.txt",
    r"impasto_playground/page/\w+\.(js|css|html|svg)",
    r"impasto/_data/config/impasto\.toml",
    r"impasto/_data/styles/((styles|famous)\.toml|README\.md|\w+\.jpg)",
    r"impasto/_data/weights/(weights\.toml|README\.md|embedded\.safetensors)",
    r"impasto_saq/scripts/\w+\.lua",
    r"impasto_dialog/texts/\w\w\.ftl",
    r"impasto/fonts/(labels\.ttf|LICENSE\.txt)",
    r"impasto-[\w.]+\.dist-info/[\w./]+",
)
"""All that may be in a wheel."""
LARGEST_WHEEL = 8_000_000
SDIST = {"benchmarks", "config", "core", "deploy", "docs", "plugins", "styles", "tests", "weights"}
SDIST |= {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "PKG-INFO",
    "Procfile",
    "README.md",
}
SDIST |= {".gitignore", "mkdocs.yml", "pyproject.toml"}


def test_the_wheel_has_nothing_that_nobody_asked_for(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    strange = [name for name in names if not any(re.fullmatch(p, name) for p in WHEEL)]
    assert strange == []
    assert wheel.stat().st_size < LARGEST_WHEEL


def test_without_tags_and_history_there_is_a_version_all_the_same(wheel: Path, sdist: Path) -> None:
    version = re.search(r"impasto-([\w.]+?)(-py3|\.tar)", wheel.name)
    assert version is not None
    assert sdist.name == f"impasto-{version[1]}.tar.gz"
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?(\.dev\d+)?", version[1])


@pytest.mark.parametrize(
    ("described", "version"),
    [("v1.2.3", r"1\.2\.3"), ("v1.2.3-4-g0123456", r"1\.2\.4\.dev4"), ("", r"\d+\.\d+.*")],
)
def test_an_archive_of_the_repository_knows_its_tag(
    tmp_path: Path, described: str, version: str
) -> None:
    """After a tag, later, and without any: `git archive` fills in what stands between dollars."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    text = (ROOT / ".git_archival.txt").read_text()
    facts = {"%H": "0" * 40, "%cI": "2026-01-01T00:00:00+00:00"}
    for pattern in re.findall(r"\$Format:(.*)\$", text):
        text = text.replace(f"$Format:{pattern}$", facts.get(pattern, described))
    (tmp_path / ".git_archival.txt").write_text(text)
    found = checked(sys.executable, "-m", "hatchling", "version", cwd=tmp_path)
    assert re.fullmatch(version, found.strip())


def test_the_wheel_is_the_same_when_it_is_built_from_the_sdist(
    wheel: Path, wheel_of_sdist: Path
) -> None:
    direct = {i.filename: i.CRC for i in zipfile.ZipFile(wheel).infolist()}
    detour = {i.filename: i.CRC for i in zipfile.ZipFile(wheel_of_sdist).infolist()}
    assert direct == detour


def test_the_sdist_has_what_made_the_data_and_no_training_photos(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert {"pyproject.toml", "LICENSE", "README.md", "tests/test_packaging.py"} <= set(names)
    assert {"Procfile", "mkdocs.yml", "deploy/Dockerfile", "docs/index.md"} <= set(names)
    tops = {name.partition("/")[0] for name in names if name}
    assert tops <= SDIST
    assert any(name.startswith("weights/distil/") for name in names)
    assert any(name.startswith("styles/draw/") for name in names)
    assert [
        n for n in names if n.startswith("weights/") and n.endswith((".jpg", ".png", ".pt"))
    ] == []


def test_commands_work_from_anywhere(
    installed: tuple[str, Path], checkout: Path, tmp_path: Path
) -> None:
    kind, programs = installed
    found: dict[str, Any] = json.loads(
        checked(programs / "python", "-c", LOOK_AROUND, cwd=tmp_path)
    )
    assert checked(programs / "impasto", "--version", cwd=tmp_path).startswith("impasto ")
    assert len(found["styles"]) >= 4
    assert all(Path(preset["picture"]).is_file() for preset in found["styles"])
    assert {record["error"] for record in found["plugins"]} == {None}
    assert {record["origin"] for record in found["plugins"]} == {"built-in"}
    assert {"dialog", "lbfgs", "networks"} <= {record["name"] for record in found["plugins"]}
    places = [Path(folder) for folder in found["folders"]]
    assert all(place.exists() for place in places)
    home = checkout if kind == "editable" else programs.parent
    assert all(place.is_relative_to(home) for place in places)
    assert all(("_data" in place.parts) == (kind != "editable") for place in places)


@pytest.mark.parametrize("installed", ["wheel_of_sdist"], indirect=True)
def test_a_picture_is_painted_from_anywhere(installed: tuple[str, Path], tmp_path: Path) -> None:
    _, programs = installed
    photo = ROOT / "styles" / "night.jpg"
    command = ["paint", photo, "--style", "wave", "-o", "out.png"]
    command += ["--pixels", "4096", "--steps", "2"]
    report = json.loads(checked(programs / "impasto", *command, "--json", cwd=tmp_path))
    assert report["network"] == "embedded"
    assert (tmp_path / "out.png").is_file()
