"""Sheets to be looked at: photo, baseline and paintings of a pair side by side, at full size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from .pairs import Pair, SharedData

GAP = 8


def write_sheets(folder: Path, pairs: Sequence[Pair], shared: SharedData) -> None:
    """Into the folder of what was measured: the pictures are not part of this repository."""
    sheets = folder / "sheets"
    sheets.mkdir(parents=True, exist_ok=True)
    for pair in pairs:
        files = [
            *pair.squeezed(shared, folder / "squeezed"),
            folder / "baseline" / f"{pair.file_name}.png",
            *sorted((folder / "pictures").glob(f"{pair.file_name}-*.png")),
        ]
        there = [file for file in files if file.is_file()]
        side_by_side(there).save(sheets / f"{pair.file_name}.png")
        print(sheets / f"{pair.file_name}.png", *(file.stem for file in there), sep="\n  ")


def side_by_side(files: Sequence[Path]) -> Image.Image:
    """Pictures of the same height in a row."""
    pictures = [Image.open(file).convert("RGB") for file in files]
    width = sum(picture.width + GAP for picture in pictures) - GAP
    sheet = Image.new("RGB", (width, max(picture.height for picture in pictures)), "white")
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + GAP
    return sheet
