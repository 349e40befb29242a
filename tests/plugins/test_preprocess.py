from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from impasto import PaintOptions, PictureContext
from impasto_preprocess import ColorMatch, ExifTurn, KeepColors, OneColor, PixelCap

from ..core.painting.picture_kit import STORED_AS
from .pictures import context, halves, noise


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_come_out_upright(orientation: int) -> None:
    upright = Image.new("RGB", (40, 60), "black")
    upright.paste((255, 255, 255), (0, 0, 40, 20))
    turn = STORED_AS[orientation]
    stored = upright.copy() if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.info["exif"] = exif.tobytes()
    turned = ExifTurn()(stored, context("content"))
    assert turned.tobytes() == upright.tobytes()


def test_the_photo_is_capped_and_the_style_follows_its_area() -> None:
    content = PixelCap()(noise((400, 100), 0), context("content"))
    assert content.size == (200, 50)
    style = PixelCap()(noise((300, 300), 1), context("style", content=content))
    assert style.size == (100, 100)
    small = noise((50, 40), 2)
    assert PixelCap()(small, context("content")) is small


def test_a_longer_side_is_a_limit_too_and_small_photos_are_enlarged_within_both() -> None:
    def size(photo: tuple[int, int], **limits: float) -> tuple[int, int]:
        options = PaintOptions(max_pixels=1_166_400, **limits)
        asked = PictureContext(role="content", options=options)
        return PixelCap()(noise(photo, 0), asked).size

    usual = {"max_side": 1080, "enlarge": 2.0}
    assert size((1280, 960), **usual) == (1080, 810)
    assert size((960, 1280), **usual) == (810, 1080)
    assert size((512, 512), **usual) == (1024, 1024)
    assert size((800, 800), **usual) == (1080, 1080)
    assert size((100, 60), **usual) == (200, 120)
    assert size((100, 60), max_side=1080) == (100, 60)
    assert size((100, 60), max_side=150, enlarge=2.0) == (150, 90)


def test_slight_hues_are_not_raised_to_loud_ones() -> None:
    random = np.random.default_rng(0)
    lightness, hue = random.normal(128, 40, (64, 64, 1)), random.normal(0, 4, (64, 64, 1))
    skin = Image.fromarray((lightness + hue * (1, 0, -1)).clip(0, 255).astype(np.uint8))
    loud = Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    start = ColorMatch()(skin, context("start", styles=[(loud, 1.0)]))

    def difference(picture: Image.Image) -> float:
        red, _, blue = np.asarray(picture, float).transpose(2, 0, 1)
        return float((red - blue).std())

    assert difference(start) < 3.2 * difference(skin)
    assert difference(start) > 2 * difference(skin), "and yet they follow the style"


def test_a_bright_jacket_does_not_decide_about_the_color_of_a_face() -> None:
    style = noise((90, 90), 1, 60, 200)

    def face(jacket: tuple[int, int, int]) -> np.ndarray:
        values = np.random.default_rng(0).normal(0, 12, (80, 90, 3))
        values[:, :30] += (150, 148, 145)
        values[:, 30:60] += (205, 165, 140)
        values[:, 60:] += jacket
        photo = Image.fromarray(values.clip(0, 255).astype(np.uint8))
        start = context("start", content=photo, styles=[(style, 1.0)])
        return np.asarray(ColorMatch()(photo, start), float)[:, 30:60].mean((0, 1))

    warmth = [(red - blue) for red, _, blue in (face((150, 150, 150)), face((250, 90, 10)))]
    assert warmth[1] > warmth[0] / 3


HAIR, GREENERY = (150, 110, 60), (70, 120, 60)


def started(photo: Image.Image, style: Image.Image) -> np.ndarray:
    matched = ColorMatch()(photo, context("start", content=photo, styles=[(style, 1.0)]))
    return np.asarray(matched, dtype=int)


def test_skin_and_hair_are_not_turned_green() -> None:
    photo = halves(HAIR, (60, 50, 90))
    red, green, blue = started(photo, halves((140, 165, 90), (60, 60, 120)))[100, 50]
    assert red >= green > blue


def test_what_is_green_may_stay_so_and_a_style_of_blue_turns_all_hues() -> None:
    red, green, _ = started(halves(GREENERY, HAIR), halves(GREENERY, HAIR))[100, 50]
    assert green > red + 30
    blue = halves((190, 205, 240), (20, 40, 110))
    for hue in started(halves((235, 220, 200), HAIR), blue)[100, [50, 150]]:
        assert hue[2] > hue[0] + 20


