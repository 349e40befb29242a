"""`impasto paint`: repaints pictures in the style of others."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from impasto.cli import Session, echo_json, session_of
from impasto.contracts.options import recommended
from impasto.errors import PictureError
from impasto.plugins.containment import standard_output_to_log
from impasto.settings import AUTO
from impasto_paint.inputs import (
    Style,
    beside,
    check_output,
    complete_networks,
    complete_styles,
    first_preset,
    is_folder,
    open_input,
    painting_catalogue,
    photos_in,
    save,
    styles_named,
    while_painting,
)

if TYPE_CHECKING:
    from PIL import Image

    from impasto.contracts import PaintOptions
    from impasto.painting.catalogue import Catalogue
    from impasto.painting.painter import Painting
    from impasto_paint.display import Display


def paint(  # noqa: PLR0917  (typer calls it by name)
    context: typer.Context,
    photos: Annotated[
        list[Path],
        typer.Argument(
            help="Pictures to repaint, or folders of them.", metavar="PHOTO", show_default=False
        ),
    ],
    style: Annotated[
        list[str] | None,
        typer.Option(
            help="A preset (see `impasto styles`) or a picture file; repeat it to mix several. "
            "By default the first preset.",
            metavar="NAME_OR_FILE",
            autocompletion=complete_styles,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write (.png, .jpg, .webp), or folder. By default a new file beside the "
            "photo, such as photo-night.jpg.",
            metavar="OUT",
        ),
    ] = None,
    max_pixels: Annotated[
        int | None,
        typer.Option(
            "--pixels", help="Most pixels of the result in all, such as 800000.", metavar="N"
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Upper limit on the steps.", metavar="N")
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="lbfgs, adam, or one that a plugin brings.",
            metavar="NAME",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="auto, cpu, cuda, or one that a plugin brings.",
            metavar="NAME",
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="auto, a network (see `impasto weights list`) or a safetensors file.",
            metavar="NAME_OR_FILE",
            autocompletion=complete_networks,
        ),
    ] = None,
    fine: Annotated[
        bool,
        typer.Option(
            "--fine", help="Finish with VGG-19 (see `impasto weights fetch`): slower, but better."
        ),
    ] = False,
    style_weight: Annotated[
        float | None,
        typer.Option(
            help="Weight of the style, painting.style_weight by default; that of the photo is 1.",
            metavar="X",
        ),
    ] = None,
    brush_size: Annotated[
        float | None,
        typer.Option("--brush", help="Size of the strokes: 0.25 to 4.", metavar="X"),
    ] = None,
    keep_colors: Annotated[
        bool, typer.Option("--keep-colors", help="Keep the photo's own colors.")
    ] = False,
    seed: Annotated[
        int, typer.Option(help="The same number gives the same picture.", metavar="N")
    ] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON about each painting.")
    ] = False,
) -> None:
    """Repaint photos in the style of other pictures."""
    session = session_of(context)
    if fine and (network or session.settings.painting.network) != AUTO:
        raise typer.BadParameter(
            "works only with the network auto, as any other paints the whole picture",
            param_hint="--fine",
        )
    styles = styles_named(style, session) if style else [first_preset(session)]
    usual = recommended(styles, session.settings.painting)
    options = _options(
        context,
        max_pixels=max_pixels,
        steps=steps,
        optimizer=optimizer,
        device=device,
        network=network,
        fine=fine or None,
        style_weight=usual.style_weight if style_weight is None else style_weight,
        brush_size=usual.brush_size if brush_size is None else brush_size,
        keep_colors=keep_colors,
        seed=seed,
    )
    goals = _goals(photos_in(photos), styles, output)
    if not style:
        typer.echo(
            f"The style is {styles[0].name}; --style chooses another, and `impasto styles` lists "
            "them.",
            err=True,
        )
    run = _Run(styles, options, session, as_json=as_json)
    with while_painting(
        "picture",
        "--pixels",
        lambda: f"{run.written} of {len(goals)} paintings were" if run.written else "nothing was",
    ):
        run.paint(goals)
    if run.has_failed:
        raise typer.Exit(1)


def _options(context: typer.Context, **values: Any) -> PaintOptions:
    """The parameters of the command are named as the fields of the options."""
    from pydantic import ValidationError

    from impasto.contracts import PaintOptions

    try:
        return PaintOptions(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        typed = next(p.opts[0] for p in context.command.params if p.name == first["loc"][0])
        raise typer.BadParameter(f"{first['input']!r}: {first['msg']}", param_hint=typed) from None


class _Goal(NamedTuple):
    """A photo, and the file that its painting is written to."""

    photo: Path
    output: Path
    may_replace: bool
    """Whether somebody has named just this file."""


def _goals(photos: Sequence[Path], styles: Sequence[Style], output: Path | None) -> list[_Goal]:
    """Raises OwnerError where it can be known that a painting cannot be written."""
    if output is None or is_folder(output):
        names = [style.name for style in styles]
        goals = [_Goal(p, beside(p, names, output), may_replace=False) for p in photos]
    elif len(photos) == 1:
        goals = [_Goal(photos[0], output, may_replace=True)]
    else:
        raise typer.BadParameter(
            f"{output} is no folder, and there are {len(photos)} photos", param_hint="--output"
        )
    for goal in goals:
        check_output(goal.output, [goal.photo, *(style.picture for style in styles)])
    return goals


class _Run:
    """Photos being painted one after another, with one progress bar for all of them."""

    def __init__(
        self, styles: Sequence[Style], options: PaintOptions, session: Session, *, as_json: bool
    ) -> None:
        self._styles = styles
        self._options = options
        self._session = session
        self._as_json = as_json
        self.written = 0
        self.has_failed = False
        """Whether a photo could not be painted, or a painting is not where it should be."""

    def paint(self, goals: Sequence[_Goal]) -> None:
        """Raises ImpastoError: nothing to paint with, or the only photo cannot be used."""
        from impasto_paint.display import Display

        pictures = [open_input(style.picture) for style in self._styles]
        with Display(len(goals), shows_pictures=not self._as_json) as display:
            with standard_output_to_log():
                catalogue = painting_catalogue(self._session)
            for number, goal in enumerate(goals):
                display.begin(number, goal.photo)
                try:
                    with standard_output_to_log():
                        painting = self._painting(goal.photo, pictures, catalogue, display)
                except PictureError as error:
                    if len(goals) == 1:
                        raise
                    display.end()
                    self.has_failed = True
                    typer.echo(f"impasto: {error}", err=True)
                else:
                    display.end(painting.picture)
                    self._finish(goal, painting)

    def _painting(
        self,
        photo: Path,
        styles: Sequence[Image.Image],
        catalogue: Catalogue,
        display: Display,
    ) -> Painting:
        from impasto.painting.painter import Painting, PaintRequest, paint

        request = PaintRequest(
            content=open_input(photo),
            styles=[(style, 1.0) for style in styles],
            options=self._options,
        )
        with contextlib.closing(paint(request, catalogue)) as events:  # type: ignore[type-var]
            for event in events:
                if isinstance(event, Painting):
                    return event
                display.step(event)
        raise AssertionError("paint() ended without a painting")

    def _finish(self, goal: _Goal, painting: Painting) -> None:
        """Writes a painting and tells of it."""
        written = save(painting.picture, goal.output, may_replace=goal.may_replace)
        self.written += 1
        self.has_failed |= not written.is_in_place
        if self._as_json:
            echo_json(self._described(goal.photo, written.path, painting))
        else:
            width, height = painting.picture.size
            typer.echo(
                f"{written.path}: {width} x {height}, painted in {painting.seconds:.1f} s", err=True
            )
        if painting.reduced:
            typer.echo(
                f"{written.path}: smaller than asked for, as there is too little memory",
                err=True,
            )

    def _described(self, photo: Path, output: Path, painting: Painting) -> dict[str, Any]:
        return {
            "photo": str(photo),
            "styles": [str(style.picture) for style in self._styles],
            "output": str(output),
            "seconds": round(painting.seconds, 3),
            "steps": painting.steps,
            "size": painting.picture.size,
            "network": painting.network,
            "fine_network": painting.fine_network,
            "device": painting.device,
            "style_weight": self._options.style_weight,
            "brush_size": self._options.brush_size,
            "losses": {**painting.losses._asdict(), "total": painting.losses.total},
        }
