"""What is seen on the terminal while photos are painted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from impasto.cli.terminal_pictures import Preview

if TYPE_CHECKING:
    from PIL import Image

    from impasto.painting.painter import PaintProgress


class Display:
    """One bar for all photos, which leaves nothing behind, and above it, where the terminal shows
    pictures, the one that is painted.

    Args:
        photos: how many there are.
    """

    def __init__(self, photos: int, *, shows_pictures: bool) -> None:
        self._photos = photos
        self._shows_pictures = shows_pictures
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[left]}"),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._progress.add_task("getting ready", total=None, left="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin(self, done: int, photo: Path) -> None:
        """The next photo is painted, after `done` others."""
        self._done = done
        self._which = photo.name if self._photos == 1 else f"{done + 1} of {self._photos}"
        self._level = 1
        self._preview = Preview(self._progress.console)
        self._progress.start()

    def step(self, event: PaintProgress) -> None:
        if event.level > self._level:
            self._level = event.level
            if self._shows_pictures and self._preview.is_possible:
                self.end(event.picture())
                self._progress.start()
        self._progress.update(
            self._task,
            description=f"painting {self._which}",
            total=self._photos,
            completed=self._done + event.share,
            left="left",
        )

    def end(self, picture: Image.Image | None = None) -> None:
        """Takes the bar away, until the next photo begins, and leaves the picture."""
        self._progress.stop()
        if picture is not None and self._shows_pictures:
            self._preview.show(picture)
