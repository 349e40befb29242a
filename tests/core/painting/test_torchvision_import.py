"""torchvision can be imported beside any build of torch."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from impasto.painting import torchvision_import


def test_its_weights_are_known_in_a_fresh_process() -> None:
    program = """
from impasto.painting.torchvision_import import import_torchvision
torchvision = import_torchvision()
assert import_torchvision() is torchvision
print(torchvision.models.VGG19_Weights.IMAGENET1K_V1.url)
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip().endswith("/vgg19-dcbb9e9d.pth")


def test_other_failures_of_its_import_come_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise RuntimeError(f"{name} is broken in some other way")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(RuntimeError, match="some other way"):
        torchvision_import.import_torchvision.__wrapped__()
