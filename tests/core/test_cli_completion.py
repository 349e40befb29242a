"""What a shell completes after Tab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from impasto.cli import app

SOURCE = """
from impasto import hookimpl
{body}
@hookimpl
def impasto_styles(settings):
    return []
"""


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("IMPASTO_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def completed(*words: str) -> list[str]:
    """What bash would offer for the last of the words."""
    result = CliRunner().invoke(
        app,
        prog_name="impasto",
        env={
            "_IMPASTO_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(["impasto", *words]),
            "COMP_CWORD": str(len(words)),
        },
    )
    return result.stdout.split()


def test_styles_and_networks() -> None:
    assert completed("paint", "--style", "pal") == ["palette_knife"]
    assert {"night", "mosaic"} <= set(completed("sheet", "x.jpg", "--style", ""))
    assert completed("paint", "--network", "vgg") == ["vgg19", "vgg19_gatys"]
    assert completed("weights", "fetch", "vgg19_") == ["vgg19_gatys"]
    assert completed("styles", "fetch", "great") == ["great_wave"]


def test_commands_of_plugins_and_options() -> None:
    assert completed("pl") == ["plugins", "play"]
    assert completed("paint", "--keep") == ["--keep-colors"]


def test_settings_that_cannot_be_used_complete_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "0")
    assert completed("paint", "--style", "") == []


def test_neither_torch_nor_aiogram_is_waited_for_and_nothing_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "broken.py").write_text(SOURCE.format(body="raise ValueError('at import')"))
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*{'torch', 'aiogram'} & set(sys.modules)))\n"
        "from impasto.cli import main; main()"
    )
    for words in ("--style ni", "--network em"):
        result = subprocess.run(
            [sys.executable, "-c", program],
            env={
                **os.environ,
                "IMPASTO_PLUGINS__FOLDER": str(folder),
                "_IMPASTO_COMPLETE": "complete_bash",
                "COMP_WORDS": f"impasto paint {words}",
                "COMP_CWORD": "3",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.stdout.split() in (["night"], ["embedded"])
        assert result.stderr == ""
