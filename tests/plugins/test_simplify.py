from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from impasto import PaintOptions
from impasto.data_folders import styles_folder
from impasto_simplify import STEPS, Simplify

from .pictures import context, halves, noise


def simplified(
    picture: Image.Image, strength: float | None = 1.0, *styles: Image.Image
) -> np.ndarray:
    facts = context(
        "start", options=PaintOptions(simplify=strength), styles=[(style, 1.0) for style in styles]
    )
    return np.asarray(Simplify()(picture, facts), float)


def test_slight_detail_gives_way_and_edges_stay() -> None:
    both = np.asarray(halves((60, 70, 80), (200, 190, 180)), int)
    grain = np.random.default_rng(7).integers(-12, 13, both.shape)
    photo = Image.fromarray((both + grain).astype(np.uint8))
    before, after = np.asarray(photo, float), simplified(photo)
    assert after[20:-20, 20:80].std(axis=(0, 1)).max() < 0.4 * grain.std()
    edge = slice(98, 102)
    assert np.abs(np.diff(after[:, edge], axis=1)).max() > 100  # of 140 that it was
    assert np.abs(after.mean(axis=(0, 1)) - before.mean(axis=(0, 1))).max() < 1


@pytest.mark.parametrize("strength", [1.0, 2.0, 4.0])
def test_what_stands_out_stays(strength: float) -> None:
    page = Image.new("RGB", (400, 300), (230, 225, 215))
    ImageDraw.Draw(page).text((20, 100), "Impasto paints", fill=(40, 40, 60), font_size=24)
    written = np.abs(np.asarray(page, float) - np.asarray(page.getpixel((0, 0)))).mean(-1) > 100
    lost = np.abs(simplified(page, strength) - np.asarray(page))[written].mean()
    assert lost < 20  # of some 180 that letters are darker


def test_bands_of_rows_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = noise((320, 400), 8)
    results = []
    for pixels in (1, 10**9):
        monkeypatch.setattr("impasto_simplify.PIXELS_AT_ONCE", pixels)
        results.append(simplified(photo))
    assert (results[0] == results[1]).all()


@pytest.mark.parametrize("strength", [0.0, None])
def test_nothing_is_simplified_where_nobody_asks_for_it(strength: float | None) -> None:
    photo = noise((70, 50), 3)
    assert (simplified(photo, strength) == np.asarray(photo)).all()


@given(st.integers(32, 90), st.integers(32, 90), st.floats(0, 4), st.integers(0, 255))
def test_any_picture_can_be_simplified(
    width: int, height: int, strength: float, shade: int
) -> None:
    flat = Image.new("RGB", (width, height), (shade, 255 - shade, 128))
    assert np.abs(simplified(flat, strength) - np.asarray(flat, float)).max() <= 1
    assert simplified(noise((width, height), 1), strength).shape == (height, width, 3)


SLOPE = Image.linear_gradient("L").resize((256, 256)).convert("RGB")
"""Black to white from top to bottom, as light falls off on a cheek or in a sky."""
PRINTS = ["comic", "linocut", "wave"]
PAINTED = ["charcoal", "embroidery", "ink", "mosaic", "night", "pastel", "sanguine", "watercolor"]


def preset(name: str, side: int) -> Image.Image:
    style = Image.open(styles_folder() / f"{name}.jpg").convert("RGB")
    return style.resize((side, side), Image.Resampling.LANCZOS)


def print_of(*inks: int) -> Image.Image:
    """Overlapping shapes in these tones, on paper with fibers."""
    shapes = Image.new("L", (240, 240))
    pen = ImageDraw.Draw(shapes)
    step = 240 // len(inks)
    for number, ink in enumerate(inks):
        pen.polygon([(step * number, 0), (240, 0), (240, 240), (step * number, 240)], fill=ink)
    fibers = np.random.default_rng(5).normal(0, 1.2, (240, 240))
    return Image.fromarray(np.uint8((shapes + fibers).clip(0, 255))).convert("RGB")


def tones(picture: np.ndarray) -> np.ndarray:
    """Of the rows, from top to bottom."""
    return picture.mean(axis=(1, 2))


@pytest.mark.parametrize("inks", [(30, 100, 170, 235), (20, 90, 150, 215)])
def test_a_photo_gets_the_tones_of_a_print(inks: tuple[int, ...]) -> None:
    before, after = tones(simplified(SLOPE)), tones(simplified(SLOPE, 1.0, print_of(*inks)))
    assert (np.diff(after) >= -1).all()
    within = (before > inks[0]) & (before < inks[-1])
    away = np.abs(after[within, None] - inks).min(axis=1)
    assert (away < 5).mean() > 0.7
    assert np.abs(after - before)[~within].max() < 8


@pytest.mark.parametrize("side", [1024, 500, 250])
@pytest.mark.parametrize("name", PRINTS)
def test_prints_and_comics_are_known_as_such(name: str, side: int) -> None:
    changed = np.abs(simplified(SLOPE, 1.0, preset(name, side)) - simplified(SLOPE))
    assert changed.mean() > 4


@pytest.mark.parametrize("name", PAINTED)
def test_tones_of_a_painting_stay_as_many(name: str) -> None:
    assert (simplified(SLOPE, 1.0, preset(name, 500)) == simplified(SLOPE)).all()


@pytest.mark.parametrize("style", [print_of(0, 255), Image.new("RGB", (64, 64), "white")])
def test_a_drawing_in_black_on_white_does_not_halve_a_face(style: Image.Image) -> None:
    before, after = tones(simplified(SLOPE)), tones(simplified(SLOPE, 1.0, style))
    assert np.abs(after - before).max() <= STEPS[1] / 2


def test_half_the_strength_is_half_as_flat() -> None:
    style = print_of(30, 100, 170, 235)
    half, whole = (
        np.abs(simplified(SLOPE, s, style) - np.asarray(SLOPE)).mean() for s in (0.5, 1.0)
    )
    assert 0.3 < half / whole < 0.7


def test_without_a_weight_a_print_changes_nothing() -> None:
    options = PaintOptions(simplify=1.0)
    both = [(print_of(30, 100, 170, 235), 0.0), (preset("night", 300), 1.0)]
    facts = context("start", options=options, styles=both)
    assert (np.asarray(Simplify()(SLOPE, facts), float) == simplified(SLOPE)).all()
