"""The command line: what it prints where, how it ends, and what it never does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import webbrowser
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

import impasto
from impasto.cli import main
from impasto.plugins import PluginHost
from impasto.settings import Settings

from .. import command_line
from ..command_line import Run, WritePlugin

surroundings, run, plugin = command_line.surroundings, command_line.run, command_line.plugin

TOKEN = "123456:EXAMPLE-TOKEN"


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
        ended = run("settings", "--help")
        assert ended.code == 0
        assert "--changed" in ended.out

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
        self, run: Run, plugin: WritePlugin, monkeypatch: pytest.MonkeyPatch
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
            ("cli.command('run')(lambda: None)", "the command 'run' is there already"),
            ("cli.command('paint')(lambda: None)", "the command 'paint' is there already"),
            ("cli.command('greet')(lambda: None)", "the command 'greet' is there already"),
            ("cli.command('odd')(odd)", "impasto_commands: "),
        ],
    )
    def test_one_that_breaks_costs_only_its_plugin(
        self, run: Run, plugin: WritePlugin, body: str, problem: str
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

    def test_waiting_for_built_in_plugins_is_told_where_settings_say_nothing_of_the_log(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "0")
        monkeypatch.setattr("impasto.plugins.containment.SECONDS_UNTIL_TOLD", 1e-6)
        ended = run("doctor")
        assert "problem  settings: painting.steps" in ended.out
        assert "waiting_for_plugin" in ended.err

    def test_one_that_is_denied_adds_nothing(
        self, run: Run, plugin: WritePlugin, monkeypatch: pytest.MonkeyPatch
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

    def test_a_failed_plugin_is_listed_with_its_error(self, run: Run, plugin: WritePlugin) -> None:
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
        self, run: Run, plugin: WritePlugin, monkeypatch: pytest.MonkeyPatch
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
        self, run: Run, plugin: WritePlugin, monkeypatch: pytest.MonkeyPatch
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
        self, run: Run, bot: Bot, plugin: WritePlugin
    ) -> None:
        plugin("broken", "raise ValueError('at import')\n")
        ended = run("--strict", "play", "--port", "0", "--no-browser")
        assert ended.code == 1
        assert "at import" in ended.err