def portrait(skin: tuple[int, int, int]) -> Image.Image:
    """A face between a white shirt and a dark suit, which takes most of the picture."""
    picture = Image.new("RGB", (200, 200), (20, 22, 26))
    picture.paste((240, 240, 240), (0, 150, 100, 180))
    picture.paste(skin, (50, 20, 110, 100))
    return picture


@pytest.mark.parametrize("skin", [(224, 180, 155), (150, 100, 75), (90, 58, 44)])
def test_skin_is_neither_bleached_nor_loud_where_clothes_are_dark(
    skin: tuple[int, int, int],
) -> None:
    style = noise((200, 200), 3, low=110, high=250)
    start = started(portrait(skin), style)
    face, suit = start[60, 80], start[60, 180]
    assert abs(face.mean() - np.mean(skin)) < 45
    assert suit.mean() < 70
    hues = [color - color.mean() for color in (face, np.array(skin))]
    assert np.abs(hues[0] - hues[1]).max() < 25


def test_a_cool_style_cools_a_table_and_a_loud_one_leaves_skin_as_it_is() -> None:
    table, skin = (170, 110, 60), (224, 180, 155)
    wood = started(halves(table, (235, 225, 210)), halves((190, 205, 240), (150, 110, 80)))[100, 50]
    assert 0 < wood[0] - wood[2] < (table[0] - table[2]) * 0.7
    face = started(portrait(skin), halves((255, 120, 60), (40, 60, 110)))[60, 80]
    hues = [color - color.mean() for color in (face, np.array(skin))]
    assert np.abs(hues[0] - hues[1]).max() < 8


def test_gloss_on_warm_skin_stays_with_it_where_a_style_turns_gray_to_blue() -> None:
    photo = halves((217, 160, 130), (150, 110, 60))
    photo.paste((235, 228, 224), (50, 90, 56, 96))
    style = halves((240, 190, 130), (40, 80, 190))
    skin, gloss = started(photo, style)[[60, 93], [20, 53]]
    assert skin[0] > skin[2] + 20
    assert gloss[0] >= gloss[2]


def test_a_large_photo_is_looked_at_in_parts_that_fit_together() -> None:
    photo = noise((1100, 300), 5)
    style = noise((200, 200), 6, low=40, high=200)
    at_once = started(photo, style)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("impasto_preprocess.ROWS_OF_PIXELS", 1100 * 7)
        assert (started(photo, style) == at_once).all()


def test_the_start_takes_the_colors_of_the_styles() -> None:
    photo, style = noise((64, 64), 0, 0, 90), noise((64, 64), 1, 120, 200)
    start = ColorMatch()(photo, context("start", styles=[(style, 1.0)]))
    ours, theirs = np.asarray(start, float), np.asarray(style, float)
    assert np.abs(ours.mean((0, 1)) - theirs.mean((0, 1))).max() < 2
    assert np.abs(ours.std((0, 1)) - theirs.std((0, 1))).max() < 2


def drawing(ink: tuple[int, int, int], paper: tuple[int, int, int]) -> Image.Image:
    """All tones between an ink and a paper, as strokes and washes have them."""
    shares = np.random.default_rng(5).random((60, 60, 1))
    return Image.fromarray((shares * ink + (1 - shares) * np.array(paper)).astype(np.uint8))


CHALK = drawing((120, 40, 20), (250, 240, 220))
INK = drawing((20, 30, 90), (250, 245, 235))


def hues_apart(picture: Image.Image) -> float:
    """How far the hues of pixels of about the same lightness are apart, at most."""
    values = np.asarray(picture, float).reshape(-1, 3)
    order = values[np.argsort(values.mean(axis=1))]
    hues = order - order.mean(axis=1, keepdims=True)
    return max(float(np.ptp(part, axis=0).max()) for part in np.array_split(hues, 60))


