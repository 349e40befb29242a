"""The command line: what it prints where, how it ends, and what it never does."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len
from typer.testing import CliRunner

import impasto
from impasto.cli import app, main
from impasto.contact_sheet import GAP, LABEL
from impasto.painting import painter, thumbnails
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto.testing.tiny_network import save_tiny_network

TOKEN = "123456:EXAMPLE-TOKEN"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("IMPASTO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


class Ended:
    """How a run of the program ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return Ended(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Writes a one-file plugin that the next runs find."""
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setenv("IMPASTO_PLUGINS__FOLDER", str(folder))

    def write(name: str, source: str) -> None:
        (folder / f"{name}.py").write_text(textwrap.dedent(source))

    return write


class TestProgram:
    def test_version(self, run: Run) -> None:
        ended = run("--version")
        assert (ended.code, ended.out.strip()) == (0, f"impasto {impasto.__version__}")

    def test_help_lists_the_commands_of_plugins_too(self, run: Run) -> None:
        ended = run("--help")
        assert ended.code == 0
        for command in ("play", "run", "paint", "sheet", "styles", "plugins", "weights"):
            assert f" {command} " in ended.out

    def test_a_commands_own_help_loads_no_plugin(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(PluginHost, "load", lambda self: pytest.fail("plugins were loaded"))
        ended = run("paint", "--help")
        assert ended.code == 0
        assert "--keep-colors" in ended.out

    @pytest.mark.parametrize(
        "arguments", [["paint"], ["sheet"], ["plugins", "--nonsense"], ["no-such-command"]]
    )
    def test_wrong_usage_ends_with_2(self, run: Run, arguments: list[str]) -> None:
        ended = run(*arguments)
        assert ended.code == 2
        assert "Usage" in ended.err
        assert "Traceback" not in ended.err

    def test_no_flag_is_said_to_take_a_value(self, run: Run) -> None:
        for command in ([], ["paint"], ["play"], ["styles", "fetch"], ["weights", "fetch"]):
            ended = run(*command, "--help")
            assert "--help" in ended.out
            assert "bool" not in ended.out.lower()

    def test_python_minus_m(self) -> None:
        result = subprocess.run(
            [sys.executable, "-m", "impasto", "--version"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout.strip() == f"impasto {impasto.__version__}"

    def test_settings_that_cannot_be_used_are_one_sentence(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "0")
        ended = run("styles")
        assert ended.code == 1
        assert ended.err == (
            "impasto: painting.steps = '0' (variable IMPASTO_PAINTING__STEPS): "
            "Input should be greater than or equal to 1\n"
        )

    def test_the_settings_file_is_an_option(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "mine.toml").write_text("[painting]\nsteps = 0")
        assert "painting.steps = 0" in run("--config", "mine.toml", "styles").err
        assert "there is no settings file" in run("--config", "other.toml", "styles").err
        assert "there is no settings file" in run("--config", "other.toml", "--help").err

    @pytest.mark.parametrize("how", ["option", "variable"])
    def test_with_debug_the_error_itself_comes_through(
        self, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "0")
        arguments = ["styles"]
        if how == "option":
            arguments.insert(0, "--debug")
        else:
            monkeypatch.setenv("IMPASTO_DEBUG", "1")
        with pytest.raises(impasto.errors.SettingsError):  # type: ignore[attr-defined]
            main(arguments)

    def test_what_nobody_expected_is_told_without_a_traceback_or_a_token(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(self: PluginHost) -> None:
            raise ZeroDivisionError(f"https://api.telegram.org/bot{TOKEN}/getMe")

        monkeypatch.setattr(PluginHost, "load", fail)
        ended = run("styles")
        assert ended.code == 1
        assert ended.err.startswith("impasto: ZeroDivisionError: ")
        assert "--debug" in ended.err
        assert "Traceback" not in ended.err
        assert "EXAMPLE-TOKEN" not in ended.err


class TestCommandsOfPlugins:
    GREET = """
        import typer
        from impasto import hookimpl
        from impasto.cli import session_of

        @hookimpl
        def impasto_commands(cli):
            @cli.command()
            def greet(context: typer.Context, name: str = "you") -> None:
                '''Greet somebody.'''
                typer.echo(f"Hello {name}, {session_of(context).settings.painting.steps} steps")

            @cli.command()
            def wave() -> None:
                typer.echo("o/")
    """

    def test_they_are_listed_and_run_with_the_settings(
        self, run: Run, plugin: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "77")
        plugin("greeter", self.GREET)
        assert "Greet somebody." in run("--help").out
        ended = run("greet", "--name", "Vincent")
        assert (ended.code, ended.out) == (0, "Hello Vincent, 77 steps\n")
        assert run("wave").out == "o/\n"

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ("raise ValueError('oh')", "ValueError: oh"),
            ("cli.command('paint')(lambda: None)", "the command 'paint' is there already"),
            ("cli.command('greet')(lambda: None)", "the command 'greet' is there already"),
            ("cli.command('odd')(odd)", "impasto_commands: "),
        ],
    )
    def test_one_that_breaks_costs_only_its_plugin(
        self, run: Run, plugin: Callable[[str, str], None], body: str, problem: str
    ) -> None:
        plugin("a_greeter", self.GREET)
        plugin(
            "broken",
            f"""
            from impasto import hookimpl

            def odd(x: int | str): ...  # typer takes no unions

            @hookimpl
            def impasto_commands(cli):
                {body}
            """,
        )
        ended = run("--help")
        assert ended.code == 0
        assert problem in ended.err
        assert "greet" in ended.out
        assert run("greet").out.startswith("Hello you")
        strict = run("--strict", "greet")
        assert strict.code == 1
        assert "plugins failed" in strict.err
        assert problem in strict.err

    def test_those_of_built_in_plugins_are_there_whatever_the_settings_say(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "0")
        assert "problem  settings: painting.steps" in run("doctor").out
        for command in ("play", "no-such-command"):
            ended = run(command)
            assert ended.code == 1
            assert "painting.steps" in ended.err

    def test_one_that_is_denied_adds_nothing(
        self, run: Run, plugin: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plugin("greeter", self.GREET)
        monkeypatch.setenv("IMPASTO_PLUGINS__DENY", '["greeter"]')
        assert run("greet").code == 2


class TestListings:
    def test_styles(self, run: Run) -> None:
        presets = json.loads(run("styles", "--json").out)
        assert len(presets) >= 4
        for preset in presets:
            assert Path(preset["picture"]).is_file()
            assert {"en", "ru"} <= preset["titles"].keys()
            assert preset["licence"]
        table = run("styles").out
        assert all(preset["name"] in table for preset in presets)

    def test_plugins_of_both_processes(self, run: Run) -> None:
        records = json.loads(run("plugins", "--json").out)
        found = {(r["process"], r["name"]): r for r in records}
        assert found["bot", "dialog"]["status"] == "active"
        assert found["painting", "lbfgs"]["hooks"] == ["impasto_optimizers", "impasto_settings"]
        assert found["bot", "networks"]["origin"] == "built-in"
        assert found["bot", "networks"]["version"] == impasto.__version__
        assert {r["error"] for r in records} == {None}

    def test_a_failed_plugin_is_listed_with_its_error(
        self, run: Run, plugin: Callable[[str, str], None]
    ) -> None:
        plugin("misspelt", "from impasto import hookimpl\n@hookimpl\ndef impasto_stiles(): ...\n")
        plugin(
            "late",
            """
            from impasto import hookimpl

            @hookimpl
            def impasto_queues(settings):
                return 5
            """,
        )
        ended = run("plugins", "--json")
        assert ended.code == 0
        found = {r["name"]: r for r in json.loads(ended.out)}
        assert "did you mean impasto_styles?" in found["misspelt"]["error"]
        assert "must return a list of JobQueues" in found["late"]["error"]
        assert found["late"]["status"] == "failed"

        strict = run("--strict", "plugins")
        assert strict.code == 1
        assert "misspelt" in strict.out, "the listing is there all the same"
        assert "plugins failed" in strict.err

    def test_the_listing_fits_a_terminal_and_tells_errors_below(
        self, run: Run, plugin: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plugin("broken", "raise RuntimeError('of a length that no column has: ' + 'x' * 80)\n")
        monkeypatch.setenv("COLUMNS", "80")
        table, _, below = run("plugins").out.partition("broken (bot): ")
        assert below.startswith("RuntimeError: of a length that no column has: " + "x" * 80)
        assert max(map(len, table.splitlines())) <= 80
        rows = [line.split() for line in table.splitlines() if line.split()]
        assert ["networks", "built-in", "both", "active", "checks,"] in [row[:5] for row in rows]
        assert [row[3] for row in rows if row[0] == "lbfgs"] == ["active"]
        *_, last = [row[0] for row in rows if {"active", "failed"} & {*row}]
        assert last == "broken", "what does not work is beside its error"

    def test_settings_of_plugins(
        self, run: Run, plugin: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plugin(
            "mine",
            """
            from impasto import hookimpl
            from impasto.settings import Section

            class Mine(Section):
                api_key: str = ""
                hue: int = 3
                \"\"\"How red.\"\"\"

            @hookimpl
            def impasto_settings():
                return Mine
            """,
        )
        monkeypatch.setenv("IMPASTO_PLUGINS__MINE__HUE", "7")
        monkeypatch.setenv("IMPASTO_PLUGINS__MINE__API_KEY", "precious")
        ended = run("plugins", "--settings", "--json")
        found = {r["setting"]: r for r in json.loads(ended.out)}
        hue = found["plugins.mine.hue"]
        assert (hue["value"], hue["default"], hue["meaning"]) == (7, 3, "How red.")
        assert hue["from"] == "variable IMPASTO_PLUGINS__MINE__HUE"
        assert found["plugins.lbfgs.history"]["meaning"]
        assert "precious" not in ended.out
        assert "plugins.mine.hue" in run("plugins", "--settings").out

    @pytest.mark.parametrize(
        "command", ["styles", "styles fetch", "plugins", "plugins --hooks", "weights list"]
    )
    def test_tables_fit_a_terminal_of_80_columns(
        self, run: Run, command: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        lines = run(*command.split()).out.splitlines()
        assert max(map(cell_len, lines)) <= 80
        assert not any("…" in line for line in lines), "something is cut"

    def test_hooks(self, run: Run) -> None:
        lines = {
            line.split()[0]: line
            for line in run("plugins", "--hooks").out.splitlines()
            if line.split()
        }
        assert "adam, lbfgs" in lines["impasto_optimizers"]
        assert "painting process" in lines["impasto_optimizers"]
        assert "dialog" in lines["impasto_routers"]


class TestInstalling:
    @pytest.fixture
    def pip(self, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
        """What pip is called with; it ends with 3 where something is named `wrong`."""
        calls: list[list[str]] = []

        def called(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            assert command[:4] == [sys.executable, "-P", "-m", "pip"]
            calls.append(command[4:])
            return subprocess.CompletedProcess(command, 3 if "wrong" in command else 0)

        monkeypatch.setattr("impasto.cli.plugins.subprocess.run", called)
        return calls

    @pytest.fixture
    def installed(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
        """Plugins by package."""
        found = {"impasto": {"lbfgs"}, "Impasto_Crisp": {"crisp", "soft"}}
        monkeypatch.setattr("impasto.cli.plugins.plugins_by_distribution", lambda: found)
        return found

    @pytest.mark.parametrize(
        ("words", "arguments"),
        [
            (["impasto-crisp"], ["install", "impasto-crisp"]),
            (["-U", "a==1", "b"], ["install", "--upgrade", "a==1", "b"]),
            (["-e", "crisp"], ["install", "--editable", "crisp"]),
        ],
    )
    def test_pip_installs_into_this_environment(
        self, run: Run, pip: list[list[str]], words: list[str], arguments: list[str]
    ) -> None:
        assert run("plugins", "install", *words).code == 0
        assert pip == [arguments]

    def test_what_pip_refuses_is_not_done(self, run: Run, pip: list[list[str]]) -> None:
        assert run("plugins", "install", "wrong").code == 3

    def test_nothing_to_install_is_wrong_usage(self, run: Run, pip: list[list[str]]) -> None:
        assert run("plugins", "install").code == 2
        assert pip == []

    def test_new_plugins_are_named(
        self, run: Run, pip: list[list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        states = iter([{}, {"impasto-crisp": {"crisp"}}, {"impasto-crisp": {"crisp"}}])
        monkeypatch.setattr("impasto.cli.plugins.plugins_by_distribution", lambda: next(states))
        assert "impasto-crisp adds crisp" in run("plugins", "install", "impasto-crisp").out

    @pytest.mark.parametrize("name", ["crisp", "impasto-crisp", "Impasto_Crisp"])
    def test_a_plugin_is_uninstalled_by_its_name_or_its_packages(
        self, run: Run, pip: list[list[str]], installed: object, name: str
    ) -> None:
        assert run("plugins", "uninstall", "--yes", name, "soft").code == 0
        assert pip == [["uninstall", "--yes", "Impasto_Crisp"]]

    @pytest.mark.parametrize(
        ("name", "why"),
        [("lbfgs", "is a part of impasto"), ("impasto", "is a part"), ("numpy", "no package of")],
    )
    def test_nothing_else_is_uninstalled(
        self, run: Run, pip: list[list[str]], installed: object, name: str, why: str
    ) -> None:
        ended = run("plugins", "uninstall", name)
        assert (ended.code, pip) == (1, [])
        assert why in ended.err

    def test_without_pip_it_says_what_to_do(
        self, run: Run, pip: list[list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("impasto.cli.plugins.importlib.util.find_spec", lambda _: None)
        ended = run("plugins", "install", "impasto-crisp")
        assert (ended.code, pip) == (1, [])
        assert "uv pip install --python" in ended.err


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    values = np.linspace(0, 255, 48 * 64 * 3).reshape(48, 64, 3).astype(np.uint8)
    Image.fromarray(values).save(path)
    return path


@pytest.fixture
def style(tmp_path: Path) -> Path:
    path = tmp_path / "style.png"
    Image.effect_noise((64, 64), 80).convert("RGB").save(path)
    return path


@pytest.fixture
def tiny_network(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is painted on a network that is quick."""
    path = save_tiny_network(tmp_path_factory.mktemp("network") / "tiny.safetensors")
    monkeypatch.setenv("IMPASTO_PAINTING__NETWORK", str(path))


@pytest.fixture
def presets_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """`impasto paint` has the presets listed in this process: another one imports for seconds."""

    def run_here(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[:4] == [sys.executable, "-P", "-m", "impasto"]
        ended = CliRunner().invoke(app, command[4:])
        return subprocess.CompletedProcess(command, ended.exit_code, ended.stdout)

    monkeypatch.setattr(subprocess, "run", run_here)


class TestPaint:
    @pytest.fixture
    def paint(self, run: Run, photo: Path, style: Path) -> Run:
        """Paints a little, with more arguments."""

        def paint(*arguments: str, onto: str = "out.png", of: Path = photo) -> Ended:
            return run(
                "paint", str(of), "--style", str(style), "-o", onto, "--steps", "2", *arguments
            )

        return paint

    def test_json_is_one_line_about_the_painting(
        self, paint: Run, photo: Path, style: Path, tmp_path: Path
    ) -> None:
        ended = paint("--json", "--device", "cpu", "--optimizer", "adam", "--seed", "3")
        assert ended.code == 0
        [line] = ended.out.splitlines()
        report = json.loads(line)
        assert report["size"] == [128, 96], "a small photo is enlarged"
        assert report["steps"] == 2
        assert report["network"] == "embedded"
        assert report["device"] == "cpu"
        assert report["seconds"] > 0
        losses = report["losses"]
        assert losses["total"] == pytest.approx(losses["style"] + losses["content"])
        with Image.open(tmp_path / "out.png") as picture:
            assert picture.size == (128, 96)
            assert picture.format == "PNG"

    @pytest.mark.slow
    def test_fine_is_finished_on_another_network(
        self, paint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert json.loads(paint("--json").out)["fine_network"] is None
        other = save_tiny_network(tmp_path / "other.safetensors")
        monkeypatch.setenv("IMPASTO_PAINTING__FINE_NETWORK", str(other))
        monkeypatch.setenv("IMPASTO_PAINTING__FINE_STEPS", "1")
        report = json.loads(paint("--fine", "--json").out)
        assert (report["network"], report["fine_network"]) == ("embedded", "tiny")
        assert report["steps"] == 3

    @pytest.mark.usefixtures("tiny_network")
    def test_without_json_nothing_is_on_standard_output(self, paint: Run) -> None:
        ended = paint()
        assert ended.code == 0
        assert ended.out == ""
        assert "out.png" in ended.err

    @pytest.mark.usefixtures("tiny_network")
    @pytest.mark.parametrize(
        ("name", "format_name"), [("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.webp", "WEBP")]
    )
    def test_the_suffix_says_the_format(
        self, paint: Run, tmp_path: Path, name: str, format_name: str
    ) -> None:
        assert paint(onto=name).code == 0
        with Image.open(tmp_path / name) as picture:
            assert picture.format == format_name
        assert not list(tmp_path.glob("*.partial"))
        assert not list(tmp_path.glob(".*"))

    @pytest.mark.usefixtures("tiny_network", "presets_here")
    def test_presets_and_files_mix(self, paint: Run, run: Run) -> None:
        preset = json.loads(run("styles", "--json").out)[0]
        ended = paint("--style", preset["name"], "--json")
        assert ended.code == 0
        assert json.loads(ended.out)["styles"][1] == preset["picture"]

    @pytest.mark.slow
    @pytest.mark.usefixtures("tiny_network", "presets_here")
    def test_presets_are_painted_as_they_recommend(
        self, run: Run, photo: Path, style: Path, tmp_path: Path
    ) -> None:
        with Image.open(style) as picture:
            picture.resize((300, 300)).save(tmp_path / "large.png")
        facts = ["--name", "loud", "--strength", "4", "--brush-size", "0.25"]
        assert run("styles", "add", "large.png", *facts).code == 0
        run_paint = ["paint", str(photo), "-o", "x.png", "--steps", "1", "--json"]
        both = ["--style", "loud", "--style", str(style)]
        report = json.loads(run(*run_paint, *both).out)
        assert (report["style_weight"], report["brush_size"]) == (4e4, 0.5), "the geometric mean"
        report = json.loads(run(*run_paint, *both, "--style-weight", "3", "--brush", "1").out)
        assert (report["style_weight"], report["brush_size"]) == (3, 1)

    @pytest.mark.usefixtures("presets_here")
    def test_presets_are_listed_with_the_same_options(
        self, run: Run, photo: Path, plugin: Callable[[str, str], None], tmp_path: Path
    ) -> None:
        plugin("broken", "raise ValueError('at import')\n")
        (tmp_path / "mine.toml").write_text('[plugins]\ndeny = ["styles"]')
        arguments = ["paint", str(photo), "--style", "night", "-o", "x.png", "--steps", "1"]
        assert run("--strict", *arguments).code == 1
        assert run("--config", "mine.toml", *arguments).code == 1
        assert not (tmp_path / "x.png").exists()

    @pytest.mark.slow
    @pytest.mark.usefixtures("tiny_network")
    def test_presets_are_listed_by_a_process_of_its_own(
        self, run: Run, photo: Path, plugin: Callable[[str, str], None]
    ) -> None:
        plugin("broken", "raise ValueError('at import')\n")
        arguments = ["paint", str(photo), "--style", "night", "-o", "x.png", "--steps", "1"]
        assert run(*arguments).code == 0

    @pytest.mark.usefixtures("tiny_network")
    def test_pixels_cap_the_result(self, paint: Run) -> None:
        report = json.loads(paint("--pixels", "1728", "--json").out)
        assert report["size"] == [48, 36]

    @pytest.mark.parametrize("how", ["same", "spelt otherwise", "symlink", "hard link", "style"])
    def test_no_input_is_ever_overwritten(
        self, paint: Run, photo: Path, style: Path, tmp_path: Path, how: str
    ) -> None:
        before = photo.read_bytes(), style.read_bytes()
        goal = photo
        if how == "spelt otherwise":
            goal = photo.parent / "." / ".." / photo.parent.name / photo.name
        elif how == "symlink":
            goal = tmp_path / "link.png"
            goal.symlink_to(photo)
        elif how == "hard link":
            goal = tmp_path / "hard.png"
            goal.hardlink_to(photo)
        elif how == "style":
            goal = style
        ended = paint(onto=str(goal))
        assert ended.code == 1
        assert "is one of the pictures to paint from; choose another name" in ended.err
        assert (photo.read_bytes(), style.read_bytes()) == before

    @pytest.mark.usefixtures("tiny_network")
    def test_an_older_result_is_replaced(self, paint: Run, tmp_path: Path) -> None:
        (tmp_path / "out.png").write_text("old")
        assert paint().code == 0
        with Image.open(tmp_path / "out.png") as picture:
            assert picture.size == (128, 96)

    @pytest.mark.parametrize(
        ("goal", "sentence"),
        [
            ("out.gif", "the name must end in one of .png, .jpg, .jpeg, .webp"),
            ("out", "the name must end in one of"),
            ("nowhere/out.png", "there is no folder nowhere"),
        ],
    )
    def test_a_goal_that_cannot_be_written_is_told_before_painting(
        self, paint: Run, monkeypatch: pytest.MonkeyPatch, goal: str, sentence: str
    ) -> None:
        monkeypatch.setattr(painter, "paint", lambda *_: pytest.fail("it painted"))
        ended = paint(onto=goal)
        assert ended.code == 1
        assert sentence in ended.err

    @pytest.mark.parametrize("goal", [f"{'ы' * 130}.png", f"{'d' * 300}/out.png"])
    def test_a_name_longer_than_names_can_be_is_told_before_painting(
        self, paint: Run, monkeypatch: pytest.MonkeyPatch, goal: str
    ) -> None:
        monkeypatch.setattr(painter, "paint", lambda *_: pytest.fail("it painted"))
        ended = paint(onto=goal)
        assert ended.code == 1
        assert "choose another name or folder" in ended.err

    def test_a_folder_that_may_not_be_looked_into_is_told_before_painting(
        self, paint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = os.stat

        def stat(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
            if "secret" in str(path):
                raise PermissionError(errno.EACCES, "Permission denied")
            return real(path, *arguments, **options)

        monkeypatch.setattr(os, "stat", stat)
        monkeypatch.setattr(painter, "paint", lambda *_: pytest.fail("it painted"))
        for ended in (paint(onto="secret/out.png"), paint("--style", "secret/style.png")):
            assert ended.code == 1
            assert "secret" in ended.err
            assert "Permission denied" in ended.err

    @pytest.mark.usefixtures("tiny_network")
    @pytest.mark.parametrize("letter", ["n", "ы", "🎨"])
    def test_a_name_as_long_as_names_can_be(self, paint: Run, tmp_path: Path, letter: str) -> None:
        name = letter * (251 // len(letter.encode())) + ".png"
        assert paint(onto=name).code == 0
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG"
        assert not list(tmp_path.glob(".*"))

    @pytest.mark.usefixtures("tiny_network")
    @pytest.mark.parametrize("arguments", [(), ("--json",)])
    def test_a_painting_is_not_lost_where_it_cannot_be_written(
        self,
        paint: Run,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        arguments: tuple[str, ...],
    ) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        save = Image.Image.save

        def save_too_late(picture: Image.Image, path: Path, **options: Any) -> None:
            if gone.exists():
                gone.rmdir()
            save(picture, path, **options)

        monkeypatch.setattr(Image.Image, "save", save_too_late)
        ended = paint(*arguments, onto="gone/out.png")
        assert ended.code == 1
        [written] = tmp_path.glob("impasto-*.png")
        assert "gone/out.png cannot be written: No such file or directory" in ended.err
        assert str(written) in ended.err
        with Image.open(written) as picture:
            assert picture.size == (128, 96)
        if arguments:
            assert json.loads(ended.out)["output"] == str(written)

    @pytest.mark.usefixtures("tiny_network")
    def test_names_that_are_no_text(self, run: Run, photo: Path, style: Path) -> None:
        odd = os.fsdecode(b"\xff\xfe photo.png")
        try:
            photo.rename(odd)
        except OSError:
            pytest.skip("this file system has no such names")
        onto = os.fsdecode(b"\xff.png")
        ended = run("paint", odd, "--style", str(style), "-o", onto, "--steps", "1", "--json")
        assert ended.code == 0
        report = json.loads(ended.out)
        assert (report["photo"], report["output"]) == (odd, onto)
        assert Path(onto).is_file()

    @pytest.mark.usefixtures("presets_here")
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (
                ["--style", "nowhere.jpg"],
                "--style nowhere.jpg: there is no such preset and no such",
            ),
            (["--style", "mosiac"], "did you mean mosaic?"),
            (["--optimizer", "lbgfs"], "did you mean lbfgs?"),
            (["--optimizer", "sgd"], "optimizer 'sgd' is not available"),
            (["--device", "tpu"], "device 'tpu' is not available"),
            (["--network", "vgg19"], "impasto weights fetch vgg19"),
            (["--fine"], "impasto weights fetch vgg19"),
            (["--network", "alexnet"], "network 'alexnet' is not available"),
        ],
    )
    def test_what_is_not_there_is_one_sentence(
        self, paint: Run, tmp_path: Path, arguments: list[str], sentence: str
    ) -> None:
        ended = paint(*arguments)
        assert ended.code == 1
        last = ended.err.strip().splitlines()[-1]
        assert last.startswith("impasto: ")
        assert sentence in last
        assert not (tmp_path / "out.png").exists()

    @pytest.mark.parametrize(
        ("arguments", "option"),
        [
            (["--pixels", "10"], "--pixels"),
            (["--steps", "0"], "--steps"),
            (["--style-weight", "-1"], "--style-weight"),
            (["--steps", "many"], "--steps"),
            (["--brush", "9"], "--brush:"),
            (["--fine", "--network", "embedded"], "--fine"),
        ],
    )
    def test_numbers_out_of_bounds_are_wrong_usage(
        self, run: Run, photo: Path, style: Path, arguments: list[str], option: str
    ) -> None:
        ended = run("paint", str(photo), "--style", str(style), "-o", "x.png", *arguments)
        assert ended.code == 2
        assert option in ended.err

    def test_a_bad_picture_is_named(self, paint: Run, tmp_path: Path) -> None:
        (tmp_path / "text.jpg").write_text("no picture")
        ended = paint(of=tmp_path / "text.jpg")
        assert ended.code == 1
        assert "text.jpg: this file is not a picture" in ended.err
        (tmp_path / "gone.jpg").symlink_to("nowhere")
        for path in ("gone.jpg", "text.jpg/photo.jpg", "n" * 300):
            err = paint(of=tmp_path / path).err
            assert path in err
            assert "Errno" not in err

    @pytest.mark.usefixtures("tiny_network")
    def test_ctrl_c_stops_and_writes_nothing(
        self, paint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = []
        real = painter.paint

        def interrupted(*arguments: Any) -> Iterator[Any]:
            events = real(*arguments)
            try:
                yield next(events)
                raise KeyboardInterrupt
            finally:
                closed.append(True)

        monkeypatch.setattr(painter, "paint", interrupted)
        ended = paint()
        assert ended.code == 130
        assert "Stopped; nothing was written." in ended.err
        assert closed == [True]
        assert not (tmp_path / "out.png").exists()

    def test_too_little_memory_is_a_sentence(
        self, paint: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def greedy(*_: Any) -> Iterator[Any]:
            raise MemoryError
            yield

        monkeypatch.setattr(painter, "paint", greedy)
        ended = paint()
        assert ended.code == 1
        assert "ask for less with --pixels" in ended.err


class TestManyPhotos:
    """Several photos, and paintings for which no name is given."""

    @pytest.fixture(autouse=True)
    def quick(self, tiny_network: None, presets_here: None) -> None: ...

    @pytest.fixture
    def paint(self, run: Run, style: Path) -> Run:
        def paint(*arguments: str) -> Ended:
            return run("paint", "--style", str(style), "--steps", "1", *arguments)

        return paint

    def test_a_painting_goes_beside_its_photo_over_nothing(
        self, paint: Run, photo: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        moved = photo.rename(folder / "photo.png")
        (folder / "photo-style.png").write_text("of somebody's")
        ended = [paint(str(moved)), paint(str(moved), "--style", "night")]
        assert [each.code for each in ended] == [0, 0]
        assert {path.name for path in folder.iterdir()} == {
            "photo.png",
            "photo-style.png",
            "photo-style-2.png",
            "photo-style-night.png",
        }
        assert (folder / "photo-style.png").read_text() == "of somebody's"

    def test_a_format_that_is_not_written_becomes_a_jpeg(
        self, paint: Run, photo: Path, tmp_path: Path
    ) -> None:
        with Image.open(photo) as picture:
            picture.save(tmp_path / "scan.TIF")
        assert paint("scan.TIF").code == 0
        with Image.open(tmp_path / "scan-style.jpg") as picture:
            assert picture.format == "JPEG"

    def test_without_a_style_it_is_the_first_preset(self, run: Run, photo: Path) -> None:
        ended = run("paint", photo.name, "--steps", "1")
        assert ended.code == 0
        assert "The style is night; --style chooses another" in ended.err
        assert photo.with_name("photo-night.png").is_file()

    def test_without_a_style_and_without_presets_it_asks_for_one(
        self, run: Run, photo: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMPASTO_PLUGINS__DENY", "styles")
        ended = run("paint", photo.name)
        assert ended.code == 1
        assert "name a picture with --style" in ended.err

    def test_a_folders_photos_are_painted_and_no_paintings(
        self, paint: Run, photo: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "folder"
        (folder / "deeper.jpg").mkdir(parents=True)
        (folder / "notes.txt").write_text("no photo")
        with Image.open(photo) as picture:
            for name in ("b.jpg", "a.webp", "c.png", ".hidden.png"):
                picture.save(folder / name)
        for turn in range(2):
            reports = [json.loads(line) for line in paint("folder", "--json").out.splitlines()]
            assert [Path(report["photo"]).name for report in reports] == [
                "a.webp",
                "b.jpg",
                "c.png",
            ]
            end = "-2" if turn else ""
            assert [Path(report["output"]).name for report in reports] == [
                f"a-style{end}.webp",
                f"b-style{end}.jpg",
                f"c-style{end}.png",
            ]

    def test_paintings_go_into_a_folder_that_is_named(
        self, paint: Run, photo: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "out").mkdir()
        other = tmp_path / "other" / photo.name
        other.parent.mkdir()
        other.write_bytes(photo.read_bytes())
        assert paint(str(photo), str(other), "-o", "out").code == 0
        names = {path.name for path in (tmp_path / "out").iterdir()}
        assert names == {"photo-style.png", "photo-style-2.png"}
        ended = paint(str(photo), str(other), "-o", "one.png")
        assert ended.code == 2
        assert "--output" in ended.err

    def test_one_that_cannot_be_used_costs_no_other(
        self, paint: Run, photo: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "bad.jpg").write_text("no picture")
        ended = paint("bad.jpg", photo.name)
        assert ended.code == 1
        assert "impasto: bad.jpg: this file is not a picture" in ended.err
        assert (tmp_path / "photo-style.png").is_file()

    def test_a_folder_without_photos_is_told(self, paint: Run, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        ended = paint("empty")
        assert ended.code == 1
        assert "there is no photo in empty" in ended.err

    def test_the_bar_shows_work_and_not_steps(
        self, paint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from rich.progress import Progress

        for name in ("first.png", "second.png"):
            Image.effect_noise((240, 200), 50).convert("RGB").save(tmp_path / name)
        shown: list[tuple[float, float]] = []

        def update(self: Progress, task: Any, *, total: float, completed: float, **_: Any) -> None:
            shown.append((completed, total))

        monkeypatch.setattr(Progress, "update", update)
        assert paint("first.png", "second.png", "--steps", "4").code == 0
        done = [completed for completed, _ in shown]
        assert done == sorted(done)
        assert (done[-1], {total for _, total in shown}) == (2, {2})
        first = [completed for completed in done if completed <= 1]
        steps = np.diff([0.0, *first[:4]])
        assert steps[0] < steps[-1], "steps of small sizes are less work"

    def test_a_terminal_that_shows_pictures_has_one_for_each_size(
        self, paint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from impasto.cli import display

        shown: list[tuple[int, int]] = []

        class Seen:
            is_possible = True

            def __init__(self, console: Any) -> None: ...

            def show(self, picture: Image.Image) -> None:
                shown.append(picture.size)

        monkeypatch.setattr(display, "Preview", Seen)
        Image.effect_noise((240, 200), 50).convert("RGB").save(tmp_path / "photo.png")
        assert paint("photo.png", "--steps", "4").code == 0
        assert shown == [(480, 400)] * 3, "after each smaller size, and at the end"
        assert paint("photo.png", "--json").code == 0
        assert len(shown) == 3, "whoever wants JSON looks at no pictures"

    def test_ctrl_c_says_how_many_were_written(
        self, paint: Run, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = painter.paint
        calls = 0

        def interrupted(*arguments: Any) -> Iterator[Any]:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise KeyboardInterrupt
            yield from real(*arguments)

        monkeypatch.setattr(painter, "paint", interrupted)
        (tmp_path / "second.png").write_bytes(photo.read_bytes())
        ended = paint(photo.name, "second.png")
        assert ended.code == 130
        assert "Stopped; 1 of 2 paintings were written." in ended.err


class TestSheet:
    @pytest.fixture
    def sheet(self, run: Run, photo: Path) -> Run:
        def sheet(*arguments: str, onto: str = "sheet.png", of: Path = photo) -> Ended:
            return run("sheet", str(of), "-o", onto, "--size", "100", *arguments)

        return sheet

    @pytest.mark.usefixtures("tiny_network", "presets_here")
    def test_presets_and_files_have_a_tile_each_in_their_order(
        self, sheet: Run, style: Path, tmp_path: Path
    ) -> None:
        same = tmp_path / "folder" / style.name
        same.parent.mkdir()
        Image.new("RGB", (64, 64), "red").save(same)
        named = ["--style", str(style), "--style", "night", "--style", str(same)]
        ended = sheet(*named)
        assert (ended.code, ended.out) == (0, "")
        assert "3/3" in ended.err
        assert "sheet.png" in ended.err
        with Image.open(tmp_path / "sheet.png") as picture:
            # The photo is 64 x 48; two columns come closest to a square.
            assert picture.size == (GAP + 2 * (64 + GAP), GAP + 2 * (48 + LABEL + GAP))
            red, green, blue = picture.resize((1, 1), box=(75, 150, 107, 180)).getpixel((0, 0))
        assert red > 2 * max(green, blue), "the last row is centered, and its style is red"

    @pytest.mark.usefixtures("tiny_network")
    def test_without_a_name_it_goes_beside_the_photo(
        self, run: Run, photo: Path, style: Path
    ) -> None:
        for _ in range(2):
            assert run("sheet", str(photo), "--style", str(style), "--size", "100").code == 0
        assert photo.with_name("photo-sheet.png").is_file()
        assert photo.with_name("photo-sheet-2.png").is_file()

    @pytest.mark.slow
    @pytest.mark.usefixtures("tiny_network")
    def test_without_styles_all_presets_are_shown(self, sheet: Run, tmp_path: Path) -> None:
        ended = sheet(onto="all.jpg")
        assert ended.code == 0
        assert "15/15" in ended.err
        with Image.open(tmp_path / "all.jpg") as picture:
            assert picture.format == "JPEG"

    @pytest.mark.usefixtures("tiny_network", "presets_here")
    def test_what_cannot_be_used_is_one_sentence(
        self, sheet: Run, photo: Path, style: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "text.jpg").write_text("no picture")
        for ended, sentence in (
            (sheet("--style", "nowhere.jpg"), "--style nowhere.jpg: there is no such preset"),
            (sheet(of=tmp_path / "gone.jpg"), "gone.jpg: there is no such file"),
            (sheet("--style", "text.jpg"), "text.jpg: this file is not a picture"),
            (sheet(of=tmp_path / "text.jpg"), "text.jpg: this file is not a picture"),
            (sheet("--style", str(style), onto=str(style)), "is one of the pictures"),
            (sheet("--style", str(style), onto=str(photo)), "is one of the pictures"),
            (sheet("--style", str(style), onto="sheet.gif"), "the name must end in one of"),
        ):
            assert ended.code == 1
            assert sentence in ended.err
        ended = sheet("--size", "10")
        assert ended.code == 2
        assert not (tmp_path / "sheet.png").exists()

    @pytest.mark.usefixtures("presets_here")
    def test_without_presets_it_asks_for_a_style(
        self, run: Run, photo: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "none.toml").write_text('[plugins]\ndeny = ["styles"]')
        ended = run("--config", "none.toml", "sheet", str(photo), "-o", "sheet.png")
        assert ended.code == 1
        assert "name a style or a picture with --style" in ended.err

    @pytest.mark.parametrize(
        ("error", "code", "sentence"),
        [
            (KeyboardInterrupt, 130, "Stopped; nothing was written."),
            (MemoryError, 1, "ask for less with --size"),
        ],
    )
    def test_what_ends_it_early_leaves_nothing(
        self,
        sheet: Run,
        style: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        error: type[BaseException],
        code: int,
        sentence: str,
    ) -> None:
        def failing(*_: Any, **__: Any) -> Iterator[Any]:
            raise error
            yield

        monkeypatch.setattr(thumbnails, "thumbnails", failing)
        ended = sheet("--style", str(style))
        assert ended.code == code
        assert sentence in ended.err
        assert not (tmp_path / "sheet.png").exists()


class Bot:
    """Stands for `run_bot`: notes what it was given and runs until it is stopped."""

    def __init__(self) -> None:
        self.settings: Settings | None = None
        self.stopped_by_event = False

    async def __call__(
        self,
        settings: Settings,
        host: PluginHost,
        *,
        stop: asyncio.Event,
        on_ready: Any,
        changes: asyncio.Queue[Settings] | None,
    ) -> None:
        assert changes is None, "what is played with has no settings file of its own"
        self.settings = settings
        assert host.settings is settings
        assert settings.state_dir.is_dir()
        assert "dialog" in [record.name for record in host.active]
        on_ready()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 30)
        self.stopped_by_event = True


class TestBot:
    @pytest.fixture
    def bot(self, monkeypatch: pytest.MonkeyPatch) -> Bot:
        from impasto.telegram import app

        bot = Bot()
        monkeypatch.setattr(app, "run_bot", bot)
        return bot

    @pytest.fixture
    def opened(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        pages: list[str] = []
        monkeypatch.setattr(webbrowser, "open", lambda url: bool(pages.append(url)))
        return pages

    def test_run_needs_a_token(self, run: Run) -> None:
        ended = run("run")
        assert ended.code == 1
        assert "IMPASTO_TELEGRAM__TOKEN" in ended.err
        assert "impasto play" in ended.err

    def test_play_connects_bot_and_page_and_ends_on_a_signal(
        self, run: Run, bot: Bot, opened: list[str]
    ) -> None:
        ended = run("play", "--port", "0")
        assert ended.code == 0
        assert bot.stopped_by_event
        assert bot.settings is not None
        url = bot.settings.telegram.api_base
        assert url.startswith("http://127.0.0.1:")
        assert opened == [url]
        assert url in ended.err
        assert bot.settings.telegram.token.get_secret_value()
        assert not bot.settings.state_dir.exists(), "the temporary folder is gone"

    def test_play_without_a_browser_in_a_folder_that_stays(
        self, run: Run, bot: Bot, opened: list[str], tmp_path: Path
    ) -> None:
        (tmp_path / "here").mkdir()
        assert run("play", "--port", "0", "--no-browser", "--state-dir", "here").code == 0
        assert opened == []
        assert (tmp_path / "here").is_dir()

    def test_play_has_the_networks_that_were_fetched(
        self, run: Run, bot: Bot, opened: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        weights = tmp_path / "state" / "weights"
        weights.mkdir(parents=True)
        (weights / "vgg19.safetensors").write_bytes(b"x")
        seen = []
        monkeypatch.setattr(
            webbrowser,
            "open",
            lambda _: seen.append((bot.settings.state_dir / "weights/vgg19.safetensors").exists()),  # type: ignore[union-attr]
        )
        assert run("play", "--port", "0").code == 0
        assert seen == [True]
        assert (weights / "vgg19.safetensors").exists(), "they are not deleted with the rest"

    def test_play_on_a_port_in_use_says_what_to_do(self, run: Run, bot: Bot) -> None:
        with socket.socket() as busy:
            busy.bind(("127.0.0.1", 0))
            busy.listen()
            port = busy.getsockname()[1]
            ended = run("play", "--port", str(port), "--no-browser")
        assert ended.code == 1
        assert f"port {port} is in use; choose another with --port" in ended.err
        assert bot.settings is None

    def test_strict_ends_the_start_when_a_hook_failed(
        self, run: Run, bot: Bot, plugin: Callable[[str, str], None]
    ) -> None:
        plugin("broken", "raise ValueError('at import')\n")
        ended = run("--strict", "play", "--port", "0", "--no-browser")
        assert ended.code == 1
        assert "at import" in ended.err
