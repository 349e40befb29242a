"""The preset styles: what styles.toml promises of them, and the programs that draw them."""

from __future__ import annotations

import functools
import importlib
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("presets")]

STYLES = Path(__file__).resolve().parents[2] / "styles"
TABLE: dict[str, dict[str, Any]] = tomllib.loads(
    (STYLES / "styles.toml").read_text(encoding="utf-8")
)["styles"]
NAMES = sorted(TABLE)

SMALL = 128
"""Pixels a side at which tests draw."""

Draw = Callable[..., Image.Image]
Drawn = Callable[[str], Image.Image]


@pytest.fixture
def draw_package(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The drawing package, imported as from the styles folder and forgotten afterwards."""
    monkeypatch.syspath_prepend(str(STYLES))
    yield importlib.import_module("draw")
    for module in [m for m in sys.modules if m == "draw" or m.startswith("draw.")]:
        del sys.modules[module]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Every preset drawn small, once for the whole module."""

    @functools.cache
    def draw(name: str) -> Image.Image:
        image: Image.Image = importlib.import_module("draw").draw_preset(name, SMALL)
        return image

    return draw


def test_there_are_presets_and_each_has_a_program(draw_package: Any) -> None:
    assert tuple(TABLE) == draw_package.PRESETS
    assert len(set(draw_package.PRESETS)) == len(draw_package.PRESETS) >= 12


def test_files_and_titles_are_unique() -> None:
    for values in (
        [entry["file"] for entry in TABLE.values()],
        [entry["titles"]["en"] for entry in TABLE.values()],
        [entry["titles"]["ru"] for entry in TABLE.values()],
    ):
        assert len(set(values)) == len(values)


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_complete(name: str) -> None:
    entry = TABLE[name]
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert len(name) <= 20
    needed = {"file", "emoji", "credit", "licence", "titles"}
    assert needed <= set(entry) <= needed | {"strength", "brush_size"}
    assert 0.25 <= entry.get("strength", 1.0) <= 4
    assert 0.25 <= entry.get("brush_size", 1.0) <= 4
    assert entry["licence"] == "CC0-1.0"
    assert all(entry[key].strip() for key in ("file", "emoji", "credit"))
    assert {"en", "ru"} <= set(entry["titles"])
    assert all(title.strip() for title in entry["titles"].values())
    assert re.search(r"[а-яё]", entry["titles"]["ru"])


@pytest.mark.parametrize("name", NAMES)
def test_picture_is_large_enough_and_neither_grey_nor_flat(name: str) -> None:
    with Image.open(STYLES / TABLE[name]["file"]) as image:
        image.load()
        assert image.mode == "RGB"
        assert 768 <= image.width <= 1024
        assert 768 <= image.height <= 1024
        _check_rich(np.asarray(image, dtype=np.float32))


def test_pictures_are_light_to_carry() -> None:
    total = sum((STYLES / entry["file"]).stat().st_size for entry in TABLE.values())
    assert total < 5_500_000


@pytest.mark.parametrize("name", NAMES)
def test_drawing_repeats_itself(draw_package: Any, drawn: Drawn, name: str) -> None:
    again = draw_package.draw_preset(name, SMALL)
    assert again.mode == "RGB"
    assert again.size == (SMALL, SMALL)
    assert again.tobytes() == drawn(name).tobytes()
    _check_rich(np.asarray(again, dtype=np.float32))


@pytest.mark.parametrize("name", NAMES)
def test_chance_comes_from_the_generator_alone(draw_package: Any, drawn: Drawn, name: str) -> None:
    draw: Draw = importlib.import_module(f"draw.{name}").draw
    assert draw(SMALL, np.random.default_rng(1)).tobytes() != drawn(name).tobytes()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("draw_package")
def test_kept_picture_is_what_the_program_draws(drawn: Drawn, name: str) -> None:
    """A smaller drawing has the same composition, so both agree when shrunk to a few pixels."""
    small = drawn(name).resize((12, 12), Image.Resampling.BOX)
    with Image.open(STYLES / TABLE[name]["file"]) as image:
        kept = image.resize((12, 12), Image.Resampling.BOX)
    a = np.asarray(small, dtype=np.float32).ravel()
    b = np.asarray(kept, dtype=np.float32).ravel()
    assert np.corrcoef(a, b)[0, 1] > 0.8


def _check_rich(pixels: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    chroma = pixels.max(axis=2) - pixels.min(axis=2)
    fine = np.abs(np.diff(luma, axis=1)).mean()
    assert luma.std() > 25, "flat: hardly any light and dark"
    assert chroma.mean() > 25, "grey: hardly any color"
    assert fine > 2, "smooth: no texture at the pixel"
