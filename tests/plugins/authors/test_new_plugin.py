"""`impasto new-plugin`: what it makes works at once, installed in a fresh environment."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

from impasto.cli import main
from impasto.hookspecs import BOT_GROUP, PAINTING_GROUP
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto_authors import IN_THE_PAINTING, Kind

from ...environments import checked, environment, install_projects

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("new plugin")]

KINDS = sorted(Kind)


def new_plugin(*arguments: object) -> int:
    """The exit code of the command."""
    with pytest.raises(SystemExit) as ended:
        main(["new-plugin", *map(str, arguments)])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project of each kind."""
    folder = tmp_path_factory.mktemp("new") / "projects"
    assert not folder.exists(), "it is made"
    for kind in KINDS:
        assert new_plugin(f"my-{kind}", "--kind", kind, "--into", folder) == 0
    return folder


@pytest.fixture(scope="module")
def installed(projects: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment in which all of them are installed."""
    python = environment(tmp_path_factory.mktemp("fresh") / "venv", with_impasto=True)
    install_projects(python, projects.iterdir())
    return python


def test_all_are_found_and_work(installed: Path, tmp_path: Path) -> None:
    records = json.loads(checked(installed, "-m", "impasto", "plugins", "--json", cwd=tmp_path))
    theirs = {r["name"]: r for r in records if r["origin"] != "built-in"}
    assert sorted(theirs) == [f"my_{kind}" for kind in KINDS]
    for kind in KINDS:
        record = theirs[f"my_{kind}"]
        assert record["status"] == "active", record["error"]
        assert record["process"] == ("painting" if kind in IN_THE_PAINTING else "bot")
        assert record["origin"] == f"impasto-my-{kind}"


def test_they_pass_their_own_tests(installed: Path, projects: Path) -> None:
    """In one go, by the configuration that each of them has: torch is loaded once."""
    tests = [project / "tests" for project in sorted(projects.iterdir())]
    config = projects / "impasto-my-style" / "pyproject.toml"
    options = ("-q", "-p", "no:cacheprovider", "-c", config, "--rootdir", projects)
    report = checked(installed, "-m", "pytest", *options, *tests, cwd=projects)
    assert " passed" in report


def test_they_pass_the_linters(projects: Path) -> None:
    for command in (["check"], ["format", "--check"]):
        checked(sys.executable, "-m", "ruff", *command, "--no-cache", ".", cwd=projects)


def test_they_are_typed(installed: Path, projects: Path, tmp_path: Path) -> None:
    config = tmp_path / "mypy.toml"
    generated = (projects / "impasto-my-style" / "pyproject.toml").read_text()
    # Reading all of torch takes most of a minute; `make lint` does so for our own plugins.
    config.write_text(
        generated + '\n[[tool.mypy.overrides]]\nmodule = "torch.*"\nfollow_imports = "skip"\n'
    )
    folders = [p / part for p in sorted(projects.iterdir()) for part in ("src", "tests")]
    options = ("--config-file", config, "--python-executable", installed, "--cache-dir", tmp_path)
    checked(sys.executable, "-m", "mypy", *options, *folders, cwd=projects)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_file_is_a_plugin_for_the_folder(kind: Kind, tmp_path: Path) -> None:
    assert new_plugin("mine", "--kind", kind, "--single-file", "--into", tmp_path) == 0
    group = PAINTING_GROUP if kind in IN_THE_PAINTING else BOT_GROUP
    settings = Settings.model_validate({"plugins": {"folder": tmp_path, "allow": ["mine"]}})
    host = PluginHost(group, settings, strict=True).load()
    assert [record.name for record in host.active] == ["mine"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_body_is_short(kind: Kind, projects: Path) -> None:
    """A dozen lines to a function, but for what contracts ask for: signatures, plain answers."""
    [source] = (projects / f"impasto-my-{kind}").glob("src/*/__init__.py")
    tree = ast.parse(source.read_text())
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = [sum(isinstance(part, ast.stmt) for part in ast.walk(f)) - 1 for f in functions]
    assert max(lengths) <= 12


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text("precious")
    assert new_plugin("mine", "--kind", "style", "--single-file", "--into", tmp_path) == 1
    assert "is there already; nothing was written" in capsys.readouterr().err
    assert (tmp_path / "mine.py").read_text() == "precious"
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Mine", "cannot be the name of a plugin"),
        ("1st", "cannot be the name of a plugin"),
        ("../mine", "cannot be the name of a plugin"),
        ("a_name_longer_than_twenty", "cannot be the name of a plugin"),
        ("lbfgs", "there is an installed plugin 'lbfgs' already"),
    ],
)
def test_names_that_cannot_be_used_are_refused(
    name: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_plugin(name, "--kind", "style", "--into", tmp_path) == 1
    assert problem in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
