"""The gallery page of the docs shows presets with pictures that are there and light."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
LINKED = re.findall(r"!\[[^]]+\]\(([^)]+)\)", PAGE)
PRESETS = tomllib.loads((ROOT / "styles" / "styles.toml").read_text(encoding="utf-8"))["styles"]


def test_rows_are_presets_in_the_order_of_the_gallery() -> None:
    shown = re.findall(r"<br>`(\w+)` \|", PAGE)
    assert shown == list(PRESETS)
    for name in shown:
        assert {f"images/gallery/{name}.jpg", f"images/gallery/{name}_painted.jpg"} <= set(LINKED)


@pytest.mark.parametrize("link", LINKED)
def test_linked_pictures_are_whole_and_light(link: str) -> None:
    file = ROOT / "docs" / link
    with Image.open(file) as image:
        image.load()
        assert min(image.size) >= 240
    assert file.stat().st_size <= 60_000


def test_no_picture_of_the_gallery_is_left_over() -> None:
    kept = {f"images/gallery/{file.name}" for file in (ROOT / "docs/images/gallery").iterdir()}
    assert kept == set(LINKED)
