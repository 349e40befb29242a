"""The training program is not installed with the package: tests import it from the checkout."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"

if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))


@pytest.fixture(scope="session")
def embedded_file() -> Path:
    return ROOT / "weights" / "embedded.safetensors"


@pytest.fixture(scope="session")
def teacher_file() -> Path:
    """VGG-19's first five convolutions, from the test data beside the repository."""
    path = DATA / "weights" / "vgg19-features-0-10.safetensors"
    if not path.is_file():
        pytest.skip(f"needs the test data of ../shared/data ({path.name})")
    return path


@pytest.fixture(scope="session")
def photo_file() -> Path:
    path = DATA / "photos" / "tubingen.jpg"
    if not path.is_file():
        pytest.skip(f"needs the test data of ../shared/data ({path.name})")
    return path
