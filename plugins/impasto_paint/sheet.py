"""`impasto sheet`: one photo in many styles, small, on a contact sheet: what to choose from."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from impasto.cli import Session, session_of
from impasto.contracts.options import recommended
from impasto.errors import OwnerError
from impasto.plugins.containment import standard_output_to_log
from impasto_paint.inputs import (
    Style,
    beside,
    check_output,
    complete_styles,
    open_input,
    painting_catalogue,
    presets_of,
    save,
    styles_named,
    while_painting,
)

if TYPE_CHECKING:
    from PIL import Image

    from impasto.painting.catalogue import Catalogue

SIZE_BOUNDS = (100, 1000)
"""Pixels of a thumbnail's longer side."""


def sheet(
    context: typer.Context,
    photo: Annotated[
        Path,
        typer.Argument(help="The picture to repaint.", metavar="PHOTO", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write (.png, .jpg, .webp). By default a new file beside the photo, such "
            "as photo-sheet.jpg.",
            metavar="OUT",
        ),
    ] = None,
    style: Annotated[
        list[str] | None,
        typer.Option(
            help="A preset or a picture file; may be repeated. By default all presets.",
            metavar="NAME_OR_FILE",
            autocompletion=complete_styles,
        ),
    ] = None,
    size: Annotated[
        int,
        typer.Option(
            help="Pixels of the longer side of each painting.",
            min=SIZE_BOUNDS[0],
            max=SIZE_BOUNDS[1],
            metavar="N",
        ),
    ] = 320,
) -> None:
    """Paint a photo small in many styles, on one sheet to choose from."""
    session = session_of(context)
    goal = output or beside(photo, ["sheet"])
    check_output(goal, [photo, *map(Path, style or [])])
    with while_painting("sheet", "--size"), standard_output_to_log():
        picture = _painted_sheet(photo, style, size, session)
    from rich.console import Console

    from impasto_paint.display import Preview

    written = save(picture, goal, may_replace=output is not None)
    Preview(Console(stderr=True)).show(picture)
    typer.echo(str(written.path), err=True)
    if not written.is_in_place:
        raise typer.Exit(1)


def _painted_sheet(
    photo: Path, names: Sequence[str] | None, size: int, session: Session
) -> Image.Image:
    from impasto.contact_sheet import Tile, contact_sheet, first_readable

    content = open_input(photo, size**2)
    styles = styles_named(names, session) if names else list(presets_of(session).values())
    if not styles:
        raise OwnerError("there are no presets; name a style or a picture with --style")
    pictures = _painted(content, styles, size, session, painting_catalogue(session))
    tiles = [
        Tile(picture, first_readable([style.title]))
        for style, picture in zip(styles, pictures, strict=True)
    ]
    shape = pictures[0].size
    return contact_sheet(tiles, shape, _columns(len(tiles), shape))


def _painted(
    content: Image.Image,
    styles: Sequence[Style],
    size: int,
    session: Session,
    catalogue: Catalogue,
) -> list[Image.Image]:
    """The photo in each style, in their order, with a progress bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from impasto.painting.thumbnails import PAINTED_SHARE, ThumbnailStyle, thumbnails

    wanted = [
        ThumbnailStyle(
            name=str(number),  # two files may have the same name
            picture=open_input(style.picture, round(size * PAINTED_SHARE) ** 2),
            options=recommended([style], session.settings.painting),
        )
        for number, style in enumerate(styles)
    ]
    found: dict[str, Image.Image] = {}
    progress = Progress(
        TextColumn("painting"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        redirect_stdout=False,  # what plugins print is logged
    )
    with progress, contextlib.closing(thumbnails(content, wanted, catalogue, size=size)) as ready:
        task = progress.add_task("painting", total=len(wanted))
        for name, picture in ready:
            found[name] = picture
            progress.advance(task)
    return [found[style.name] for style in wanted]


def _columns(count: int, size: tuple[int, int]) -> int:
    """As many as make the sheet about as wide as it is high, or somewhat wider."""
    width, height = size
    return min(count, math.ceil(math.sqrt(count * height / width)))
