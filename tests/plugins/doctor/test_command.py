"""`impasto doctor`: its exit code says whether the bot would start."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from impasto.cli import app
from impasto.contracts import Finding
from impasto_doctor import bot, painting

pytestmark = pytest.mark.slow

CHECKS = """
from impasto import Finding, hookimpl

@hookimpl
def impasto_checks(settings):
    return [Finding(name="server", verdict="{verdict}", says="It answers.", advice="Ask it.")]
"""

BROKEN = """
from impasto import hookimpl

@hookimpl
def impasto_checks(settings):
    return ["all is well"]
"""


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is tested elsewhere, nothing is wrong."""
    for name in os.environ:
        if name.upper().startswith("IMPASTO_") or name == "PORT":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    fine = Finding(name="elsewhere", verdict="ok", says="tested there")
    monkeypatch.setattr(painting, "check", lambda settings: iter([fine]))
    monkeypatch.setattr(bot, "check_telegram", lambda settings: iter([]))


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.setenv("IMPASTO_PLUGINS__FOLDER", str(folder))
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_all_is_well() -> None:
    ended = run("doctor")
    assert ended.exit_code == 0, ended.output
    lines = ended.stdout.splitlines()
    assert all(line.startswith(("ok", "warning", " ")) for line in lines)
    names = {line.split()[1].rstrip(":") for line in lines if line.startswith("ok")}
    assert {"python", "settings", "queue.kind", "queue.storage", "styles", "plugins"} <= names
    assert re.search(r"plugins: \d+ in the bot, \d+ in the painting process", ended.stdout)


def test_as_json() -> None:
    ended = run("doctor", "--json")
    found = {row["name"]: row for row in json.loads(ended.stdout)}
    assert found["queue.storage"]["verdict"] == "ok"
    assert set(found["python"]) == {"name", "verdict", "says", "advice"}


def test_wrong_settings_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "0")
    ended = run("doctor")
    assert ended.exit_code == 1
    assert "problem  settings: painting.steps = '0'" in ended.stdout


@pytest.mark.parametrize(
    ("setting", "value", "meant"), [("KIND", "locall", "local"), ("STORAGE", "sqlit", "sqlite")]
)
def test_what_no_plugin_offers_comes_with_the_nearest_name(
    setting: str, value: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"IMPASTO_QUEUE__{setting}", value)
    ended = run("doctor")
    assert ended.exit_code == 1
    assert f"did you mean {meant}?" in ended.stdout


def test_a_queue_of_many_machines_needs_a_storage_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_QUEUE__KIND", "saq")
    ended = run("doctor")
    assert ended.exit_code == 1
    assert "problem  queue: saq has other processes paint" in ended.stdout


def test_a_bot_that_does_not_paint_starts_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Finding(name="torch", verdict="problem", says="there is none", advice="install it")
    monkeypatch.setattr(painting, "check", lambda settings: iter([absent]))
    assert "problem  torch: there is none" in run("doctor").stdout
    monkeypatch.setenv("IMPASTO_QUEUE__KIND", "saq")
    assert "warning  torch: for `impasto worker` only: there is none" in run("doctor").stdout


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("warning", 0), ("problem", 1)])
def test_plugins_add_what_they_find(verdict: str, code: int, plugins: Path) -> None:
    (plugins / "mine.py").write_text(CHECKS.format(verdict=verdict))
    ended = run("doctor")
    assert ended.exit_code == code
    assert f"{verdict:8} server: It answers.\n{'':8} -> Ask it.\n" in ended.stdout


def test_a_plugin_that_fails_at_checking_is_told_and_costs_nothing(plugins: Path) -> None:
    (plugins / "broken.py").write_text(BROKEN)
    ended = run("doctor")
    assert ended.exit_code == 0
    assert "warning  plugin broken: impasto_checks returned" in ended.stdout


def test_a_plugin_that_does_not_load_counts_when_it_is_to_be_strict(plugins: Path) -> None:
    (plugins / "broken.py").write_text("raise RuntimeError('broken')")
    assert run("doctor").exit_code == 0
    assert run("--strict", "doctor").exit_code == 1


def test_no_presets_and_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_PLUGINS__DENY", '["dialog", "styles"]')
    ended = run("doctor")
    assert ended.exit_code == 1
    assert "problem  dialog:" in ended.stdout
    assert "warning  styles: there are no presets" in ended.stdout


def test_a_damaged_network_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("IMPASTO_PAINTING__NETWORK", "vgg19")
    absent = run("doctor")
    assert "problem  network vgg19: fetch it with `impasto weights fetch vgg19`" in absent.stdout
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "vgg19.safetensors").write_bytes(b"damaged")
    damaged = run("doctor")
    assert damaged.exit_code == 1
    assert "has no digest on record" in damaged.stdout
