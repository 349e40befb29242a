"""The contact sheet: every preset in its place, whatever its picture is."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from structlog.testing import capture_logs

from impasto import StylePreset
from impasto_dialog.contact_sheet import BADGE, CORNER, GAP, WIDTH, contact_sheet

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
    [(1, 1, 1), (2, 2, 1), (4, 2, 2), (5, 3, 2), (6, 3, 2), (12, 3, 4), (13, 3, 5), (25, 5, 5)],
)
def test_each_preset_has_its_own_tile(tmp_path: Path, count: int, columns: int, rows: int) -> None:
    sheet = opened(contact_sheet([preset(tmp_path, index) for index in range(count)]))
    tile = (WIDTH - GAP * (columns + 1)) // columns
    assert sheet.format == "JPEG"
    assert sheet.size == (WIDTH, GAP + rows * (tile + GAP))
    for index in range(count):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        left = (WIDTH - in_row * (tile + GAP) + GAP) // 2 + column * (tile + GAP)
        middle = sheet.getpixel((left + tile // 2, GAP + row * (tile + GAP) + tile // 2))
        expected = COLORS[index % len(COLORS)]
        assert all(abs(a - b) < 12 for a, b in zip(middle, expected, strict=True)), index


def test_each_tile_has_another_number(tmp_path: Path) -> None:
    same = preset(tmp_path, 0)
    sheet = opened(contact_sheet([same] * 12))
    tile = (WIDTH - GAP * 4) // 3
    badges = []
    for index in range(12):
        row, column = divmod(index, 3)
        left = GAP + column * (tile + GAP) + CORNER // 2
        lower = (row + 1) * (tile + GAP) - CORNER // 2
        badges.append(sheet.crop((left, lower - BADGE, left + BADGE, lower)))
    for index, badge in enumerate(badges):
        assert badge.convert("L").getextrema()[1] > 240, "white digits"
        for other in badges[:index]:
            assert ImageChops.difference(badge, other).convert("L").getextrema()[1] > 100


def test_a_picture_that_is_gone_leaves_a_gray_tile(tmp_path: Path) -> None:
    broken, whole = preset(tmp_path, 0), preset(tmp_path, 1, "jpg")
    broken.picture.write_bytes(b"no picture")
    with capture_logs() as logs:
        sheet = opened(contact_sheet([broken, whole]))
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
        opened(contact_sheet(presets))
    assert logs == []
