"""thumbnails(): small pictures of one photo in many styles, as they are ready, stopped at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from impasto import Iterate, PaintOptions, ThumbnailStyle, thumbnails
from impasto.errors import PictureError
from impasto.painting import threads as painting_threads
from impasto.painting.catalogue import Catalogue
from impasto.painting.threads import use_threads
from impasto.painting.thumbnails import STEPS

Maker = Callable[..., Image.Image]

pytestmark = pytest.mark.usefixtures("threads_as_before")


def styles(picture: Maker, count: int, **options: object) -> list[ThumbnailStyle]:
    return [
        ThumbnailStyle(
            name=f"style {seed}",
            picture=picture(60, 80, seed=seed),
            options=PaintOptions(**options),
        )
        for seed in range(count)
    ]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("photo", "size", "expected"),
    [
        ((300, 200), 150, (150, 100)),
        ((200, 300), 150, (100, 150)),
        ((120, 90), 320, (120, 90)),
        ((640, 40), 200, (200, 32)),
    ],
)
def test_each_style_comes_once_at_the_size_that_was_asked_for(
    catalogue: Catalogue,
    picture: Maker,
    threads: int,
    photo: tuple[int, int],
    size: int,
    expected: tuple[int, int],
) -> None:
    use_threads(threads)
    found = list(thumbnails(picture(*photo, seed=9), styles(picture, 3), catalogue, size=size))
    assert sorted(name for name, _ in found) == ["style 0", "style 1", "style 2"]
    assert {small.size for _, small in found} == {expected}


def test_side_by_side_they_are_the_same_as_one_by_one(catalogue: Catalogue, picture: Maker) -> None:
    photo, wanted = picture(200, 150, seed=9), styles(picture, 4)
    use_threads(1)
    alone = dict(thumbnails(photo, wanted, catalogue))
    use_threads(3)
    assert dict(thumbnails(photo, wanted, catalogue)) == alone
    different = {small.tobytes() for small in alone.values()}
    assert len(different) == len(wanted)


def test_the_options_are_those_of_the_finished_picture(
    catalogue: Catalogue, picture: Maker
) -> None:
    photo, red = picture(200, 150, seed=9), picture(60, 80).convert("L")
    red = ImageOps.colorize(red, "black", "red")
    own_colors = PaintOptions(keep_colors=True)
    wanted = [
        ThumbnailStyle(name="plain", picture=red),
        ThumbnailStyle(name="kept", picture=red, options=own_colors),
    ]
    found = dict(thumbnails(photo, wanted, catalogue))
    colors = np.asarray(photo.convert("YCbCr"), dtype=float)[..., 1:]

    def distance(picture: Image.Image) -> float:
        return float(np.abs(np.asarray(picture.convert("YCbCr"))[..., 1:] - colors).mean())

    assert distance(found["kept"]) < 6 < 12 < distance(found["plain"])


def test_a_style_may_be_a_file_and_a_turned_photo_stands(
    catalogue: Catalogue, picture: Maker, tmp_path: Path
) -> None:
    picture(60, 80, seed=1).save(tmp_path / "style.png")
    photo = picture(200, 150, seed=9)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    photo.info["exif"] = exif.tobytes()
    style = ThumbnailStyle(name="file", picture=tmp_path / "style.png")
    [(name, small)] = thumbnails(photo, [style], catalogue, size=100)
    assert (name, small.size) == ("file", (75, 100))


def test_a_file_that_is_no_picture_is_refused(
    catalogue: Catalogue, picture: Maker, tmp_path: Path
) -> None:
    (tmp_path / "style.txt").write_text("no picture")
    wanted = [ThumbnailStyle(name="text", picture=tmp_path / "style.txt")]
    with pytest.raises(PictureError, match="not a picture"):
        list(thumbnails(picture(80, 80), wanted, catalogue))


def test_without_styles_nothing_is_painted(catalogue: Catalogue, picture: Maker) -> None:
    assert list(thumbnails(picture(80, 80), [], catalogue)) == []


class Watched:
    """An optimizer that counts its steps, and calls `after_step` after each."""

    name = "watched"

    def __init__(self) -> None:
        self.steps = 0
        self.after_step: Callable[[], None] = lambda: None

    def minimize(self, problem, steps):
        for step in range(1, steps + 1):
            self.steps += 1
            yield Iterate(step, 1.0, problem.start)
            self.after_step()


@pytest.fixture
def watched(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Watched:
    optimizer = Watched()
    monkeypatch.setitem(catalogue.optimizers, "watched", optimizer)
    monkeypatch.setattr(catalogue.host, "owner_of", lambda _: "watched")
    return optimizer


@pytest.mark.parametrize("threads", [1, 2])
def test_it_stops_between_two_steps(
    catalogue: Catalogue, picture: Maker, watched: Watched, threads: int
) -> None:
    use_threads(threads)
    wanted = styles(picture, 4, optimizer="watched")
    stop = lambda: watched.steps >= 3  # noqa: E731
    assert list(thumbnails(picture(80, 80), wanted, catalogue, stop=stop)) == []
    assert watched.steps <= 2 + threads


def test_closing_ends_what_is_being_painted(
    catalogue: Catalogue, picture: Maker, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would see what threads go on painting."""
    use_threads(2)
    is_closed = threading.Event()
    steps_of: Counter[int] = Counter()

    def wait_to_be_closed() -> None:
        """One thread finishes its first picture; all else waits after a step."""
        here = threading.get_ident()
        steps_of[here] += 1
        if here != next(iter(steps_of)) or steps_of[here] > STEPS:
            assert is_closed.wait(20)

    def closing(results: list[Future[object]]) -> None:
        is_closed.set()
        wait(results)

    watched.after_step = wait_to_be_closed
    monkeypatch.setattr(painting_threads, "wait", closing)
    found = thumbnails(picture(80, 80), styles(picture, 6, optimizer="watched"), catalogue)
    next(found)
    found.close()
    first, *others = steps_of.values()  # the other thread may not have come to a step
    assert first <= STEPS + 1
    assert all(steps <= 1 for steps in others)
    assert len(others) <= 1
