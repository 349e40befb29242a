"""What starts the bot elsewhere names commands, settings and metrics that there are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from prometheus_client import REGISTRY

import impasto_metrics
from impasto.cli import app
from impasto.errors import SettingsError
from impasto.hookspecs import BOT_GROUP
from impasto.plugins import PluginHost
from impasto.settings import Settings, TelegramSettings, load_settings
from impasto.telegram.proxy import proxy_for

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
COMMANDS = {command.name for command in app.registered_commands}
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def checked_settings(variables: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> PluginHost:
    """The bot's plugins with these variables, which must all be settings with good values."""
    for name, value in variables.items():
        text = re.sub(r"\$\{\w+:?[-?]?[^}]*\}", "", str(value))
        if name.startswith("IMPASTO_") and text:
            monkeypatch.setenv(name, text)
    settings = load_settings()
    host = PluginHost(BOT_GROUP, settings).load()
    named = [name for name in variables if name.startswith("IMPASTO_PLUGINS__")]
    known = {record.name for record in host.records}
    assert {name.split("__")[1].lower() for name in named} <= known
    return host


class TestBuildpacks:
    """What hosts with buildpacks look for, and what docs/deploying.md tells to add."""

    PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    def test_the_procfile_starts_the_bot_and_where_there_are_many_machines_workers(self) -> None:
        lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
        assert dict(line.split(": ", 1) for line in lines) == {
            "web": "env IMPASTO_SERVER__HOST=0.0.0.0 impasto run",
            "worker": "impasto worker",
        }
        assert {"run", "worker"} <= COMMANDS

    def test_the_python_is_one_that_the_project_takes(self) -> None:
        version = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
        assert re.fullmatch(r"3\.\d+", version), "the newest of its patches is the host's choice"
        assert version in SpecifierSet(self.PROJECT["requires-python"])

    def test_the_requirements_get_the_small_torch_and_what_goes_with_it(self) -> None:
        page = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
        [block] = re.findall(r"```text\n(--extra-index-url.+?)```", page, re.DOTALL)
        index, *lines, project = block.splitlines()
        assert index == "--extra-index-url https://download.pytorch.org/whl/cpu"
        assert set(re.findall(r"\w+", project)) <= set(self.PROJECT["optional-dependencies"])
        wanted = {item.name: item for item in map(Requirement, self.PROJECT["dependencies"])}
        pinned = dict(line.split("==") for line in lines)
        assert set(pinned) == {"torch", "torchvision"}
        for name, version in pinned.items():
            assert wanted[name].specifier.contains(version.partition("+")[0]), name
        assert {pinned["torch"][-4:], pinned["torchvision"][-4:]} == {"+cpu"}
        # torchvision 0.15 was made for torch 2.0, and so on.
        minor = [int(pinned[name].split(".")[1]) for name in ("torch", "torchvision")]
        assert minor[1] == minor[0] + 15


