"""What the commands that paint are given, pictures and styles, and the file that they write."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from impasto.cli import Session, session_of
from impasto.errors import OwnerError, PictureError, did_you_mean
from impasto.hookspecs import PAINTING_GROUP
from impasto.settings import AUTO

if TYPE_CHECKING:
    from PIL import Image

    from impasto.painting.catalogue import Catalogue

INTERRUPTED = 130
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
PHOTO_SUFFIXES = (*SUFFIXES, ".heic", ".heif", ".avif", ".jxl", ".tif", ".tiff", ".bmp", ".gif")
"""Files of a folder that are taken for photos."""
SOFTWARE = "Impasto"
"""In the EXIF tag of that name of every painting, so that no painting in a folder is painted."""


class Style(NamedTuple):
    """A style picture, and the strength and the brush size that its preset recommends."""

    picture: Path
    name: str
    title: str
    strength: float = 1.0
    brush_size: float = 1.0


def presets_of(session: Session) -> dict[str, Style]:
    """The presets of all plugins by name."""
    return {
        preset.name: Style(
            preset.picture,
            preset.name,
            preset.title("en"),
            preset.strength,
            preset.brush_size,
        )
        for preset in session.presets()
    }


def complete_styles(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The presets that a shell offers after Tab, with their titles."""
    presets = session_of(context).presets()
    return [(p.name, p.title("en")) for p in presets if p.name.startswith(incomplete)]


