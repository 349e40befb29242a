"""The contact sheet: every preset in its place, whatever its picture is."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from structlog.testing import capture_logs

from impasto import StylePreset
from impasto.contact_sheet import GAP, LABEL
from impasto_dialog.contact_sheet import MOST_ON_A_PAGE, WIDTH, gallery_sheet, label_of, page_of

COLORS = [(220, 40, 40), (40, 180, 60), (50, 80, 220), (230, 200, 40), (180, 60, 200)]


def preset(folder: Path, index: int, suffix: str = "png") -> StylePreset:
    path = folder / f"{index}.{suffix}"
    Image.new("RGB", (200 + 40 * index, 160), COLORS[index % len(COLORS)]).save(path)
    return StylePreset(
        name=f"preset_{index}", titles={"en": str(index)}, picture=path, credit="", licence=""
    )


def opened(sheet: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(sheet))
    picture.load()
    return picture


@pytest.mark.parametrize(
    ("count", "columns", "rows"),
    [(1, 1, 1), (2, 2, 1), (4, 2, 2), (5, 3, 2), (6, 3, 2), (12, 3, 4), (13, 3, 5)],
)
def test_each_preset_has_its_own_tile(tmp_path: Path, count: int, columns: int, rows: int) -> None:
    sheet = opened(gallery_sheet([preset(tmp_path, index) for index in range(count)], "en"))
    tile = (WIDTH - GAP * (columns + 1)) // columns
    assert sheet.format == "JPEG"
    assert sheet.size == (WIDTH, GAP + rows * (tile + LABEL + GAP))
    for index in range(count):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        left = (WIDTH - in_row * (tile + GAP) + GAP) // 2 + column * (tile + GAP)
        middle = sheet.getpixel((left + tile // 2, GAP + row * (tile + LABEL + GAP) + tile // 2))
        expected = COLORS[index % len(COLORS)]
        assert all(abs(a - b) < 12 for a, b in zip(middle, expected, strict=True)), index


def labels(presets: list[StylePreset], language: str = "en", first: int = 1) -> list[Image.Image]:
    """The lines below the tiles of a sheet of three columns."""
    sheet = opened(gallery_sheet(presets, language, first))
    tile = (WIDTH - GAP * 4) // 3
    cut = []
    for index in range(len(presets)):
        row, column = divmod(index, 3)
        left, top = GAP + column * (tile + GAP), GAP + row * (tile + LABEL + GAP) + tile
        cut.append(sheet.crop((left, top + 8, left + tile, top + LABEL)))
    return cut


def differs(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).convert("L").getextrema()[1] > 100


def test_each_tile_has_its_number_and_title(tmp_path: Path) -> None:
    same = preset(tmp_path, 0)
    numbered = labels([same] * 12)
    for index, label in enumerate(numbered):
        assert label.convert("L").getextrema()[1] > 200, "light letters"
        assert all(differs(label, other) for other in numbered[:index])
    second_page = labels([same] * 6, first=7)
    assert not any(map(differs, numbered[6:], second_page)), "numbers run through all pages"


def test_titles_are_in_the_language_as_far_as_the_font_has_its_letters(tmp_path: Path) -> None:
    titles = {"en": "Waves", "ru": "Волны", "zh": "海浪"}
    many = [replace(preset(tmp_path, 0), titles=titles)] * 6
    assert [label_of(many[0], language) for language in titles] == ["Waves", "Волны", "Waves"]
    assert differs(labels(many, "en")[0], labels(many, "ru")[0])


def test_the_longest_title_stays_on_its_tile(tmp_path: Path) -> None:
    blank = replace(preset(tmp_path, 0), titles={"en": " "})
    long = replace(blank, titles={"en": "A very long title of forty letters, so"})
    neighbors = labels([long] + [blank] * 5)[1], labels([blank] * 6)[1]
    assert not differs(*neighbors)


def test_a_picture_that_is_gone_leaves_a_gray_tile(tmp_path: Path) -> None:
    broken, whole = preset(tmp_path, 0), preset(tmp_path, 1, "jpg")
    broken.picture.write_bytes(b"no picture")
    with capture_logs() as logs:
        sheet = opened(gallery_sheet([broken, whole], "en"))
    assert [(line["event"], line["preset"]) for line in logs] == [
        ("preset_picture_unreadable", "preset_0")
    ]
    red, green, blue = sheet.getpixel((WIDTH // 4, WIDTH // 4))
    assert max(red, green, blue) - min(red, green, blue) < 16


def test_pictures_of_any_mode_are_shown(tmp_path: Path) -> None:
    presets = []
    for index, mode in enumerate(["L", "P", "RGBA", "CMYK", "I;16", "1"]):
        item = preset(tmp_path, index, "tif")
        Image.new(mode, (64, 64)).save(item.picture)
        presets.append(item)
    with capture_logs() as logs:
        opened(gallery_sheet(presets, "en"))
    assert logs == []


@pytest.mark.parametrize("count", [1, 5, 9, 10, 13, 15, 16, 24, 40])
def test_every_preset_is_on_a_page_whose_rows_are_full(tmp_path: Path, count: int) -> None:
    presets = [replace(preset(tmp_path, 0), name=f"preset_{index}") for index in range(count)]
    pages = [page_of(presets, 0)]
    pages += [page_of(presets, number) for number in range(1, pages[0].pages)]
    shown = {p.first_number + i: item for p in pages for i, item in enumerate(p.presets)}
    assert [shown[number] for number in sorted(shown)] == presets
    assert all(len(page.presets) <= MOST_ON_A_PAGE for page in pages)
    if len(pages) > 1:
        assert all(len(page.presets) % 3 == 0 for page in pages)
    assert page_of(presets, 99) == pages[-1]