class TestVariables:
    """The tables of docs/deploying.md: what each row has people write means what it says there."""

    PAGE = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    ROWS: ClassVar = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE))

    @pytest.fixture(autouse=True)
    def nothing_else(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in os.environ:
            if name.upper().startswith("IMPASTO_") or name.lower().endswith("_proxy"):
                monkeypatch.delenv(name)
        monkeypatch.chdir(tmp_path)

    def written(self, cell: str, monkeypatch: pytest.MonkeyPatch, **changes: str) -> Settings:
        """The settings with the first variable of a cell."""
        [name, value], *_ = re.findall(r"`(\w+)=([^`]*)`", cell)
        monkeypatch.setenv(name, changes.get("value", value))
        return load_settings()

    def test_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = self.written(self.ROWS["nothing"], monkeypatch)
        assert settings.model_dump() == Settings().model_dump()

    def test_lists(self, monkeypatch: pytest.MonkeyPatch) -> None:
        [name], values = re.findall(r"IMPASTO_\w+", self.ROWS["a list"]), ["1", "1,2", "[1, 2]"]
        assert [value in self.ROWS["a list"] for value in values] == [True] * 3
        for value, ids in zip(values, [[1], [1, 2], [1, 2]], strict=True):
            monkeypatch.setenv(name, value)
            assert load_settings().telegram.admins == ids

    def test_a_section_a_plugin_and_a_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.written(self.ROWS["a section"], monkeypatch).painting.steps == 80
        settings = self.written(self.ROWS["a setting of a plugin"], monkeypatch)
        assert settings.plugins.sections == {"saq": {"look_seconds": "2"}}
        PluginHost(BOT_GROUP, settings, strict=True).load()
        settings = self.written(self.ROWS["a path"], monkeypatch)
        assert settings.state_dir == Path.home() / "impasto"

    def test_a_secret(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "token").write_text("1:in-a-file")
        cell = self.ROWS["a secret in a file"]
        settings = self.written(cell, monkeypatch, value=str(tmp_path / "token"))
        assert settings.telegram.token.get_secret_value() == "1:in-a-file"

    def test_names_of_others_and_wrong_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = self.written(self.ROWS["a link to a service"], monkeypatch)
        assert settings.model_dump() == Settings().model_dump()
        with pytest.raises(SettingsError, match="write IMPASTO_TELEGRAM__TOKEN"):
            self.written(self.ROWS["a wrong name"], monkeypatch)

    def test_proxies(self, monkeypatch: pytest.MonkeyPatch) -> None:
        written = re.findall(r"`IMPASTO_TELEGRAM__PROXY=([^`]+)`", self.PAGE)
        assert [url.partition(":")[0] for url in written] == ["http", "socks5"]
        for variable in ("HTTPS_PROXY", "ALL_PROXY"):
            with monkeypatch.context() as patch:
                patch.setenv(variable, "http://other.example.org:1")
                found = proxy_for(load_settings())
                assert found is not None
                assert found.origin == f"variable {variable}"
                for url in written:
                    patch.setenv("IMPASTO_TELEGRAM__PROXY", url)
                    found = proxy_for(load_settings())
                    assert found is not None
                    assert found.url == url
                patch.delenv("IMPASTO_TELEGRAM__PROXY")
                patch.setenv("NO_PROXY", "api.telegram.org")
                assert proxy_for(load_settings()) is None

    def test_a_server_of_ones_own(self, tmp_path: Path) -> None:
        [block] = re.findall(r"```toml\n(\[telegram\]\n.+?)```", self.PAGE, re.DOTALL)
        (tmp_path / "mine.toml").write_text(block)
        telegram = load_settings(tmp_path / "mine.toml").telegram
        assert telegram.folders == ("/var/lib/telegram-bot-api", Path("/var/lib/telegram-bot-api"))
        [mapped] = re.findall(r"`local_files = \"([^\"]+=[^\"]+)\"`", self.PAGE)
        assert TelegramSettings(local_files=mapped).folders == (
            "/var/lib/telegram-bot-api",
            Path("/srv/telegram"),
        )


class TestCompose:
    def test_services_run_commands_that_there_are(self) -> None:
        for name in ("bot", "worker"):
            assert COMPOSE["services"][name]["command"][0] in COMMANDS

    @pytest.mark.parametrize("name", ["bot", "worker"])
    def test_variables_are_settings(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        host = checked_settings(COMPOSE["services"][name]["environment"], monkeypatch)
        assert host.settings.queue.kind == "saq"
        assert host.settings.queue.storage == "redis"

    def test_files_and_volumes_are_there(self) -> None:
        build = COMPOSE["services"]["bot"]["build"]
        context = (DEPLOY / build["context"]).resolve()
        assert context == ROOT
        assert (context / build["dockerfile"]).is_file()
        used = {
            volume.partition(":")[0]
            for service in COMPOSE["services"].values()
            for volume in service["volumes"]
            if ":" in volume
        }
        assert used == set(COMPOSE["volumes"])

    def test_a_worker_has_the_memory_that_it_may_take(self) -> None:
        worker = COMPOSE["services"]["worker"]
        assert worker["environment"]["IMPASTO_PAINTING__MEMORY_MB"] + 200 <= 1024
        assert worker["mem_limit"] == "1g"

    @pytest.mark.parametrize("name", COMPOSE["services"])
    def test_services_can_do_no_more_than_they_need(self, name: str) -> None:
        service = COMPOSE["services"][name]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"]
        assert service["mem_limit"]

    def test_no_password_is_among_the_arguments(self) -> None:
        redis = COMPOSE["services"]["redis"]
        assert "REDIS_PASSWORD" not in str(redis["command"]) + str(redis["healthcheck"])

    def test_redis_has_room_to_rewrite_its_file(self) -> None:
        redis = COMPOSE["services"]["redis"]
        [most] = re.findall(r"--maxmemory (\d+)mb", redis["command"][0])
        assert redis["mem_limit"] == f"{2 * int(most)}m"

    def test_redis_loses_nothing(self) -> None:
        [command] = COMPOSE["services"]["redis"]["command"]
        for words in ("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"):
            assert words in command


class TestDockerfile:
    TEXT = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")

    def test_its_variables_are_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = dict(re.findall(r"(IMPASTO_\w+)=(\S+)", self.TEXT.split("FROM")[-1]))
        host = checked_settings(found, monkeypatch)
        assert host.settings.server.port == 8080

    def test_torch_is_what_the_project_asks_for(self) -> None:
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        for requirement in re.findall(r"'((?:torch|torchvision)>=[^']+)'", self.TEXT):
            assert f'"{requirement}"' in project

    def test_extras_are_there(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        [extras] = re.findall(r"'/source\[([^\]]+)\]'", self.TEXT)
        assert set(extras.split(",")) <= set(project["optional-dependencies"])

    def test_what_is_built_from_is_let_in(self) -> None:
        lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
        let_in = {line[1:] for line in lines if line.startswith("!")}
        assert all((ROOT / name).exists() for name in let_in)
        assert {"core", "plugins", "styles", "weights", "config", "pyproject.toml"} <= let_in


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("impasto")
    text = unit.read_text(encoding="utf-8").replace("/opt/impasto/bin/impasto", str(program))
    copy = tmp_path / unit.name
    copy.write_text(text, encoding="utf-8")
    ended = subprocess.run(
        ["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_exposed_to_little(unit: Path) -> None:
    """2.0 of 10, of which most is that a bot talks to the internet."""
    ended = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_start_commands_that_there_are(unit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = unit.read_text(encoding="utf-8")
    started = re.findall(r"^Exec\w+=/opt/impasto/bin/impasto (\w+)", text, re.MULTILINE)
    assert started
    assert set(started) <= COMMANDS
    variables = dict(re.findall(r"^Environment=(IMPASTO_\w+)=(\S+)", text, re.MULTILINE))
    variables.pop("IMPASTO_CONFIG")
    checked_settings(variables, monkeypatch)


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    expressions = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    asked = {name for text in expressions for name in re.findall(r"impasto_\w+", text)}
    impasto_metrics.impasto_telegram_called("getMe", "ok", 0)
    families = {f.name: f.type for f in REGISTRY.collect() if f.name.startswith("impasto_")}
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
    known = {name + suffix for name, kind in families.items() for suffix in suffixes[kind]}
    assert asked <= known
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_the_workflow_runs_what_everybody_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert ".ci/run" in {step.get("run") for step in steps}
