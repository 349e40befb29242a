"""The gallery page of the docs shows presets with pictures that are there and light."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
LINKED = re.findall(r"!\[[^]]+\]\(([^)]+)\)", PAGE)
PHOTOS = ("face", "cat", "coffee")
PRESETS = tomllib.loads((ROOT / "styles" / "styles.toml").read_text(encoding="utf-8"))["styles"]


def test_every_preset_is_shown_on_every_photo_in_the_order_of_the_bots_gallery() -> None:
    shown = [Path(link).stem for link in LINKED]
    of_presets = [[preset, *(f"{preset}_{photo}" for photo in PHOTOS)] for preset in PRESETS]
    assert shown == [*PHOTOS, *itertools.chain.from_iterable(of_presets)]


@pytest.mark.parametrize("link", LINKED)
def test_linked_pictures_are_whole_and_light(link: str) -> None:
    file = ROOT / "docs" / link
    with Image.open(file) as image:
        image.load()
        is_painting = "_" in file.stem and file.stem not in PRESETS
        assert min(image.size) >= (400 if is_painting else 240)
    assert file.stat().st_size <= 120_000


def test_no_picture_of_the_gallery_is_left_over() -> None:
    kept = {f"images/gallery/{file.name}" for file in (ROOT / "docs/images/gallery").iterdir()}
    assert kept == set(LINKED)
