"""Pictures in terminals that can show them: the protocols of kitty and of iTerm2.

https://sw.kovidgoyal.net/kitty/graphics-protocol/ and https://iterm2.com/documentation-images.html
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from PIL import Image
    from rich.console import Console

LONGER_SIDE: Final = 480
"""Most pixels of a preview."""
CHUNK: Final = 4096
"""Most characters of a picture in one of kitty's commands."""

Protocol = Literal["kitty", "iterm2"]


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


def show_picture(picture: Image.Image, console: Console) -> None:
    """Shows a picture, small, if the console is a terminal that can."""
    protocol = protocol_of(os.environ)
    if protocol is None or not console.is_terminal:
        return
    small = picture.convert("RGB")
    small.thumbnail((LONGER_SIDE, LONGER_SIDE))
    file = io.BytesIO()
    small.save(file, "PNG")
    console.file.write(escapes(file.getvalue(), protocol) + "\n")
    console.file.flush()


def escapes(png: bytes, protocol: Protocol) -> str:
    """The characters that show a PNG file at the cursor."""
    text = base64.b64encode(png).decode()
    if protocol == "iterm2":
        return f"\x1b]1337;File=inline=1;size={len(png)}:{text}\a"
    chunks = [text[begin : begin + CHUNK] for begin in range(0, len(text), CHUNK)]
    # Show (a=T) a PNG (f=100) and answer nothing (q=2); m=1 says that more follows.
    keys = ["a=T,f=100,q=2,", *[""] * (len(chunks) - 1)]
    more = [1] * (len(chunks) - 1) + [0]
    return "".join(
        f"\x1b_G{key}m={flag};{chunk}\x1b\\"
        for key, flag, chunk in zip(keys, more, chunks, strict=True)
    )