@pytest.mark.parametrize("style", [CHALK, INK])
def test_a_photo_is_drawn_in_the_one_color_that_a_drawing_has(style: Image.Image) -> None:
    photo = noise((90, 70), 6)
    start = ColorMatch()(photo, context("start", styles=[(style, 1.0)]))
    assert hues_apart(photo) > 100
    assert hues_apart(start) < 25  # its lightness varies within a part, too
    pixels, drawn = (np.asarray(each, int).reshape(-1, 3) for each in (start, style))
    lightness = drawn.mean(axis=1)
    within = (pixels > 5).all(axis=1) & (pixels < 250).all(axis=1)
    for pixel in pixels[within & (pixels.mean(axis=1) > lightness.min())][:200]:
        nearest = drawn[np.abs(lightness - pixel.mean()).argmin()]
        assert np.abs(nearest - pixel).max() < 12


def test_drawings_in_two_colors_are_not_one_in_one_color() -> None:
    photo = noise((90, 70), 6)
    both = context("start", styles=[(CHALK, 1.0), (INK, 1.0)])
    assert hues_apart(ColorMatch()(photo, both)) > 50


def test_a_black_and_white_style_gives_a_black_and_white_picture() -> None:
    gray = Image.effect_noise((64, 64), 80).convert("RGB")
    start = np.asarray(
        ColorMatch()(noise((90, 70), 6), context("start", styles=[(gray, 1.0)])), int
    )
    assert np.ptp(start, axis=-1).max() <= 2


def test_two_styles_count_by_their_weight() -> None:
    photo = noise((64, 64), 0)
    dark, light = (Image.new("RGB", (32, 32), (value,) * 3) for value in (100, 140))
    start = ColorMatch()(photo, context("start", styles=[(dark, 3.0), (light, 1.0)]))
    assert np.asarray(start, float).mean() == pytest.approx(110, abs=2)


def test_keeping_colors_recolors_the_style_and_not_the_start() -> None:
    photo, style = noise((64, 64), 0, 0, 90), noise((64, 64), 1, 120, 200)
    keep = PaintOptions(keep_colors=True)
    given = context("start", styles=[(style, 1.0)], options=keep)
    assert ColorMatch()(photo, given) is photo
    recolored = ColorMatch()(style, context("style", content=photo, options=keep))
    assert np.asarray(recolored, float).mean() == pytest.approx(np.asarray(photo).mean(), abs=2)


@pytest.mark.parametrize("color", ["black", "white", "red"])
def test_one_color_pictures_do_not_blow_up(color: str) -> None:
    plain = Image.new("RGB", (32, 32), color)
    start = ColorMatch()(plain, context("start", styles=[(noise((32, 32), 1), 1.0)]))
    assert np.asarray(start).std(axis=(0, 1)).max() < 1


def test_keep_colors_takes_lightness_from_the_painting_and_hue_from_the_photo() -> None:
    photo, painted = Image.new("RGB", (32, 32), (200, 60, 60)), Image.new("RGB", (32, 32), "gray")
    keep = context("content", content=photo, options=PaintOptions(keep_colors=True))
    red, green, _ = KeepColors()(painted, keep).getpixel((0, 0))
    assert red > green + 60
    untouched = context("content", content=photo, options=PaintOptions())
    assert KeepColors()(painted, untouched) is painted


def test_a_painting_in_a_drawing_of_one_color_has_no_other() -> None:
    shades = np.linspace(0, 1, 64)[:, None, None] * np.array([0.6, 0.3, 0.25])
    chalk = Image.fromarray((255 * np.broadcast_to(shades, (64, 64, 3))).astype(np.uint8))
    painted = context("content", content=noise((90, 70), 2), styles=[(chalk, 1.0)])
    after = np.asarray(OneColor()(noise((90, 70), 1), painted), float).reshape(-1, 3)
    for lightness in range(60, 200, 10):  # of 40 to 215
        alike = after[np.abs(after.mean(axis=1) - lightness) < 1]
        assert np.ptp(alike, axis=0).max() < 10
        if lightness < 95:  # as light as the chalk
            wanted = np.array([0.6, 0.3, 0.25]) * lightness / 0.383
            assert np.abs(alike.mean(axis=0) - wanted).max() < 8


@pytest.mark.parametrize("keep_colors", [True, False])
def test_a_painting_keeps_the_colors_of_colorful_styles_and_those_asked_for(
    keep_colors: bool,
) -> None:
    style = Image.new("RGB", (64, 64), "gray") if keep_colors else noise((64, 64), 4)
    painted = context(
        "content",
        options=PaintOptions(keep_colors=keep_colors),
        content=noise((90, 70), 2),
        styles=[(style, 1.0)],
    )
    assert (np.asarray(OneColor()(noise((90, 70), 1), painted)) == noise((90, 70), 1)).all()
