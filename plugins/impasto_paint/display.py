"""What is seen on the terminal while photos are painted: a bar, and pictures in terminals that can
show them, by the protocols of kitty and of iTerm2.

https://sw.kovidgoyal.net/kitty/graphics-protocol/ and https://iterm2.com/documentation-images.html
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from PIL import Image

    from impasto.painting.painter import PaintProgress

LONGER_SIDE: Final = 480
"""Most pixels of a preview."""
ROWS: Final = 16
"""Of text, that a preview is high at most."""
CHUNK: Final = 4096
"""Most characters of a picture in one of kitty's commands."""

Protocol = Literal["kitty", "iterm2"]


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


def protocol_of(variables: Mapping[str, str]) -> Protocol | None:
    """What the terminal with these environment variables understands. Terminals inside of others
    (tmux, screen) pass no picture on."""
    terminal, program = variables.get("TERM", ""), variables.get("TERM_PROGRAM", "")
    if terminal.startswith(("tmux", "screen")) or "TMUX" in variables:
        return None
    if terminal in {"xterm-kitty", "xterm-ghostty"} or "KITTY_WINDOW_ID" in variables:
        return "kitty"
    if program in {"iTerm.app", "WezTerm"} or variables.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    return None


class Preview:
    """A picture above the cursor, if the console is a terminal that shows pictures; it is replaced
    when it is shown anew."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows = min(ROWS, console.height - 2)
        can_be = console.is_terminal and self._rows > 0
        self._protocol = protocol_of(os.environ) if can_be else None
        self._is_shown = False

    @property
    def is_possible(self) -> bool:
        return self._protocol is not None

    def show(self, picture: Image.Image) -> None:
        """To be called with the cursor at the begin of a line, where it is afterwards, too."""
        if self._protocol is None:
            return
        small = picture.convert("RGB")
        small.thumbnail((LONGER_SIDE, LONGER_SIDE))
        file = io.BytesIO()
        small.save(file, "PNG")
        # Terminals leave the cursor in different places, so it is put back. Rows are made before,
        # as what is kept is a place on the screen, and the screen may scroll.
        rows = "" if self._is_shown else "\n" * self._rows
        image = escapes(file.getvalue(), self._protocol, self._rows)
        up, down = f"\x1b[{self._rows}A", f"\x1b[{self._rows}B"
        self._console.file.write(f"{rows}{up}\x1b7{image}\x1b8{down}")
        self._console.file.flush()
        self._is_shown = True


def escapes(png: bytes, protocol: Protocol, rows: int) -> str:
    """The characters that show a PNG file at the cursor, this number of rows high."""
    text = base64.b64encode(png).decode()
    if protocol == "iterm2":
        return f"\x1b]1337;File=inline=1;size={len(png)};height={rows}:{text}\a"
    chunks = [text[begin : begin + CHUNK] for begin in range(0, len(text), CHUNK)]
    # Show (a=T) a PNG (f=100) and answer nothing (q=2); m=1 says that more follows.
    keys = [f"a=T,f=100,q=2,r={rows},", *[""] * (len(chunks) - 1)]
    more = [1] * (len(chunks) - 1) + [0]
    return "".join(
        f"\x1b_G{key}m={flag};{chunk}\x1b\\"
        for key, flag, chunk in zip(keys, more, chunks, strict=True)
    )
