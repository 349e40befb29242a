"""Where the values of settings come from, in which order, and which source each came from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import (
    SettingsError as SettingsSourceError,
)

from impasto import data_folders
from impasto.errors import SettingsError
from impasto.settings.description import did_you_mean, explain, settings_in
from impasto.settings.model import DEFAULT, PluginsSettings, Settings

PREFIX: Final = "IMPASTO_"
PORT: Final = "PORT"
"""Variable in which many hosts name the port that they reach a program by."""


class _Variables(BaseSettings, Settings):
    """The settings as pydantic-settings reads them from variables; never instantiated."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        env_file_encoding="utf-8",
        defer_build=True,
    )


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """Core settings from all their sources.

    Args:
        config: a TOML file; None takes the one that IMPASTO_CONFIG names, if it names one.
        overrides: by section; they win over every source.

    Raises:
        SettingsError: a value is wrong or unknown, or `config` is no readable TOML file.
    """
    if config is None and "IMPASTO_CONFIG" in os.environ:
        config = Path(os.environ["IMPASTO_CONFIG"])
    if config is not None and not config.is_file():
        raise SettingsError(f"there is no settings file {config}")
    try:
        sources = _sources(config, overrides)
        values: dict[str, Any] = {}
        for _, said in reversed(sources):
            values = _merged(values, said)
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(explain(error, Settings)) from None
    except (SettingsSourceError, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"settings cannot be read: {error}") from None
    _check_plugin_sections(settings)
    settings._origins = _origins(sources)
    return settings


def variable_of(name: str) -> str:
    """The environment variable of a setting, such as `painting.steps`."""
    return PREFIX + name.upper().replace(".", "__")


def environment_without_settings() -> dict[str, str]:
    """This process's variables without those of settings (the token is among them), for a process
    that is told its settings in another way."""
    return {
        name: value
        for name, value in os.environ.items()
        if not (name.upper().startswith(PREFIX) and "__" in name)
    }


def _sources(
    config: Path | None, overrides: Mapping[str, Any]
) -> list[tuple[str, Mapping[str, Any]]]:
    """Name and values of each source, the strongest first."""
    variables, dotenv = EnvSettingsSource(_Variables), DotEnvSettingsSource(_Variables)
    for source in (variables, dotenv):
        _check_variables(source.env_vars)
    # pydantic-settings also reports what other programs have in `.env`.
    of_dotenv = {name: value for name, value in dotenv().items() if name in Settings.model_fields}
    port = os.environ.get(PORT)
    return [
        ("command", overrides),
        ("variable", variables()),
        (".env", of_dotenv),
        (f"variable {PORT}", {"server": {"port": port}} if port else {}),
        (str(config), _read_toml(config) if config is not None else {}),
        (DEFAULT, _read_toml(data_folders.default_config())),
    ]


def _read_toml(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _merged(weak: Mapping[str, Any], strong: Mapping[str, Any]) -> dict[str, Any]:
    """The values of both, those of `strong` where both have one."""
    merged = dict(weak)
    for name, value in strong.items():
        below = merged.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[name] = _merged(below, value)
        else:
            merged[name] = value
    return merged


def _origins(sources: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    origins: dict[str, str] = {}
    for source, values in sources:
        for name in _names(values):
            is_variable = source in {"variable", ".env"}
            origins.setdefault(name, f"{source} {variable_of(name)}" if is_variable else source)
    return origins


def _names(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def _check_variables(variables: Iterable[str]) -> None:
    """`IMPASTO_TELEGRAM_TOKEN` and `IMPASTO_PAINTNG__STEPS` would be ignored silently, as variables
    of other programs are.

    Raises:
        SettingsError: a variable lacks the second underscore between section and setting, or has
            it and names no section.
    """
    known = [info.name for info in settings_in(Settings)]
    meant = {variable_of(name).replace("__", "_"): variable_of(name) for name in known}
    for variable in map(str.upper, variables):
        if not variable.startswith(PREFIX):
            continue
        right = meant.get(variable, variable)
        if right != variable:
            raise SettingsError(f"{variable} is not a setting; write {right}")
        section, nested, _ = variable.removeprefix(PREFIX).lower().partition("__")
        if nested and section not in Settings.model_fields:
            name = variable.removeprefix(PREFIX).lower().replace("__", ".")
            raise SettingsError(f"{variable} is not a setting{did_you_mean(name, known)}")


def _check_plugin_sections(settings: Settings) -> None:
    """Raises SettingsError for a wrong key of `[plugins]`, which looks like a plugin's section."""
    for name, value in settings.plugins.sections.items():
        if not isinstance(value, Mapping):
            known = [f"plugins.{field}" for field in PluginsSettings.model_fields]
            hint = did_you_mean(f"plugins.{name}", known)
            raise SettingsError(f"plugins.{name}: unknown setting{hint}")
