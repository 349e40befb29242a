"""Previews in terminals that show pictures."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from impasto_paint.display import CHUNK, ROWS, Preview, protocol_of


@pytest.mark.parametrize(
    ("variables", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, None),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, None),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux-0/default,1,0"}, None),
        ({}, None),
    ],
)
def test_which_terminals_show_pictures(variables: dict[str, str], protocol: str | None) -> None:
    assert protocol_of(variables) == protocol


@pytest.fixture
def picture() -> Image.Image:
    values = np.random.default_rng(1).integers(0, 255, (600, 900, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.fixture
def kitty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TERM_PROGRAM", "LC_TERMINAL", "TMUX", "KITTY_WINDOW_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-kitty")


def shown(picture: Image.Image, *, times: int = 1, height: int = 50, terminal: bool = True) -> str:
    file = io.StringIO()
    preview = Preview(Console(file=file, force_terminal=terminal, width=80, height=height))
    for _ in range(times):
        preview.show(picture)
    return file.getvalue()


@pytest.mark.usefixtures("kitty")
def test_kitty_gets_a_small_png_in_chunks(picture: Image.Image) -> None:
    commands = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", shown(picture))
    assert len(commands) > 1
    assert commands[0][0] == f"a=T,f=100,q=2,r={ROWS},m=1"
    assert {keys for keys, _ in commands[1:-1]} == {"m=1"}
    assert commands[-1][0] == "m=0"
    assert all(len(data) == CHUNK for _, data in commands[:-1])
    png = base64.b64decode("".join(data for _, data in commands))
    with Image.open(io.BytesIO(png)) as small:
        assert (small.format, small.size) == ("PNG", (480, 320))


def test_iterm_gets_it_in_one(
    picture: Image.Image, kitty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("TERM_PROGRAM", "iTerm.app")
    found = re.search(r"\x1b\]1337;File=inline=1;size=(\d+);height=16:(.*)\a", shown(picture))
    assert found is not None
    png = base64.b64decode(found[2])
    assert len(png) == int(found[1])


@pytest.mark.usefixtures("kitty")
def test_what_is_no_terminal_gets_nothing(picture: Image.Image) -> None:
    assert shown(picture, terminal=False) == ""
    assert shown(picture, height=2) == "", "there is no room"


@pytest.mark.usefixtures("kitty")
@pytest.mark.parametrize("height", [50, 10])
def test_a_picture_is_replaced_in_its_place(picture: Image.Image, height: int) -> None:
    """Rows are made once; each time the cursor goes up, and is put back to where it was."""
    text = re.sub(r"\x1b_G[^\x1b]*\x1b\\", "", shown(picture, times=3, height=height))
    rows = min(ROWS, height - 2)
    turn = f"\x1b[{rows}A\x1b7\x1b8\x1b[{rows}B"
    assert text == "\n" * rows + 3 * turn
