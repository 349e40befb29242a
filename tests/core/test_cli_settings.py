"""`impasto settings`: every setting with its value, and where that came from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from impasto.cli import app
from impasto.settings import Settings
from impasto.settings.description import settings_in

TOKEN = "123456:EXAMPLE-TOKEN"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.upper().startswith("IMPASTO_") or name == "PORT":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["settings", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_setting_is_there() -> None:
    names = [row["setting"] for row in json.loads(said("--json"))]
    assert names == [info.name for info in settings_in(Settings)]


def test_a_setting_tells_all_that_there_is_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "99")
    [steps] = json.loads(said("--changed", "--json"))
    assert steps == {
        "setting": "painting.steps",
        "value": 99,
        "default": Settings().painting.steps,
        "unit": "",
        "allowed": "from 1 to 5,000",
        "from": "variable IMPASTO_PAINTING__STEPS",
        "needs_restart": False,
        "meaning": "Most optimizer steps for one picture, at all its sizes together.",
    }
    text = " ".join(said("--changed").split())
    assert text.startswith("painting.steps = 99 [variable IMPASTO_PAINTING__STEPS] ")
    assert f"Default: {Settings().painting.steps}. Allowed: from 1 to 5,000." in text
    assert "Takes effect on reload." in text


def test_values_are_written_as_in_a_settings_file() -> None:
    assert "plugins.safe_mode = false  [" in said()


def test_secrets_are_only_said_to_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN", TOKEN)
    monkeypatch.setenv("IMPASTO_TELEGRAM__WEBHOOK_SECRET", "very-secret")
    for text in (said(), said("--json")):
        assert "EXAMPLE-TOKEN" not in text
        assert "very-secret" not in text
        assert "(set)" in text
