"""The presets of `styles/`, and this installation's own in `styles/` of the state folder; and
`impasto styles` to list them, to add one, and to fetch famous paintings.

In a folder of presets every entry of `styles.toml` counts whose picture exists and is not damaged.

    [styles.night]
    file = "night.jpg"
    emoji = "🌌"
    credit = "who made the picture"
    licence = "CC0-1.0"
    strength = 1.0      # multiplies the style weight
    brush_size = 1.0    # multiplies the size of its marks
    [styles.night.titles]
    en = "Swirling night"
    ru = "Ночь в вихрях"

An entry that cannot be used is named in a warning and left out; the others stay.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from impasto import StylePreset, data_folders, hookimpl
from impasto.contracts import BrushSize

if TYPE_CHECKING:
    import typer

    from impasto.settings import Settings

log = structlog.get_logger(__name__)

_HEADER = re.compile(
    r"""^\s* \[ \s* styles \s*\.\s* ["']?(?P<name>[^]"'.]+?)["']? \s* \] \s* (?:\#.*)? $""",
    re.MULTILINE | re.VERBOSE,
)


@hookimpl
def impasto_styles(settings: Settings) -> Sequence[StylePreset]:
    presets = read_presets(data_folders.styles_folder())
    if (settings.own_styles / "styles.toml").is_file():
        presets = read_presets(settings.own_styles, after=presets)
    return presets


@hookimpl
def impasto_commands(cli: typer.Typer) -> None:
    from impasto_styles.commands import styles

    cli.add_typer(styles, name="styles")


class Titles(BaseModel):
    """A title per language code; English is required."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[str, Field(min_length=1, max_length=40)]]

    en: Annotated[str, Field(min_length=1, max_length=40)]


class Entry(BaseModel):
    """One table `[styles.<name>]`."""

    model_config = ConfigDict(extra="forbid")

    file: str
    titles: Titles
    credit: Annotated[str, Field(min_length=1)]
    licence: Annotated[str, Field(min_length=1)]
    emoji: Annotated[str, Field(min_length=1, max_length=8)] = "🎨"
    strength: Annotated[float, Field(gt=0, le=1000)] = 1.0
    brush_size: BrushSize = 1.0


def read_presets(folder: Path, after: Sequence[StylePreset] = ()) -> list[StylePreset]:
    """The usable presets of a folder, in the order of its `styles.toml`, behind those of another
    folder, whose names stay theirs."""
    presets = {preset.name: preset for preset in after}
    for name, entry in _entries(folder / "styles.toml"):
        try:
            if name in presets:
                raise ValueError("there is an entry of this name already")
            presets[name] = _preset(folder, name, entry, order=len(presets))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            _warn(name, folder, error)
    return list(presets.values())


def _entries(file: Path) -> Iterator[tuple[str, Any]]:
    """Names and tables, as far as the file can be read."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        log.warning("styles_unreadable", file=str(file), reason=reason_of(error))
        return
    try:
        tables = tomllib.loads(text).get("styles", {})
    except tomllib.TOMLDecodeError as error:
        # A name that is declared twice is one of the mistakes that void a whole TOML document.
        log.warning("styles_read_one_by_one", file=str(file), reason=reason_of(error))
        yield from _entries_one_by_one(text, file)
        return
    if isinstance(tables, dict):
        yield from tables.items()


def _entries_one_by_one(text: str, file: Path) -> Iterator[tuple[str, Any]]:
    """Each stretch from one `[styles.<name>]` to the next, parsed as a document of its own."""
    headers = list(_HEADER.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    for header, end in zip(headers, ends, strict=True):
        try:
            tables = tomllib.loads(text[header.start() : end])["styles"]
        except tomllib.TOMLDecodeError as error:
            _warn(header["name"], file.parent, error)
            continue
        yield from tables.items()


def _preset(folder: Path, name: str, table: Any, order: int) -> StylePreset:
    """Raises ValueError, OSError or what Pillow raises on a picture that is not whole."""
    entry = Entry.model_validate(table)
    picture = folder / entry.file
    with Image.open(picture) as image:
        image.draft("RGB", (128, 128))  # every byte of a JPEG is read, at an eighth of the work
        image.load()
    facts = entry.model_dump(exclude={"file"})
    return StylePreset(name=name, picture=picture, order=order, **facts)


def _warn(name: str, folder: Path, error: Exception) -> None:
    log.warning("style_left_out", style=name, folder=str(folder), reason=reason_of(error))


def reason_of(error: Exception) -> str:
    """What is wrong, in one line."""
    if isinstance(error, ValidationError):
        return "; ".join(
            ".".join(str(part) for part in item["loc"]) + ": " + item["msg"]
            for item in error.errors(include_url=False)
        ).lstrip(": ")
    return str(error) or type(error).__name__
