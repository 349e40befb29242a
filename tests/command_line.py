"""Fixtures for tests of the program `impasto`, in their own process and in an empty folder."""

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


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs each test in an empty folder, with no settings of the machine's."""
    for name in os.environ:
        if name.upper().startswith("IMPASTO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


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
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WritePlugin:
    """What writes a one-file plugin that the next runs find."""
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setenv("IMPASTO_PLUGINS__FOLDER", str(folder))

    def write(name: str, source: str) -> None:
        (folder / f"{name}.py").write_text(textwrap.dedent(source))

    return write
