"""What the gallery relies on in preset styles."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from PIL import Image

from impasto.contracts import BRUSH_BOUNDS, StylePreset

LONGEST_TITLE = 40
"""Characters that fit on a button."""


class StylesConformance:
    """Inherit it and override the fixture `styles`."""

    @pytest.fixture
    def styles(self) -> Sequence[StylePreset]:
        raise NotImplementedError("override the fixture `styles`")

    def test_there_are_some(self, styles: Sequence[StylePreset]) -> None:
        assert styles
        assert all(isinstance(style, StylePreset) for style in styles)

    def test_names_are_taken_once(self, styles: Sequence[StylePreset]) -> None:
        names = [style.name for style in styles]
        assert sorted(set(names)) == sorted(names)

    def test_titles_fit_on_a_button(self, styles: Sequence[StylePreset]) -> None:
        for style in styles:
            for language, title in style.titles.items():
                assert 1 <= len(title) <= LONGEST_TITLE, f"{style.name}, {language}"

    def test_pictures_are_whole_and_large_enough(self, styles: Sequence[StylePreset]) -> None:
        for style in styles:
            with Image.open(style.picture) as picture:
                picture.load()
                assert min(picture.size) >= 256, f"{style.name} has no strokes to speak of"

    def test_it_is_said_whose_they_are(self, styles: Sequence[StylePreset]) -> None:
        for style in styles:
            assert style.credit, style.name
            assert style.licence, style.name

    def test_strength_and_brush_are_within_what_painting_takes(
        self, styles: Sequence[StylePreset]
    ) -> None:
        for style in styles:
            assert style.strength > 0, style.name
            assert BRUSH_BOUNDS[0] <= style.brush_size <= BRUSH_BOUNDS[1], style.name
