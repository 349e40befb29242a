"""`impasto paint`: repaints one picture in the style of others, without a bot."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto.cli.inputs import (
    brush_for,
    check_output,
    open_input,
    painting_catalogue,
    presets_of,
    save,
    style_of,
    weight_for,
)
from impasto.cli.session import Session, echo_json, session_of
from impasto.errors import OwnerError
from impasto.plugins.containment import standard_output_to_log
from impasto.settings import AUTO

if TYPE_CHECKING:
    from impasto.contracts import PaintOptions
    from impasto.painting.catalogue import Catalogue
    from impasto.painting.painter import Painting, PaintRequest

INTERRUPTED = 130


def paint(  # noqa: PLR0917  (typer calls it by name)
    context: typer.Context,
    photo: Annotated[Path, typer.Argument(help="The picture to repaint.", show_default=False)],
    style: Annotated[
        list[str],
        typer.Option(
            help="A preset (see `impasto styles`) or a picture file; several are mixed.",
            metavar="NAME_OR_FILE",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="File to write (.png, .jpg, .webp).", metavar="OUT"),
    ],
    pixels: Annotated[
        int | None, typer.Option(help="Most pixels of the result.", metavar="N")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Most optimizer steps.", metavar="N")] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="lbfgs, adam, or a plugin's.", metavar="NAME")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, or a plugin's.", metavar="NAME")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="auto, a network (see `impasto weights list`) or a safetensors file.",
            metavar="NAME_OR_FILE",
        ),
    ] = None,
    fine: Annotated[
        bool,
        typer.Option("--fine", help="Finish on painting.fine_network: better, and slower."),
    ] = False,
    style_weight: Annotated[
        float | None, typer.Option(help="Weight of the style; the content's is 1.", metavar="X")
    ] = None,
    brush_size: Annotated[
        float | None,
        typer.Option("--brush", help="Size of the style's marks: 0.25 to 4.", metavar="X"),
    ] = None,
    keep_colors: Annotated[
        bool, typer.Option("--keep-colors", help="Keep the photo's own hues.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Same seed, same picture.", metavar="N")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON about the painting.")
    ] = False,
) -> None:
    """Repaint PHOTO in the style of other pictures."""
    session = session_of(context)
    if fine and (network or session.settings.painting.network) != AUTO:
        raise typer.BadParameter(
            "only with the network auto: another paints everything", param_hint="--fine"
        )
    list_presets = functools.cache(lambda: presets_of(session))
    styles = [style_of(name, list_presets) for name in style]
    options = _options(
        max_pixels=pixels,
        steps=steps,
        optimizer=optimizer,
        device=device,
        network=network,
        fine=fine or None,
        style_weight=weight_for(styles, session) if style_weight is None else style_weight,
        brush_size=brush_for(styles, session) if brush_size is None else brush_size,
        keep_colors=keep_colors,
        seed=seed,
    )
    inputs = [photo, *(style.picture for style in styles)]
    check_output(output, inputs)
    try:
        with standard_output_to_log():
            painting = _paint(inputs, options, session)
    except KeyboardInterrupt:
        typer.echo("Stopped; nothing was written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    written = save(painting.picture, output)
    if as_json:
        echo_json(
            {
                "photo": str(photo),
                "styles": [str(style.picture) for style in styles],
                "output": str(written),
                **_described(painting, options),
            }
        )
    else:
        typer.echo(f"{written}: {painting.steps} steps in {painting.seconds:.1f} s", err=True)
    if painting.reduced:
        width, height = painting.picture.size
        sentence = f"painted at {width} x {height}: larger does not fit into the device's memory"
        typer.echo(f"{written}: {sentence}", err=True)
    if written != output:
        raise typer.Exit(1)


def _options(**values: Any) -> PaintOptions:
    from pydantic import ValidationError

    from impasto.contracts import PaintOptions

    try:
        return PaintOptions(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = {"max_pixels": "pixels"}.get(str(first["loc"][0]), str(first["loc"][0]))
        raise typer.BadParameter(
            f"{first['input']!r}: {first['msg']}", param_hint=f"--{option.replace('_', '-')}"
        ) from None


def _paint(inputs: Sequence[Path], options: PaintOptions, session: Session) -> Painting:
    """Paints with a progress bar.

    Args:
        inputs: the photo, then the style pictures.

    Raises:
        ImpastoError: a picture cannot be used, or something that was asked for is not available.
    """
    from impasto.painting.painter import PaintRequest
    from impasto.painting.plugin_calls import OUT_OF_MEMORY

    photo, *styles = map(open_input, inputs)
    request = PaintRequest(content=photo, styles=[(s, 1.0) for s in styles], options=options)
    catalogue = painting_catalogue(session)
    try:
        return _paint_with_progress(request, catalogue)
    except OUT_OF_MEMORY:
        raise OwnerError(
            "there is not enough memory for this picture; ask for less with --pixels"
        ) from None


def _paint_with_progress(request: PaintRequest, catalogue: Catalogue) -> Painting:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from impasto.painting.painter import PaintProgress, paint

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TimeElapsedColumn(),
    )
    with (
        # What plugins print is logged.
        Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as bar,
        contextlib.closing(paint(request, catalogue)) as events,  # type: ignore[type-var]
    ):
        task = bar.add_task("painting", total=None, loss="")
        for event in events:
            if isinstance(event, PaintProgress):
                bar.update(
                    task,
                    description=f"level {event.level} of {event.levels}",
                    total=event.steps,
                    completed=event.step,
                    loss=f"{event.loss:.4g}",
                )
            else:
                # An optimizer may end before its last step.
                bar.update(task, total=event.steps, completed=event.steps)
                return event
    raise AssertionError("paint() ended without a painting")


def _described(painting: Painting, options: PaintOptions) -> dict[str, Any]:
    return {
        "seconds": round(painting.seconds, 3),
        "steps": painting.steps,
        "size": painting.picture.size,
        "network": painting.network,
        "fine_network": painting.fine_network,
        "device": painting.device,
        "style_weight": options.style_weight,
        "brush_size": options.brush_size,
        "losses": {**painting.losses._asdict(), "total": painting.losses.total},
    }
