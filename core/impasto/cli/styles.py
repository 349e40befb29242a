"""`impasto styles` lists the preset styles, and `impasto styles add` adds one."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto.cli.session import AsJson, Session, print_json, print_table, session_of
from impasto.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from impasto.contracts import StylePreset

LARGEST_SIDE = 1024
"""Pixels, as the built-in presets have; painting sees no more of a style than that."""
LEAST_SIDE = 256
"""Pixels; a smaller picture has too few marks to paint with."""


app = typer.Typer()


@app.callback(invoke_without_command=True)
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """List the preset styles; `add` adds one."""
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)
    presets = _presets(session)
    if session.strict:
        session.bot.check_strict()
    if as_json:
        print_json(_as_json(preset) for preset in presets)
        return
    print_table(
        ("name", "title", "credit", "licence"),
        (
            (preset.name, f"{preset.emoji} {preset.title('en')}", preset.credit, preset.licence)
            for preset in presets
        ),
    )


@app.command()
def add(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The picture whose style is wanted.")],
    *,
    name: Annotated[str, typer.Option(help="Short name: lower-case letters, digits, _.")],
    title: Annotated[
        list[str] | None,
        typer.Option(help="What people read; for other languages than English, ru=Название."),
    ] = None,
    emoji: Annotated[str, typer.Option(help="Stands before the title.")] = "🎨",
    credit: Annotated[str, typer.Option(help="Who made the picture.")] = "unknown",
    licence: Annotated[
        str, typer.Option(help="Terms of use, such as CC0-1.0.")
    ] = "all rights reserved",
    strength: Annotated[
        float, typer.Option(help="Multiplies the style's weight in all its paintings.")
    ] = 1.0,
    brush_size: Annotated[float, typer.Option(help="Multiplies the size of its marks.")] = 1.0,
) -> None:
    """Add a picture to the preset styles of this installation (the folder styles/ in state_dir)."""
    session = session_of(context)
    if any(preset.name == name for preset in _presets(session)):
        raise OwnerError(f"there is a style {name!r} already; choose another --name")
    folder = session.settings.own_styles
    facts = {
        "file": f"{name}.jpg",
        "emoji": emoji,
        "credit": credit,
        "licence": licence,
        "strength": strength,
        "brush_size": brush_size,
    }
    entry = _entry(name, facts, _titles(name, title or []))
    picture = folder / f"{name}.jpg"
    if picture.exists():
        raise OwnerError(f"there is a file {picture} already; choose another --name")
    _copy_picture(file, picture)
    table = folder / "styles.toml"
    before = table.read_bytes() if table.is_file() else b""
    _replace(table, before + entry.encode())
    added = _presets(dataclasses.replace(session))  # loads all plugins again
    if not any(preset.name == name for preset in added):
        # The plugin has said why on standard error, as it does for every entry that it leaves out.
        _replace(table, before)
        picture.unlink()
        raise OwnerError(f"the style {name!r} was not added; the warning above says why")
    typer.echo(f"Added {emoji} {name} ({picture}). The bot shows it after its next start.")


def _presets(session: Session) -> list[StylePreset]:
    from impasto.contracts import StylePreset

    return session.bot.collect("impasto_styles", StylePreset, settings=session.settings)


def _titles(name: str, given: list[str]) -> dict[str, str]:
    """Titles by language; `--title Sunset --title ru=Закат`."""
    titles = {"en": name.replace("_", " ").capitalize()}
    for title in given:
        tagged = re.fullmatch(r"([a-z]{2,3})=(.+)", title)
        titles[tagged[1] if tagged else "en"] = tagged[2] if tagged else title
    return titles


def _entry(name: str, facts: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """The two tables of a style in styles.toml."""
    table = f"styles.{json.dumps(name)}"
    return _table(table, facts) + _table(f"{table}.titles", titles)


def _table(name: str, values: Mapping[str, Any]) -> str:
    """TOML's strings and numbers are written as JSON's are."""
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    return f"\n[{name}]\n{''.join(lines)}"


def _copy_picture(source: Path, target: Path) -> None:
    """Copies a picture as an upright JPEG with no more pixels than painting makes use of."""
    from PIL import Image, ImageOps

    try:
        with Image.open(source) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise OwnerError(f"{source} is not a picture that can be read: {error}") from None
    if min(picture.size) < LEAST_SIDE:
        raise OwnerError(
            f"{source} is {picture.width} x {picture.height} pixels; a style needs at least "
            f"{LEAST_SIDE} on each side"
        )
    scale = max(LARGEST_SIDE / max(picture.size), LEAST_SIDE / min(picture.size))
    if scale < 1:
        picture = ImageOps.scale(picture, scale, Image.Resampling.LANCZOS)
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.save(target, "JPEG", quality=92, subsampling=0)


def _replace(file: Path, content: bytes) -> None:
    unfinished = file.with_suffix(".part")
    unfinished.write_bytes(content)
    shutil.move(unfinished, file)


def _as_json(preset: StylePreset) -> dict[str, Any]:
    return {
        "name": preset.name,
        "titles": preset.titles,
        "picture": str(preset.picture),
        "credit": preset.credit,
        "licence": preset.licence,
        "strength": preset.strength,
        "brush_size": preset.brush_size,
    }
