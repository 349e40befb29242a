"""What painting relies on in steps from picture to picture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image

from impasto.contracts import PaintOptions, PictureContext, Postprocessor, Preprocessor, Role
from impasto.testing.factories import make_photo, make_style


def _pictures() -> Iterator[Image.Image]:
    """An ordinary one, an upright one of odd sizes, a small one, one of a single color."""
    yield make_photo(96, 64)
    yield make_photo(37, 91, seed=1)
    yield make_photo(16, 16, seed=2)
    yield Image.new("RGB", (40, 30), "white")


def _context(role: Role, picture: Image.Image, keep_colors: bool) -> PictureContext:
    options = PaintOptions(keep_colors=keep_colors, max_pixels=4096, steps=8, style_weight=1e6)
    content = None if role == "content" else picture.copy()
    styles = [(make_style(), 1.0)] if role == "start" else []
    return PictureContext(role=role, options=options, content=content, styles=styles)


class _Step:
    """What pre- and postprocessors have in common: `runs` yields the step's result for each picture
    and situation, beside the picture."""

    def runs(self, step: object) -> Iterator[tuple[Image.Image, Image.Image]]:
        raise NotImplementedError

    def check_results(self, step: object) -> None:
        for before, after in self.runs(step):
            assert isinstance(after, Image.Image), "it returns a picture"
            assert after.mode == "RGB", "it returns an RGB picture"
            assert min(after.size) >= min(16, *before.size), "too little is left to paint"

    def check_that_it_is_the_same_each_time(self, step: object) -> None:
        for (_, once), (_, again) in zip(self.runs(step), self.runs(step), strict=True):
            assert once.tobytes() == again.tobytes()

    def check_that_it_leaves_its_input_alone(self, step: object) -> None:
        originals = [before.tobytes() for before, _ in self.runs(step)]
        assert [before.tobytes() for before, _ in self.runs(step)] == originals


class PreprocessorConformance(_Step):
    """Inherit it and override the fixture `preprocessor`."""

    @pytest.fixture
    def preprocessor(self) -> Preprocessor:
        raise NotImplementedError("override the fixture `preprocessor`")

    def runs(self, step: object) -> Iterator[tuple[Image.Image, Image.Image]]:
        assert isinstance(step, Preprocessor)
        for role in sorted(step.roles):
            for keep_colors in (False, True):
                for picture in _pictures():
                    untouched = picture.copy()
                    result = step(picture, _context(role, picture, keep_colors))
                    assert picture.tobytes() == untouched.tobytes(), "it changed its input"
                    yield untouched, result

    def test_keeps_the_contract(self, preprocessor: Preprocessor) -> None:
        assert isinstance(preprocessor, Preprocessor)
        assert isinstance(preprocessor.order, int)
        assert preprocessor.roles
        assert preprocessor.roles <= {"content", "style", "start"}

    def test_returns_rgb_pictures_that_can_be_painted(self, preprocessor: Preprocessor) -> None:
        self.check_results(preprocessor)

    def test_does_the_same_each_time(self, preprocessor: Preprocessor) -> None:
        self.check_that_it_is_the_same_each_time(preprocessor)

    def test_keeps_the_size_of_the_start(self, preprocessor: Preprocessor) -> None:
        """The picture that painting begins from has the size of the content image."""
        if "start" not in preprocessor.roles:
            pytest.skip("it is not asked about the start")
        for picture in _pictures():
            result = preprocessor(picture, _context("start", picture, keep_colors=False))
            assert result.size == picture.size


class PostprocessorConformance(_Step):
    """Inherit it and override the fixture `postprocessor`."""

    @pytest.fixture
    def postprocessor(self) -> Postprocessor:
        raise NotImplementedError("override the fixture `postprocessor`")

    def runs(self, step: object) -> Iterator[tuple[Image.Image, Image.Image]]:
        assert isinstance(step, Postprocessor)
        for keep_colors in (False, True):
            for picture in _pictures():
                untouched = picture.copy()
                context = PictureContext(
                    role="content",
                    options=PaintOptions(keep_colors=keep_colors),
                    content=make_photo(*picture.size, seed=9),
                    styles=[(make_style(), 1.0)],
                )
                result = step(picture, context)
                assert picture.tobytes() == untouched.tobytes(), "it changed its input"
                yield untouched, result

    def test_keeps_the_contract(self, postprocessor: Postprocessor) -> None:
        assert isinstance(postprocessor, Postprocessor)
        assert isinstance(postprocessor.order, int)

    def test_returns_rgb_pictures(self, postprocessor: Postprocessor) -> None:
        self.check_results(postprocessor)

    def test_keeps_the_size(self, postprocessor: Postprocessor) -> None:
        for before, after in self.runs(postprocessor):
            assert after.size == before.size

    def test_does_the_same_each_time(self, postprocessor: Postprocessor) -> None:
        self.check_that_it_is_the_same_each_time(postprocessor)
