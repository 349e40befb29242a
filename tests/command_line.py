"""The program `impasto` in the test's own process, in an empty folder."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from impasto.cli import main


class Ended:
    """How a run of the program ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Run = Callable[..., Ended]
WritePlugin = Callable[[str, str], None]
"""Takes a plugin's name and its source."""


def run_program(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ended:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    return Ended(int(ended.value.code or 0), captured.out, captured.err)


def leave_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the test in this folder, with no settings of the machine's."""
    for name in os.environ:
        if name.upper().startswith("IMPASTO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(folder)


def plugin_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> WritePlugin:
    """What writes a one-file plugin that the next runs find."""
    mine = folder / "mine"
    mine.mkdir()
    monkeypatch.setenv("IMPASTO_PLUGINS__FOLDER", str(mine))

    def write(name: str, source: str) -> None:
        (mine / f"{name}.py").write_text(textwrap.dedent(source))

    return write
