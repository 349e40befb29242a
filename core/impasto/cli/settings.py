"""`impasto settings`: each setting, its value, where that came from, and what is allowed."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto.cli.session import AsJson, print_json, session_of

if TYPE_CHECKING:
    from impasto.settings import Settings
    from impasto.settings.description import SettingInfo


def settings(
    context: typer.Context,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only those that are not at their defaults.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show Impasto's own settings: value, default, what is allowed, where the value came from.

    A running bot applies some changes on SIGHUP; the others need a restart.
    `impasto plugins --settings` shows the settings of plugins."""
    from impasto.settings import Settings
    from impasto.settings.description import settings_in

    current = session_of(context).settings
    infos = list(settings_in(Settings))
    if changed:
        infos = [info for info in infos if value_in(current, info) != info.default]
    show_settings(current, infos, as_json=as_json)


def show_settings(settings: Settings, infos: Iterable[SettingInfo], *, as_json: bool) -> None:
    """Prints settings; what looks like a secret is not shown."""
    if as_json:
        print_json(_as_json(settings, info) for info in infos)
        return
    width = min(shutil.get_terminal_size().columns, 100)
    for info in infos:
        value = _shown(value_in(settings, info), info)
        typer.echo(f"{info.name} = {value}  [{settings.origin(info.name)}]")
        typer.echo(
            textwrap.fill(_about(info), width, initial_indent="    ", subsequent_indent="    ")
        )


def _about(info: SettingInfo) -> str:
    """Meaning, default and bounds in a sentence each."""
    allowed = " ".join(filter(None, [info.allowed, info.unit]))
    parts = [info.meaning, f"Default: {_shown(info.default, info)}."]
    if allowed:
        parts.append(f"Allowed: {allowed}.")
    if info.is_live:
        parts.append("Takes effect on reload.")
    return " ".join(parts)


def value_in(settings: Settings, info: SettingInfo) -> Any:
    """The value of a setting of the core, or of a loaded plugin."""
    from impasto.settings.description import value_of

    section, _, name = info.name.removeprefix("plugins.").partition(".")
    if info.name.startswith("plugins.") and name:
        return value_of(settings.plugin(section), name)
    return value_of(settings, info.name)


def _shown(value: Any, info: SettingInfo) -> str:
    from impasto.settings.description import shown

    if info.is_secret:
        return "(set)" if shown(value) not in {"none", "(not set)"} else "none"
    return shown(value)


def _as_json(settings: Settings, info: SettingInfo) -> dict[str, Any]:
    value = value_in(settings, info)
    return {
        "setting": info.name,
        "value": _shown(value, info) if info.is_secret else value,
        "default": _shown(info.default, info) if info.is_secret else info.default,
        "unit": info.unit,
        "allowed": info.allowed,
        "from": settings.origin(info.name),
        "needs_restart": not info.is_live,
        "meaning": info.meaning,
    }
