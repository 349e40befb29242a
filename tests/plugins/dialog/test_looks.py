"""What the choices of a person mean, and that each does what its name says."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto import PaintOptions, StylePreset
from impasto.settings import PaintingSettings
from impasto.sizes import limited, result_size
from impasto_dialog.looks import (
    STYLE_WEIGHTS,
    Brush,
    Colors,
    Look,
    Quality,
    Strength,
    Variation,
    paint_options,
)

PAINTING = PaintingSettings()
BALANCED = PAINTING.style_weight * STYLE_WEIGHTS[Strength.BALANCED]
CAP = 200_000
PRESET = StylePreset(
    name="wave", titles={"en": "Wave"}, picture=Path("wave.jpg"), credit="", licence=""
)
LOOKS = st.builds(
    Look,
    strength=st.sampled_from(Strength),
    brush=st.sampled_from(Brush),
    colors=st.sampled_from(Colors),
    quality=st.sampled_from(Quality),
)


def options(look: Look, *presets: StylePreset) -> PaintOptions:
    return paint_options(look, presets, PAINTING, CAP)


def test_the_default_look_is_the_settings() -> None:
    asked = options(Look(), PRESET)
    assert asked.style_weight == pytest.approx(BALANCED)
    assert asked.brush_size == pytest.approx(1.0)
    assert (asked.steps, asked.max_pixels, asked.keep_colors) == (None, None, False)
    assert Look().unusual == []


def test_each_step_is_stronger_and_each_brush_broader() -> None:
    weights = [options(Look(strength=strength)).style_weight or 0 for strength in Strength]
    assert weights == sorted(set(weights))
    sizes = [options(Look(brush=brush)).brush_size or 0 for brush in Brush]
    assert sizes == sorted(set(sizes))


def test_quick_is_less_work_and_large_has_more_pixels() -> None:
    quick, large = options(Look(quality=Quality.QUICK)), options(Look(quality=Quality.LARGE))
    assert quick.steps == PAINTING.steps // 2
    assert quick.max_pixels == CAP // 5
    assert large.steps == PAINTING.steps
    assert large.max_pixels == CAP * PAINTING.large_factor


@pytest.mark.parametrize("photo", [(280, 340), (500, 300), (800, 600), (1280, 960), (4000, 3000)])
def test_large_is_never_smaller_than_standard(photo: tuple[int, int]) -> None:
    cap, pixels = PAINTING.max_pixels_cpu, math.prod(photo)

    def painted(quality: Quality) -> int:
        asked = paint_options(Look(quality=quality), [], PAINTING, cap, pixels)
        return math.prod(result_size(photo, limited(asked, PAINTING, cap, on_cpu=True)))

    assert painted(Quality.LARGE) >= painted(Quality.STANDARD)


def test_the_full_size_is_the_usual_one_with_patience() -> None:
    full = options(Look().varied(Variation.LARGER) or Look())
    assert full.patient
    assert (full.steps, full.max_pixels) == (None, None)
    assert not any(options(Look(quality=q)).patient for q in Quality if q is not Quality.FULL)


def test_fine_is_asked_for_and_a_quick_look_never_is() -> None:
    fine = {quality: options(Look(quality=quality)).fine for quality in Quality}
    assert fine == {
        Quality.QUICK: False,
        Quality.STANDARD: None,
        Quality.FULL: None,
        Quality.FINE: True,
        Quality.LARGE: None,
    }


def test_where_there_are_no_fine_pictures_the_usual_ones_take_their_place() -> None:
    fine = Look(quality=Quality.FINE, brush=Brush.THIN)
    assert fine.within(offers_fine=True) == fine
    assert fine.within(offers_fine=False) == Look(brush=Brush.THIN)
    large = Look(quality=Quality.LARGE)
    assert large.within(offers_fine=False) == large


def test_own_colors_are_kept() -> None:
    assert options(Look(colors=Colors.OWN)).keep_colors


def test_a_preset_brings_its_own_strength_and_brush() -> None:
    loud = replace(PRESET, strength=4.0, brush_size=0.5)
    asked = options(Look(brush=Brush.BROAD), loud)
    assert asked.style_weight == pytest.approx(4 * BALANCED)
    assert asked.brush_size == pytest.approx(1.0)
    mixed = options(Look(), loud, PRESET)
    assert mixed.style_weight == pytest.approx(2 * BALANCED)


@given(LOOKS, st.floats(0.01, 1000), st.floats(0.25, 4), st.integers(1024, 50_000_000))
def test_any_look_of_any_preset_can_be_painted(
    look: Look, strength: float, brush_size: float, cap: int
) -> None:
    preset = replace(PRESET, strength=strength, brush_size=brush_size)
    asked = paint_options(look, [preset], PAINTING, cap)
    assert PaintOptions.model_validate(asked.model_dump()) == asked


@given(LOOKS)
def test_a_look_survives_being_kept(look: Look) -> None:
    assert Look.of(look.model_dump(mode="json")) == look


@pytest.mark.parametrize("kept", [None, [], {"strength": "of another version"}, {"brush": 5}])
def test_what_cannot_be_read_is_the_default(kept: object) -> None:
    assert Look.of(kept) == Look()


def test_stronger_and_weaker_end_somewhere() -> None:
    look: Look | None = Look()
    strengths = []
    while look is not None:
        strengths.append(look.strength)
        look = look.varied(Variation.STRONGER)
    assert strengths == [Strength.BALANCED, Strength.STRONG]
    weaker = Look(strength=Strength.FAINT).varied(Variation.WEAKER)
    assert weaker is None


def test_a_variation_changes_what_it_says_and_nothing_else() -> None:
    look = Look(brush=Brush.THIN, quality=Quality.LARGE)
    assert look.varied(Variation.SAME) == look
    assert look.varied(Variation.OWN_COLORS) == look.with_choice(Colors.OWN)
    assert look.varied(Variation.STRONGER) == look.with_choice(Strength.STRONG)
