"""`thumbnails`: one photo in many styles, small, a fifth of a second each: what to choose from.

A thumbnail is to look like the finished picture scaled down. What is seen of that at this size was
painted at the smallest level of its pyramid, so a thumbnail is painted at about that size; style
pictures are scaled with it, and strokes with them. From there it is carried up as any level is, the
photo's own detail comes back, and no step is made at the larger size.

Such a picture is too small to be shared out between threads in strips: several are painted side by
side, each on one.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from PIL import Image

from impasto.contracts import PaintOptions
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.painting.painter import Painting, PaintRequest, paint
from impasto.painting.pictures import open_picture
from impasto.painting.pyramid import carry_up
from impasto.painting.tensors import shrink, to_picture, to_tensor
from impasto.painting.threads import side_by_side
from impasto.settings import Settings
from impasto.sizes import size_within

SIZE: Final = 320
"""Pixels of the longer side: what a third of a phone's screen shows sharply."""
PAINTED_SHARE: Final = 0.4
"""Of the longer side, how long it is while it is painted."""
STEPS: Final = 12
"""Most of what a picture's smallest level comes to is there after that many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThumbnailStyle:
    """A style that a photo is tried in."""

    name: str
    """What the thumbnail is told apart by."""
    picture: Path | Image.Image
    """RGB, or its file."""
    options: PaintOptions = field(default_factory=PaintOptions)
    """How the finished picture would be painted. Sizes and steps are those of a thumbnail."""


def thumbnails(
    photo: Image.Image,
    styles: Iterable[ThumbnailStyle],
    catalogue: Catalogue | None = None,
    *,
    size: int = SIZE,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[tuple[str, Image.Image], None, None]:
    """Paints a photo in each style; yields the style's name and the picture as soon as it is ready,
    in any order.

    Closing the iterator cancels what is being painted between two steps.

        from impasto import ThumbnailStyle, open_picture, thumbnails

        photo = open_picture(Path("photo.jpg"))
        styles = [ThumbnailStyle(name=path.stem, picture=path) for path in Path("art").iterdir()]
        for name, picture in thumbnails(photo, styles):
            picture.save(f"{name}.png")

    Args:
        catalogue: what to paint with; by default all installed plugins at default settings.
        size: the longer side in pixels, where the photo has as many.
        stop: asked after every step by several threads; once it returns True, nothing more comes.

    Raises:
        PictureError: a preprocessor refused a picture, or a style's file is none.
        NotAvailable, WeightsError: something that the options ask for is not available.
        PluginError: a plugin failed while painting.
        MemoryError, torch.OutOfMemoryError: there was not the memory for it.
    """
    catalogue = catalogue or load_catalogue(Settings())
    wanted = list(styles)
    if not wanted:
        return
    # What is loaded once is loaded before several threads ask for it.
    device = catalogue.pick(_sized(wanted[0].options, size)).device.torch_device()
    photo = photo.resize(size_within(photo.size, size**2, size), Image.Resampling.LANCZOS)
    is_closed = threading.Event()

    def painted(style: ThumbnailStyle) -> tuple[str, Image.Image | None]:
        is_over = lambda: is_closed.is_set() or stop()  # noqa: E731
        return style.name, _thumbnail(photo, style, catalogue, size, is_over)

    with contextlib.closing(side_by_side(wanted, painted, device)) as found:
        try:
            for name, picture in found:
                if picture is not None:
                    yield name, picture
        finally:
            is_closed.set()


def _thumbnail(
    photo: Image.Image,
    style: ThumbnailStyle,
    catalogue: Catalogue,
    size: int,
    is_over: Callable[[], bool],
) -> Image.Image | None:
    """The photo, which is as large as the thumbnail, in a style; None where it was stopped."""
    if is_over():
        return None
    side = round(size * PAINTED_SHARE)
    picture = style.picture
    if isinstance(picture, Path):
        picture = open_picture(picture, side**2)
    options = _sized(style.options, side)
    request = PaintRequest(content=photo, styles=[(picture, 1.0)], options=options)
    for event in paint(request, catalogue):
        if isinstance(event, Painting):
            completed = catalogue.pick(_sized(options, size)).options
            return _carried_up(event.picture, photo, picture, catalogue, completed)
        if is_over():
            return None
    raise AssertionError("paint() ended without a painting")


def _carried_up(
    painted: Image.Image,
    photo: Image.Image,
    style: Image.Image,
    catalogue: Catalogue,
    options: PaintOptions,
) -> Image.Image:
    """The painted picture at the thumbnail's size, as it would be there before the first step."""
    prepare = catalogue.steps.prepare
    content = prepare(photo, "content", options)
    style = prepare(style, "style", options, content)
    start = to_tensor(prepare(content, "start", options, content, [(style, 1.0)]))
    return to_picture(carry_up(to_tensor(painted), shrink(start, painted.size[::-1]), start))


def _sized(options: PaintOptions, side: int) -> PaintOptions:
    """The options for a picture whose longer side has that many pixels at most."""
    sizes = {"steps": STEPS, "max_pixels": side**2, "max_side": side, "fine": False}
    return options.model_copy(update=sizes)
