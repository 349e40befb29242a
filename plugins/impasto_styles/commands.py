"""`impasto styles` lists the preset styles, `add` adds one, and `fetch` gets famous paintings."""

from __future__ import annotations

import dataclasses
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from impasto.cli import AsJson, print_json, print_table, session_of
from impasto.errors import OwnerError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from impasto import StylePreset
    from impasto.cli import Session
    from impasto_styles.famous import Painting

SHOWN_LATER = "The bot shows new styles after SIGHUP or its next start."
PAUSE_SECONDS = 1.0
"""Between two downloads; Wikimedia shuts out programs that ask for many files at once."""

styles = typer.Typer(rich_markup_mode="markdown")


def _famous(context: typer.Context, incomplete: str) -> list[str]:
    from impasto_styles.famous import read_paintings

    names = read_paintings(session_of(context).settings.own_styles, None)
    return [name for name in names if name.startswith(incomplete)]


@styles.callback(invoke_without_command=True)
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """List the styles, add one of your own, or fetch famous paintings."""
    if context.invoked_subcommand is not None:
        return
    presets = session_of(context).presets()
    if as_json:
        print_json(dataclasses.asdict(preset) for preset in presets)
        return
    print_table(
        ("name", "title", "by", "licence"),
        (
            (preset.name, _named(preset), preset.credit.partition(",")[0], preset.licence)
            for preset in presets
        ),
    )
    typer.echo("`impasto styles --json` has the credits in full.")


@styles.command()
def add(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The picture whose style you want.", metavar="FILE")],
    *,
    name: Annotated[str, typer.Option(help="Short name: lower-case letters, digits, _.")],
    title: Annotated[
        list[str] | None,
        typer.Option(help="Title that people see; in another language with its code: ru=Название."),
    ] = None,
    emoji: Annotated[str, typer.Option(help="Emoji before the title.")] = "🎨",
    credit: Annotated[str, typer.Option(help="Who made the picture.")] = "unknown",
    licence: Annotated[
        str, typer.Option(help="Terms of use, such as CC0-1.0.")
    ] = "all rights reserved",
    strength: Annotated[float, typer.Option(help="Multiplies the weight of this style.")] = 1.0,
    brush_size: Annotated[float, typer.Option(help="Multiplies the size of the strokes.")] = 1.0,
) -> None:
    """Add a picture to your preset styles (the folder styles/ in state_dir)."""
    from impasto import StylePreset
    from impasto_styles.adding import add_preset, style_picture

    session = session_of(context)
    try:
        preset = StylePreset(
            name=name,
            titles=_titles(name, title or []),
            picture=session.settings.own_styles / f"{name}.jpg",
            credit=credit,
            licence=licence,
            emoji=emoji,
            strength=strength,
            brush_size=brush_size,
        )
    except ValueError as error:
        raise OwnerError(f"the style was not added: {error}") from None
    add_preset(session, preset, style_picture(file, str(file)))
    typer.echo(f"Added {emoji} {name} ({preset.picture}). {SHOWN_LATER}")


@styles.command()
def fetch(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Without names, all are listed.", metavar="NAME", autocompletion=_famous
        ),
    ] = None,
    *,
    all_of_them: Annotated[bool, typer.Option("--all", help="Fetch all of them.")] = False,
    manifest: Annotated[Path | None, typer.Option(hidden=True, help="Another list.")] = None,
) -> None:
    """Fetch famous paintings in the public domain from Wikimedia Commons, as preset styles."""
    from impasto_styles.famous import read_paintings

    session = session_of(context)
    paintings = read_paintings(session.settings.own_styles, manifest)
    if names and all_of_them:
        raise typer.BadParameter("give names or --all, not both")
    unknown = [name for name in names or () if name not in paintings]
    if unknown:
        hint = did_you_mean(unknown[0], paintings) or "; `impasto styles fetch` lists all"
        raise OwnerError(f"there is no painting {unknown[0]!r} to fetch{hint}")
    here = {preset.name for preset in session.presets()}
    if names or all_of_them:
        wanted = dict.fromkeys(names or paintings)
        _fetch_all(session, [paintings[name] for name in wanted], here)
        return
    print_table(
        ("name", "title", "artist", ""),
        (
            (name, _named(painting.preset), painting.artist, "here" if name in here else "")
            for name, painting in paintings.items()
        ),
    )
    typer.echo("`impasto styles fetch NAME...` gets some, `impasto styles fetch --all` gets all.")


def _fetch_all(session: Session, paintings: Sequence[Painting], here: set[str]) -> None:
    """Gets and adds what is not here, one after another, with a line about each.

    Raises:
        typer.Exit: with 1, as not all of them could be fetched.
    """
    added = failed = 0
    for number, painting in enumerate(paintings, 1):
        name = painting.preset.name
        typer.echo(f"{number}/{len(paintings)} {name}: ", nl=False)
        if name in here:
            typer.echo("is here already")
            continue
        if added or failed:
            time.sleep(PAUSE_SECONDS)
        try:
            _fetch_one(session, painting)
        except OwnerError as error:
            failed += 1
            typer.echo("failed")
            typer.echo(f"impasto: {name}: {error}", err=True)
        else:
            added += 1
            typer.echo(f"added {_named(painting.preset)}")
    if added:
        typer.echo(SHOWN_LATER)
    if failed:
        raise typer.Exit(1)


def _fetch_one(session: Session, painting: Painting) -> None:
    """Raises OwnerError, which says what to do."""
    from impasto_styles.adding import add_preset

    try:
        picture = painting.fetch()
    except OwnerError as error:
        instead = painting.by_hand(["impasto", *session.arguments])
        raise OwnerError(f"{error}; {instead}") from None
    add_preset(session, painting.preset, picture)


def _named(preset: StylePreset) -> str:
    return f"{preset.emoji} {preset.title('en')}"


def _titles(name: str, given: list[str]) -> dict[str, str]:
    """Titles by language; `--title Sunset --title ru=Закат`."""
    titles = {"en": name.replace("_", " ").capitalize()}
    for title in given:
        tagged = re.fullmatch(r"([a-z]{2,3})=(.+)", title)
        titles[tagged[1] if tagged else "en"] = tagged[2] if tagged else title
    return titles
