"""A photo, a style, and the program `impasto`."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.testing.tiny_network import save_tiny_network

from ...command_line import Run, WritePlugin, leave_alone, plugin_folder, run_program


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_alone(tmp_path, monkeypatch)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return functools.partial(run_program, capsys)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WritePlugin:
    return plugin_folder(tmp_path, monkeypatch)


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
