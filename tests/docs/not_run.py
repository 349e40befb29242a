"""Commands of the pages that no test runs: why, and what is looked at instead."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer import Context
from typer.main import get_command

from impasto import data_folders
from impasto.cli import app, plugins_app
from impasto.settings import Settings
from impasto.settings.description import settings_in

from ..environments import ROOT
from .pages import PAGES, commands_in_blocks

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
UNITS = {path.stem: path.read_text("utf-8") for path in ROOT.glob("deploy/systemd/*.service")}
SUBCOMMANDS = get_command(app).list_commands(Context(get_command(app)))
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"


def installs_what_there_is(command: str) -> None:
    """Each requirement is this project, with extras that it has, or one of its requirements."""
    words = shlex.split(command.partition("pip install")[2])
    if "--index-url" in words:
        place = words.index("--index-url")
        assert words[place + 1] == TORCH_INDEX
        del words[place : place + 2]
    required = {re.split(r"[^\w.-]", r, maxsplit=1)[0] for r in PROJECT["dependencies"]}
    for word in words:
        name, _, extras = word.rstrip("]").partition("[")
        assert name in {".", PROJECT["name"], *required}, word
        assert set(filter(None, extras.split(","))) <= set(PROJECT["optional-dependencies"]), word


def is_a_target(command: str) -> None:
    make, target = shlex.split(command)
    known = subprocess.run(
        [make, "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert known.returncode == 0, known.stderr


def goes_with_the_dockerfile(command: str) -> None:
    """Files, settings, volumes and subcommands are there."""
    words = shlex.split(command)
    options = dict(itertools.pairwise(words))
    if "--file" in options:
        assert (ROOT / options["--file"]).is_file()
    if "--env" in options:
        assert is_a_setting(options["--env"])
    if "--volume" in options:
        assert f"VOLUME {options['--volume'].partition(':')[2]}\n" in DOCKERFILE
    if words[1] == "exec":
        assert words[-2] == "impasto"
        assert words[-1] in SUBCOMMANDS


def goes_with_the_units(command: str) -> None:
    """Units are there, and they look where the commands put things."""
    words = shlex.split(command.rpartition("| ")[2].removeprefix("sudo "))
    places = re.findall(r"/etc/impasto\S*|/opt/impasto", " ".join(words))
    assert all(place in text for place in places for text in UNITS.values())
    match words:
        case ["systemctl", *_, unit]:
            assert unit in UNITS
            assert "ExecReload=" in UNITS[unit]
        case ["journalctl", "--unit", unit, *_]:
            assert unit in UNITS
        case ["cp", unit, "/etc/systemd/system/"]:
            assert (ROOT / unit).is_file()
        case [program, "install", *_] if program.endswith("/pip"):
            installs_what_there_is(command)
        case ["python3", "-m", "venv", _] | ["mkdir" | "touch", *_]:
            pass
        case ["install", "-m", "600", "/dev/stdin", _]:
            [line] = re.findall(r"'(\S+)'", command)
            assert is_a_setting(line)
        case _:
            raise AssertionError(f"nobody knows how to look at: {command}")


def is_a_setting(assignment: str) -> bool:
    """Whether this is a variable of a setting with its value."""
    name, _, value = assignment.partition("=")
    known = {f"IMPASTO_{info.name.replace('.', '__').upper()}" for info in settings_in(Settings)}
    return name in known and bool(value)


def fetches_what_is_known(command: str) -> None:
    networks = tomllib.loads((data_folders.weights_folder() / "weights.toml").read_text("utf-8"))
    assert command.rpartition(" ")[2] in str(networks)


def fetches_paintings_that_are_known(command: str) -> None:
    manifest = data_folders.styles_folder() / "famous.toml"
    known = tomllib.loads(manifest.read_text("utf-8"))["paintings"]
    assert set(shlex.split(command)[3:]) <= {*known, "--all"}


def is_a_command_of_plugins(command: str) -> None:
    assert command.split()[2] in {known.name for known in plugins_app.registered_commands}


def goes_with_the_release(command: str) -> None:
    """The workflow that `impasto new-plugin` writes begins by such a tag."""
    template = ROOT / "plugins" / "impasto_authors" / "templates" / "project" / "release.yml.txt"
    assert 'tags: ["v*"]' in template.read_text("utf-8")


def is_a_module(command: str) -> None:
    assert importlib.util.find_spec(command.rpartition(" ")[2]) is not None


def is_an_option(command: str) -> None:
    """Of SAQ's program."""
    spec = importlib.util.find_spec("saq.__main__")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).read_text(encoding="utf-8")
    assert f'"{command.rpartition(" ")[2]}"' in program


