"""What presets recommend, wherever a picture is painted in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from impasto import StylePreset
from impasto.contracts import BRUSH_BOUNDS
from impasto.contracts.options import recommended
from impasto.jobs.painter_process import ChildKeeper
from impasto.settings import PaintingSettings, Settings

PAINTING = PaintingSettings(style_weight=1000, brush_size=2.0)
WAVE = StylePreset(
    name="wave",
    titles={"en": "Wave"},
    picture=Path("wave.jpg"),
    credit="",
    licence="",
    strength=4.0,
    brush_size=0.5,
)


def test_mixed_presets_count_equally_and_the_settings_hold_without() -> None:
    mixed = recommended([WAVE, replace(WAVE, strength=1.0, brush_size=1.0)], PAINTING)
    assert mixed.style_weight == pytest.approx(2000)
    assert mixed.brush_size == pytest.approx(2 * 0.5**0.5)
    plain = recommended([], PAINTING)
    assert (plain.style_weight, plain.brush_size) == (1000, 2.0)


def test_what_is_asked_for_besides_stays_within_bounds() -> None:
    asked = recommended([WAVE], PAINTING, strength=1e12, brush_size=0.01)
    assert asked.style_weight == pytest.approx(1e12)
    assert asked.brush_size == BRUSH_BOUNDS[0]


def test_presets_are_made_ready_as_they_are_painted_in() -> None:
    keeper = ChildKeeper(Settings(painting=PAINTING), [WAVE])
    [ready] = keeper._configure.presets
    assert ready.options == recommended([WAVE], PAINTING)
