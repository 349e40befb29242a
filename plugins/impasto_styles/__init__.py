"""The presets of `styles/`, and this installation's own in `styles/` of the state folder; and
`impasto styles` to list them, to add one, and to fetch famous paintings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from impasto import StylePreset, data_folders, hookimpl
from impasto_styles.presets import read_presets

if TYPE_CHECKING:
    import typer

    from impasto.settings import Settings

__all__ = ["read_presets"]


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
