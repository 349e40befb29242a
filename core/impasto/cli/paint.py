"""`impasto paint`: repaints one picture in the style of others, without a bot."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from impasto.cli.session import Session, print_json, session_of
from impasto.contracts import BRUSH_BOUNDS, MOST_STYLE_WEIGHT
from impasto.errors import NotAvailable, OwnerError, PictureError
from impasto.settings import AUTO

if TYPE_CHECKING:
    from PIL import Image

    from impasto.contracts import PaintOptions
    from impasto.painting.catalogue import Catalogue
    from impasto.painting.painter import Painting, PaintRequest

INTERRUPTED = 130
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


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
    styles = [_style(name, session) for name in style]
    options = _options(
        max_pixels=pixels,
        steps=steps,
        optimizer=optimizer,
        device=device,
        network=network,
        fine=fine or None,
        style_weight=_style_weight(styles, session) if style_weight is None else style_weight,
        brush_size=_brush_size(styles, session) if brush_size is None else brush_size,
        keep_colors=keep_colors,
        seed=seed,
    )
    inputs = [photo, *(style.picture for style in styles)]
    _check_output(output, inputs)
    try:
        painting = _paint(inputs, options, session)
    except KeyboardInterrupt:
        typer.echo("Stopped; nothing was written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    _save(painting.picture, output)
    if as_json:
        facts = {
            "photo": str(photo),
            "styles": [str(style.picture) for style in styles],
            "output": str(output),
            **_described(painting, options),
        }
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        typer.echo(f"{output}: {painting.steps} steps in {painting.seconds:.1f} s", err=True)
    if painting.reduced:
        width, height = painting.picture.size
        sentence = f"painted at {width} x {height}: larger does not fit into the device's memory"
        typer.echo(f"{output}: {sentence}", err=True)


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


class _Style(NamedTuple):
    """A style picture, and the strength and the brush size that its preset recommends."""

    picture: Path
    strength: float = 1.0
    brush_size: float = 1.0


def _style_weight(styles: Sequence[_Style], session: Session) -> float:
    """What the presets recommend; where several are mixed, they count equally."""
    strength = geometric_mean(style.strength for style in styles)
    return min(session.settings.painting.style_weight * strength, MOST_STYLE_WEIGHT)


def _brush_size(styles: Sequence[_Style], session: Session) -> float:
    brush = geometric_mean(style.brush_size for style in styles)
    least, most = BRUSH_BOUNDS
    return min(max(session.settings.painting.brush_size * brush, least), most)


def _style(name_or_file: str, session: Session) -> _Style:
    """A file or a preset. Presets are only looked up for what is no file."""
    path = Path(name_or_file).expanduser()
    if path.is_file():
        return _Style(path)
    presets = _presets(session)
    if name_or_file not in presets:
        raise NotAvailable(
            "style", name_or_file, [], f"it is neither a file nor one of {', '.join(presets)}"
        )
    return presets[name_or_file]


def _presets(session: Session) -> dict[str, _Style]:
    """The presets by name, as a process of its own lists them.

    Presets are the business of the bot's plugins, and loaded here their libraries would stay in
    memory during painting: 140 MB of aiogram.
    """
    command = [sys.executable, "-P", "-m", "impasto", *session.arguments, "presets"]
    listing = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603
    if listing.returncode != 0:
        raise typer.Exit(listing.returncode)  # it has said why on standard error
    return {
        preset["name"]: _Style(Path(preset["picture"]), preset["strength"], preset["brush_size"])
        for preset in json.loads(listing.stdout)
    }


def presets(context: typer.Context) -> None:
    """The presets of all plugins as JSON, for `impasto paint` in another process."""
    from impasto.contracts import StylePreset

    session = session_of(context)
    found = session.bot.collect("impasto_styles", StylePreset, settings=session.settings)
    if session.strict:
        session.bot.check_strict()
    print_json(map(dataclasses.asdict, found))


def _check_output(output: Path, inputs: Sequence[Path]) -> None:
    """What can be known to fail is said before a minute of painting, not after it."""
    if output.suffix.lower() not in SUFFIXES:
        raise OwnerError(f"{output}: the name must end in one of {', '.join(SUFFIXES)}")
    if output.is_dir():
        raise OwnerError(f"{output} is a folder; name a file in it")
    if not output.parent.is_dir():
        raise OwnerError(f"there is no folder {output.parent}")
    if not os.access(output.parent, os.W_OK):
        raise OwnerError(f"nothing may be written into the folder {output.parent}")
    for path in inputs:
        if output.exists() and path.exists() and output.samefile(path):
            raise OwnerError(f"{output} is one of the pictures to paint from; choose another name")


def _paint(inputs: Sequence[Path], options: PaintOptions, session: Session) -> Painting:
    """Paints with a progress bar.

    Args:
        inputs: the photo, then the style pictures.

    Raises:
        ImpastoError: a picture cannot be used, or something that was asked for is not available.
    """
    from impasto.memory import return_free_memory, return_large_blocks
    from impasto.painting.catalogue import load_catalogue
    from impasto.painting.painter import PaintRequest
    from impasto.painting.plugin_calls import OUT_OF_MEMORY

    return_large_blocks()
    photo, *styles = map(_open, inputs)
    request = PaintRequest(content=photo, styles=[(s, 1.0) for s in styles], options=options)
    # A number in the settings is for the bot's painting process.
    painting = session.settings.painting.model_copy(update={"memory_mb": AUTO})
    settings = session.settings.model_copy(update={"painting": painting})
    catalogue = load_catalogue(settings, strict=session.strict)
    return_free_memory()
    try:
        return _paint_with_progress(request, catalogue)
    except OUT_OF_MEMORY:
        raise OwnerError(
            "there is not enough memory for this picture; ask for less with --pixels"
        ) from None


def _open(path: Path) -> Image.Image:
    from impasto.painting.pictures import open_picture

    try:
        return open_picture(path)
    except PictureError as error:
        sentence = str(error) if str(path) in str(error) else f"{path}: {error}"
        raise PictureError(error.code, sentence, **error.facts) from None


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
        Progress(*columns, console=Console(stderr=True)) as bar,
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


def _save(picture: Image.Image, output: Path) -> None:
    """Writes a file beside `output` and renames it, so that there never is half a picture."""
    partial = output.with_name(f".{output.stem}.{os.getpid()}.partial{output.suffix}")
    try:
        # Pillow tells the format by the suffix; each takes the parameters that it knows.
        picture.save(partial, quality=95, subsampling=0)
        partial.replace(output)
    except OSError as error:
        raise OwnerError(f"{output} cannot be written: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)
