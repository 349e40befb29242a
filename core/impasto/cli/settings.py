"""`impasto settings`: each setting, its value, where that came from, and what else is allowed."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto.cli.output import AsJson, print_json
from impasto.cli.session import session_of

if TYPE_CHECKING:
    from impasto.knobs import Knob
    from impasto.settings import Settings


def add_commands(cli: typer.Typer) -> None:
    cli.command("settings")(settings)


def settings(
    context: typer.Context,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only those that are not at their defaults.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show every setting: value, default, what is allowed, and where the value came from.

    A running bot takes some changes over when it gets SIGHUP; the others need a restart. Settings
    of plugins: `impasto plugins --settings`."""
    from impasto.knobs import knobs_of
    from impasto.settings import Settings

    current = session_of(context).settings
    knobs = list(knobs_of(Settings))
    if changed:
        knobs = [knob for knob in knobs if value_in(current, knob) != knob.default]
    show_settings(current, knobs, as_json=as_json)


def show_settings(settings: Settings, knobs: Iterable[Knob], *, as_json: bool) -> None:
    """Prints settings; what looks like a secret is not shown."""
    if as_json:
        print_json(_as_json(settings, knob) for knob in knobs)
        return
    width = min(shutil.get_terminal_size().columns, 100)
    for knob in knobs:
        value = _shown(value_in(settings, knob), knob)
        typer.echo(f"{knob.name} = {value}  [{settings.origin(knob.name)}]")
        typer.echo(
            textwrap.fill(_about(knob), width, initial_indent="    ", subsequent_indent="    ")
        )


def _about(knob: Knob) -> str:
    """Meaning, default and bounds in a sentence each."""
    allowed = " ".join(filter(None, [knob.allowed, knob.unit]))
    parts = [knob.meaning, f"Default: {_shown(knob.default, knob)}."]
    if allowed:
        parts.append(f"Allowed: {allowed}.")
    if knob.is_live:
        parts.append("Takes effect on reload.")
    return " ".join(parts)


def value_in(settings: Settings, knob: Knob) -> Any:
    """The value of a setting of the core, or of a loaded plugin."""
    from impasto.knobs import value_of

    section, _, name = knob.name.removeprefix("plugins.").partition(".")
    if knob.name.startswith("plugins.") and name:
        return value_of(settings.plugin(section), name)
    return value_of(settings, knob.name)


def _shown(value: Any, knob: Knob) -> str:
    from impasto.knobs import shown

    if knob.is_secret:
        return "(set)" if shown(value) not in {"none", "(not set)"} else "none"
    return shown(value)


def _as_json(settings: Settings, knob: Knob) -> dict[str, Any]:
    value = value_in(settings, knob)
    return {
        "setting": knob.name,
        "value": _shown(value, knob) if knob.is_secret else _plain(value),
        "default": _shown(knob.default, knob) if knob.is_secret else _plain(knob.default),
        "unit": knob.unit,
        "allowed": knob.allowed,
        "from": settings.origin(knob.name),
        "needs_restart": not knob.is_live,
        "meaning": knob.meaning,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value