def complete_networks(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The feature networks, whether they are here or not, with their descriptions."""
    from impasto.contracts import NetworkSource

    session = session_of(context)
    host = session.load_offering(PAINTING_GROUP, {"impasto_networks"})  # without torch
    networks = host.collect("impasto_networks", NetworkSource, settings=session.settings)
    names = [
        (AUTO, "the embedded network, and another to finish fine pictures"),
        *((network.name, network.description) for network in networks),
    ]
    return [(name, what) for name, what in names if name.startswith(incomplete)]


def styles_named(names: Iterable[str], session: Session) -> list[Style]:
    """Files and presets, as they were named after --style. Raises OwnerError: one is neither."""
    list_presets = functools.cache(lambda: presets_of(session))
    return [_style_of(name, list_presets) for name in names]


def _style_of(name_or_file: str, list_presets: Callable[[], Mapping[str, Style]]) -> Style:
    """Presets are only listed for what is no file."""
    path = Path(name_or_file).expanduser()
    if _is_file(path):
        return Style(path, path.stem, path.stem)
    found = list_presets()
    if name_or_file not in found:
        hint = did_you_mean(name_or_file, found) or "; `impasto styles` lists the presets"
        raise OwnerError(f"--style {name_or_file}: there is no such preset and no such file{hint}")
    return found[name_or_file]


def first_preset(session: Session) -> Style:
    """What is painted in where no style is named. Raises OwnerError where there is no preset."""
    presets = presets_of(session)
    if not presets:
        raise OwnerError("there are no presets; name a picture with --style")
    return next(iter(presets.values()))


def photos_in(paths: Sequence[Path]) -> list[Path]:
    """The files among the paths, and the photos of the folders among them, by name: no hidden files
    and no paintings.

    Raises:
        OwnerError: a path leads nowhere, or there is no photo.
    """
    photos: list[Path] = []
    for path in paths:
        if is_folder(path):
            photos += (file for file in sorted(path.iterdir()) if _is_photo(file))
        elif _is_file(path):
            photos.append(path)
        else:
            raise OwnerError(f"{path}: there is no such file or folder")
    if not photos:
        raise OwnerError(f"there is no photo in {', '.join(map(str, paths))}")
    return list(dict.fromkeys(photos))


def _is_photo(file: Path) -> bool:
    from PIL import ExifTags, Image

    if file.suffix.lower() not in PHOTO_SUFFIXES or file.name.startswith("."):
        return False
    try:
        with Image.open(file) as picture:
            exif = Image.Exif()
            exif.load(picture.info.get("exif", b""))
            return file.is_file() and exif.get(ExifTags.Base.Software) != SOFTWARE
    except Exception:  # a damaged photo is told when it is its turn
        return True


@contextlib.contextmanager
def while_painting(
    what: str, smaller: str, written: Callable[[], str] = lambda: "nothing was"
) -> Iterator[None]:
    """Inside it something is painted. Says what was written when Ctrl-C ends it, and which option
    makes `what` smaller where there is too little memory for it."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"Stopped; {written()} written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        from impasto.painting.plugin_calls import OUT_OF_MEMORY

        if not isinstance(error, OUT_OF_MEMORY):
            raise
        raise OwnerError(
            f"there is not enough memory for this {what}; ask for less with {smaller}"
        ) from None


def painting_catalogue(session: Session) -> Catalogue:
    """What to paint with in this process, at the settings' choice.

    Raises:
        ImpastoError: nothing to paint with, or `--strict` and a plugin failed.
    """
    from impasto.memory import return_free_memory, return_large_blocks
    from impasto.painting.catalogue import load_catalogue

    return_large_blocks()
    # A number in the settings is for the bot's painting process.
    painting = session.settings.painting.model_copy(update={"memory_mb": AUTO})
    settings = session.settings.model_copy(update={"painting": painting})
    catalogue = load_catalogue(settings, strict=session.strict)
    return_free_memory()
    return catalogue


def open_input(path: Path, wanted_pixels: int | None = None) -> Image.Image:
    """A picture, as `open_picture` opens it. Raises PictureError with the file's name in it."""
    from impasto.painting.pictures import open_picture

    try:
        return open_picture(path, wanted_pixels)
    except PictureError as error:
        sentence = str(error) if str(path) in str(error) else f"{path}: {error}"
        raise PictureError(error.code, sentence, **error.facts) from None


def check_output(output: Path, inputs: Sequence[Path]) -> None:
    """What can be known to fail is said before a minute of painting, not after it."""
    if output.suffix.lower() not in SUFFIXES:
        raise OwnerError(f"{output}: the name must end in one of {', '.join(SUFFIXES)}")
    try:
        _check_place(output, inputs)
    except OSError as error:  # too long a name, or a folder that this user may not look into
        raise OwnerError(
            f"{output} cannot be written: {_reason(error)}; choose another name or folder"
        ) from None


def _check_place(output: Path, inputs: Sequence[Path]) -> None:
    if output.is_dir():
        raise OwnerError(f"{output} is a folder; name a file in it")
    if not output.parent.is_dir():
        raise OwnerError(f"there is no folder {output.parent}")
    if not os.access(output.parent, os.W_OK | os.X_OK):
        raise OwnerError(
            f"nothing may be written into the folder {output.parent}; choose another with --output"
        )
    for path in inputs:
        if output.exists() and _is_file(path) and output.samefile(path):
            raise OwnerError(f"{output} is one of the pictures to paint from; choose another name")


class Saved(NamedTuple):
    """Where a painting is, and whether that is where it should be."""

    path: Path
    is_in_place: bool = True


def beside(photo: Path, names: Iterable[str], folder: Path | None = None) -> Path:
    """Where a picture goes for which no name was given: photo-night.jpg."""
    suffix = photo.suffix if photo.suffix.lower() in SUFFIXES else ".jpg"
    return (folder or photo.parent) / f"{'-'.join([photo.stem, *names])}{suffix}"


def save(picture: Image.Image, output: Path, *, may_replace: bool = True) -> Saved:
    """Writes a painting: elsewhere, with a sentence about it, if `output` cannot be written, as
    somebody has waited for it.

    Args:
        may_replace: otherwise the name gets a number where there is such a file already.

    Raises:
        OwnerError: it cannot be written anywhere.
    """
    try:
        return Saved(_write(picture, output) if may_replace else _write_anew(picture, output))
    except (OSError, ValueError) as error:
        why = f"{output} cannot be written: {_reason(error)}"
    for folder in (output.parent, Path.cwd(), Path(tempfile.gettempdir())):
        with contextlib.suppress(OSError):
            elsewhere = folder / time.strftime("impasto-%Y%m%d-%H%M%S.png")
            written = _write_anew(picture, elsewhere)
            typer.echo(f"impasto: {why}; the painting is in {written}", err=True)
            return Saved(written, is_in_place=False)
    raise OwnerError(why)


def _write_anew(picture: Image.Image, output: Path) -> Path:
    """Writes a file that was not there, with a number in its name where that is needed."""
    for number in itertools.count(1):
        name = output.name if number == 1 else f"{output.stem}-{number}{output.suffix}"
        path = output.with_name(name)
        try:
            path.touch(exist_ok=False)  # from now on nobody else takes this name
        except FileExistsError:
            continue
        try:
            return _write(picture, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    raise AssertionError("numbers have no end")


def _write(picture: Image.Image, output: Path) -> Path:
    """Writes a file beside `output` and renames it, so that there never is half a picture."""
    from PIL import ExifTags, Image

    exif = Image.Exif()
    exif[ExifTags.Base.Software] = SOFTWARE
    # Its name is short, as that of `output` may be as long as names can be.
    partial = output.with_name(f".impasto.{os.getpid()}.partial{output.suffix}")
    try:
        # Pillow tells the format by the suffix; each takes the parameters that it knows.
        picture.save(partial, quality=95, subsampling=0, exif=exif)
        return partial.replace(output)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def is_folder(path: Path) -> bool:
    """False as well for names that cannot be: whoever reads or writes there says so."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise OwnerError(f"{path} cannot be read: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
