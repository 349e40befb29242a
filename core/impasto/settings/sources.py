"""Where the values of settings come from, in which order, and which source each came from."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from impasto import data_folders
from impasto.errors import SettingsError
from impasto.settings.description import (
    DEFAULT,
    Origins,
    Source,
    explain,
    other_form,
    setting_meant,
)
from impasto.settings.model import PluginsSettings, Settings
from impasto.settings.values import expanded, meant
from impasto.settings.variables import of_dotenv, of_environment, text_of

CONFIG: Final = "IMPASTO_CONFIG"
PORT: Final = "PORT"
"""Variable in which many hosts name the port that they reach a program by."""

_TABLE: Final = re.compile(r"\s*\[\[?([^\[\]]+)\]")
_KEY: Final = re.compile(r"\s*([\w\-\"'.\s]+?)\s*=")


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """Core settings from all their sources.

    Args:
        config: a TOML file; None takes the one that IMPASTO_CONFIG names, if it names one.
        overrides: by section; they win over every source.

    Raises:
        SettingsError: a value is wrong or unknown, or `config` is no readable TOML file.
    """
    sources = _sources(config, overrides)
    origins = Origins(sources)
    values: dict[str, Any] = {}
    for source in reversed(sources):
        values = _merged(values, source.values)
    try:
        settings = Settings.model_validate(meant(Settings, values, origins))
    except ValidationError as error:
        raise SettingsError(explain(error, Settings, origins)) from None
    settings._origins = origins
    _check_plugin_sections(settings)
    return settings


def _sources(config: Path | None, overrides: Mapping[str, Any]) -> list[Source]:
    """All sources, the strongest first."""
    port = os.environ.get(PORT, "").strip()
    return [
        Source("command", overrides, is_written=False),
        of_environment(),
        of_dotenv(),
        Source(f"variable {PORT}", {"server": {"port": port}} if port else {}),
        *_of_file(config or _named_config()),
        Source(DEFAULT, tomllib.loads(text_of(data_folders.default_config())), is_written=False),
    ]


def _named_config() -> Path | None:
    named = os.environ.get(CONFIG, "").strip()
    return Path(named) if named else None


def _of_file(config: Path | None) -> list[Source]:
    if config is None:
        return []
    try:
        file = Path(expanded(str(config)))
    except ValueError as error:
        raise SettingsError(f"there is no settings file {config}: {error}") from None
    if not file.exists():
        raise SettingsError(f"there is no settings file {file}")
    text = text_of(file)
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"settings cannot be read from {file}: {error}") from None
    return [Source(str(file), values, lines=_lines(text))]


def _lines(text: str) -> dict[str, int]:
    """The number of the line of each table and key, which `tomllib` does not tell."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = _plain(header[1])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault(f"{table}.{_plain(key[1])}".removeprefix("."), number)
    return found


def _plain(key: str) -> str:
    return re.sub(r"[\s\"']", "", key)


def _merged(weak: Mapping[str, Any], strong: Mapping[str, Any]) -> dict[str, Any]:
    """The values of both, those of `strong` where both have one; a secret and the file of it are
    one."""
    merged = dict(weak)
    for name, value in strong.items():
        below = merged.get(name)
        if isinstance(value, Mapping):
            merged[name] = _merged(below, value) if isinstance(below, Mapping) else value
            continue
        other = other_form(name)
        if other is not None and other not in strong:
            merged.pop(other, None)
        merged[name] = value
    return merged


def _check_plugin_sections(settings: Settings) -> None:
    """Raises SettingsError for a wrong key of `[plugins]`, which looks like a plugin's section."""
    for name, value in settings.plugins.sections.items():
        if not isinstance(value, Mapping):
            known = [f"plugins.{field}" for field in PluginsSettings.model_fields]
            full = f"plugins.{name}"
            hint = setting_meant(full, known)
            raise SettingsError(f"{full}{settings.place(full)}: unknown setting{hint}")