def stands_in_a_block(command: str) -> None:
    """With its arguments."""
    others = {other for page in PAGES for other in commands_in_blocks(page)}
    assert any(f"{command} " in other for other in others)


@dataclass(frozen=True, slots=True)
class NotRun:
    pattern: str
    why: str
    """Tests that it names as `path::function` are there."""
    look: Callable[[str], None]
    """Fails where the command does not go with the files that it uses."""


NOT_RUN = [
    NotRun(
        r"(sudo|journalctl|systemctl|echo \S+ \| sudo) .+",
        "needs root and systemd; tests/test_deploy.py::test_systemd_takes_the_units has them read",
        goes_with_the_units,
    ),
    NotRun(r"docker .+", "needs a Docker daemon", goes_with_the_dockerfile),
    NotRun(
        r"pip install .+",
        "needs a package index, and minutes for torch; what can be done offline is done by "
        "tests/test_packaging.py::test_commands_work_from_anywhere",
        installs_what_there_is,
    ),
    NotRun(
        r"impasto plugins (un)?install .+",
        "needs a package index; what pip is told is tested by "
        "tests/core/test_cli.py::test_pip_installs_into_this_environment",
        is_a_command_of_plugins,
    ),
    NotRun(r"git tag v\S+ && git push --tags", "publishes", goes_with_the_release),
    NotRun(
        r"make \w+",
        "installs first, and takes long; what is behind it is tested by "
        "tests/docs/test_site.py::test_the_site_builds_without_a_warning and the tests of "
        "benchmarks and soak",
        is_a_target,
    ),
    NotRun(r"python -m benchmarks\.\w+", "paints for minutes", is_a_module),
    NotRun(
        r"impasto weights fetch vgg19",
        "downloads 548 MB; a small one in "
        "tests/plugins/test_networks_plugin.py::test_a_download_is_sliced_and_deleted",
        fetches_what_is_known,
    ),
    NotRun(
        r"impasto styles fetch .+",
        "downloads pictures; some of this machine in "
        "tests/plugins/styles/test_fetch.py::test_a_painting_becomes_a_preset_with_its_credit",
        fetches_paintings_that_are_known,
    ),
    NotRun(
        r"saq <settings> --web",
        "SAQ's own program, with settings of the reader's own",
        is_an_option,
    ),
    NotRun(r"impasto (paint|new-plugin)|pip install", "names a command", stands_in_a_block),
]

OWN_TESTS = {
    "docs/plugins/README.md": "tests/docs/test_plugin_docs.py::test_five_minutes_are_enough",
    "docs/plugins/tutorial.md": "tests/docs/test_plugin_docs.py::test_the_tutorial_can_be_followed",
}
"""Pages whose commands need more than pictures and a token, by the tests that run them."""
OWN_TESTS_OF_TEXT = {
    "docs/plugins/tutorial.md": "tests/docs/test_plugin_docs.py::test_the_tutorial_can_be_followed",
}
"""The same for the commands in sentences and tables."""


def exception_for(command: str) -> NotRun | None:
    return next((item for item in NOT_RUN if re.fullmatch(item.pattern, command)), None)


def is_there(test: str) -> bool:
    """Whether there is a test of this name, given as `path::function`."""
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return any(isinstance(node, functions) and node.name == name for node in ast.walk(tree))
