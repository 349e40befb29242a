"""A photo, a style, and the program `impasto`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.testing.tiny_network import save_tiny_network

from ... import command_line

surroundings, run, plugin = command_line.surroundings, command_line.run, command_line.plugin


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
