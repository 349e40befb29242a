"""What losses do not see and people do: colors that wander, marks that nobody made.

    python -m benchmarks.faults                  a table: without coherent colors, and as it comes
    python -m benchmarks.faults --keep FOLDER    the pictures too

A face and a flat sky of the shared data are painted in some presets. `drift` is how far the colors
of the face have moved: the RMS difference to the color-matched photo at 1/16 of the size, its mean
removed, of values in [0, 1]. `invented` is what is in the sky that is neither the photo's nor the
style's: the energy (mean square) of that drift in the cells where the photo is flat, and of what
marks within these cells have more than the style picture's own marks have on average. `folds` are
marks that are broad for a smooth sky, as of crumpled paper: the energy in its flat cells of what is
smaller than a cell and larger than a quarter of its side. `edges` is how many times more the colors
of the face's picture have moved along its edges, in a band half a cell wide, than one cell further
in.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto import PaintOptions, PaintRequest, StylePreset, open_picture, paint
from impasto.data_folders import styles_folder
from impasto.painting.catalogue import Catalogue, load_catalogue
from impasto.painting.painter import Painting
from impasto.settings import PaintingSettings, Settings
from impasto_styles import read_presets

from .records import REPOSITORY

CELL: Final = 16
"""Side in pixels of the cells whose mean colors are compared."""
PIXELS: Final = 100_000
BLOCK: Final = 4
"""Side of the blocks within a cell whose means are compared for folds."""
FLAT: Final = 0.02
"""Standard deviation of values in [0, 1] below which a cell of the photo is flat."""
PRESETS: Final = ("night", "wave", "comic", "watercolor")
FACE, SKY = "face.jpg", "flat_sky.jpg"
FIGURES: Final = {
    "drift": "drift of a face",
    "invented": "invented in a sky",
    "folds": "folds",
    "edges": "edges",
}

Array = NDArray[np.float64]


def color_drift(painting: Image.Image, start: Image.Image) -> float:
    """RMS difference of the colors of two pictures of one size at 1/16 of it, the mean removed."""
    difference = _cells(painting)[0] - _cells(start)[0]
    return float((difference - difference.mean((0, 1))).std())


def invented_energy(
    painting: Image.Image, photo: Image.Image, start: Image.Image, style: Image.Image
) -> float:
    """Energy in the flat cells of `photo` that is neither the photo's nor the style's.

    All but `style` have one size. `start` is the photo in the style's colors, `style` is as large
    as it was for the painting.
    """
    flat = _cells(photo)[1] < FLAT**2
    means, marks = _cells(painting)
    drift = (means - _cells(start)[0])[flat]
    patches = float((drift - drift.mean(0)).var())
    own_marks = float(_cells(style)[1].mean())
    return patches + max(0.0, float(marks[flat].mean()) - own_marks)


def fold_energy(painting: Image.Image, photo: Image.Image) -> float:
    """Energy of broad marks in the flat cells of `photo`, in two pictures of one size.

    Cells begin in the corner: those of the painter's own terms, which are about as large, are half
    a cell further.
    """
    flat = _cells(photo)[1] < FLAT**2
    rows, columns = flat.shape
    count = CELL // BLOCK
    blocks = _means(painting, BLOCK)[: rows * count, : columns * count]
    means = blocks.reshape(rows, count, columns, count, 3)
    return float(means.var((1, 3)).mean(-1)[flat].mean())


def edge_ratio(painting: Image.Image, start: Image.Image) -> float:
    """Energy of what the colors of two pictures of one size differ by, in blocks along the edges,
    against that in the blocks one cell further in."""
    drift = _means(painting, CELL // 2) - _means(start, CELL // 2)
    energy = np.square(drift - drift.mean((0, 1))).mean(-1)
    further = energy[2:-2, 2:-2]
    return float(_outermost(energy).mean() / _outermost(further).mean())


def _outermost(values: Array) -> Array:
    """The first and last rows and columns."""
    return np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])


def _values(picture: Image.Image) -> Array:
    return np.asarray(picture.convert("RGB"), dtype=np.float64) / 255


def _cells(picture: Image.Image) -> tuple[Array, Array]:
    """Mean color (rows x columns x 3) and mean variance (rows x columns) of each whole cell."""
    values = _in_cells(picture, CELL)
    return values.mean((1, 3)), values.var((1, 3)).mean(-1)


def _means(picture: Image.Image, side: int) -> Array:
    """Mean color (rows x columns x 3) of each whole block with sides of so many pixels."""
    return _in_cells(picture, side).mean((1, 3))


def _in_cells(picture: Image.Image, side: int) -> Array:
    """Values by row and column of whole cells: rows x side x columns x side x 3."""
    values = _values(picture)
    rows, columns = (length // side for length in values.shape[:2])
    return values[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)


class _Subject:
    """A photo painted in a preset, and what its painting is compared with."""

    def __init__(self, catalogue: Catalogue, photo: Path, preset: StylePreset) -> None:
        self._catalogue = catalogue
        self._photo, self._style = open_picture(photo), open_picture(preset.picture)
        painting = catalogue.settings.painting
        self._options = PaintOptions(
            max_pixels=PIXELS,
            style_weight=painting.style_weight * preset.strength,
            brush_size=painting.brush_size * preset.brush_size,
        )

    def painted(self, coherence: float | None) -> Image.Image:
        options = self._options.model_copy(update={"color_coherence": coherence})
        request = PaintRequest(content=self._photo, styles=[(self._style, 1.0)], options=options)
        *_, last = paint(request, self._catalogue)
        assert isinstance(last, Painting)
        return last.picture

    def compared_with(self) -> tuple[Image.Image, Image.Image, Image.Image]:
        """The photo, the start and the style as the painter prepares them."""
        steps, options = self._catalogue.steps, self._catalogue.pick(self._options).options
        photo = steps.prepare(self._photo, "content", options)
        style = steps.prepare(self._style, "style", options, photo)
        start = steps.prepare(photo, "start", options, photo, [(style, 1.0)])
        return photo, start, style


def measured(photos: Path, keep: Path | None) -> Iterator[dict[str, Any]]:
    """A row for each preset: `preset`, and `drift`, `invented`, `folds` and `edges` as pairs
    (without, with)."""
    catalogue = load_catalogue(Settings(painting=PaintingSettings(memory_mb=0)))
    presets = {preset.name: preset for preset in read_presets(styles_folder())}
    for preset in (presets[name] for name in PRESETS):
        row: dict[str, Any] = {"preset": preset.name}
        for name in (FACE, SKY):
            subject = _Subject(catalogue, photos / name, preset)
            photo, start, style = subject.compared_with()
            pictures = [subject.painted(coherence) for coherence in (0.0, None)]
            if name == FACE:
                row["drift"] = [color_drift(each, start) for each in pictures]
                row["edges"] = [edge_ratio(each, start) for each in pictures]
            else:
                row["invented"] = [invented_energy(each, photo, start, style) for each in pictures]
                row["folds"] = [fold_energy(each, photo) for each in pictures]
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                for picture, how in zip(pictures, ("without", "with"), strict=True):
                    picture.save(keep / f"{preset.name}-{Path(name).stem}-{how}.png")
        yield row


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    rows = []
    print(f"| preset | {' | '.join(f'{name} | coherent' for name in FIGURES.values())} |")
    print("|---" * (1 + 2 * len(FIGURES)) + "|")
    for row in measured(arguments.shared / "cases" / "photos", arguments.keep):
        rows.append(row)
        print(_line(row["preset"], *(value for what in FIGURES for value in row[what])), flush=True)
    means = [
        statistics.mean(row[what][index] for row in rows) for what in FIGURES for index in (0, 1)
    ]
    print(_line("mean", *means))


def _line(name: str, *values: float) -> str:
    return f"| {name} | {' | '.join(f'{value:.5f}' for value in values)} |"


if __name__ == "__main__":
    main()
