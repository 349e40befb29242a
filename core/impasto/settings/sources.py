"""Where the values of settings come from, in which order, and which source said what."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import (
    SettingsError as SettingsSourceError,
)

from impasto import data_folders
from impasto.errors import SettingsError
from impasto.settings.description import did_you_mean, explain, settings_in

M = TypeVar("M", bound=BaseModel)

DEFAULT: Final = "default"
"""Origin of a value that no source has changed."""
PREFIX: Final = "IMPASTO_"
PORT: Final = "PORT"
"""Variable in which many hosts name the port that they reach a program by."""

Told = list[tuple[str, Mapping[str, Any]]]
"""What each source said, the strongest first."""


def variable_of(name: str) -> str:
    """The variable of a setting by its full name."""
    return PREFIX + name.upper().replace(".", "__")


def environment_without_settings() -> dict[str, str]:
    """This process's variables for one that gets its settings otherwise: those of settings, the
    token among them, are left out."""
    return {
        name: value
        for name, value in os.environ.items()
        if not (name.upper().startswith(PREFIX) and "__" in name)
    }


def read_sources(
    model: type[M], config: Path | None, overrides: Mapping[str, Any]
) -> tuple[M, dict[str, str]]:
    """The settings, and for each that is not at its default where its value came from.

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
    told: Told = []
    try:
        settings = _loader(model, config, told)(**overrides)
    except ValidationError as error:
        raise SettingsError(explain(error, model)) from None
    except (SettingsSourceError, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"settings cannot be read: {error}") from None
    return settings, _origins(told)


def _loader(model: type[M], config: Path | None, told: Told) -> type[M]:
    """The model as a class that reads the sources when it is called: pydantic-settings ties
    sources to a class."""

    class Loader(BaseSettings, model):  # type: ignore[valid-type,misc]
        model_config = SettingsConfigDict(
            env_prefix=PREFIX,
            env_nested_delimiter="__",
            env_file=".env",
            env_file_encoding="utf-8",
            hide_input_in_errors=True,
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            for source in (env_settings, dotenv_settings):
                if isinstance(source, EnvSettingsSource):
                    _check_variables(source.env_vars, model)
            tables = [
                (str(config) if config == file else DEFAULT, file)
                for file in (config, data_folders.default_config())
                if file is not None
            ]
            named = [
                ("command", init_settings),
                ("variable", env_settings),
                (".env", _OwnDotEnv(settings_cls)),
                (f"variable {PORT}", _PortSource(settings_cls)),
                *((name, TomlConfigSettingsSource(settings_cls, file)) for name, file in tables),
            ]
            return tuple(_Telling(settings_cls, name, source, told) for name, source in named)

    return Loader


class _OwnDotEnv(DotEnvSettingsSource):
    """`.env` without other programs' variables, which pydantic-settings reports as unknown."""

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        return {name: value for name, value in super().__call__().items() if name in fields}


class _Telling(PydanticBaseSettingsSource):
    """A source that writes down what it said, under its name."""

    def __init__(
        self,
        settings_cls: type[BaseSettings],
        name: str,
        source: PydanticBaseSettingsSource,
        told: Told,
    ) -> None:
        super().__init__(settings_cls)
        self._name, self._source, self._told = name, source, told

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        values = self._source()
        self._told.append((self._name, values))
        return values


class _PortSource(PydanticBaseSettingsSource):
    """The variable `PORT`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        port = os.environ.get(PORT)
        return {"server": {"port": port}} if port else {}


def _origins(told: Told) -> dict[str, str]:
    origins: dict[str, str] = {}
    for source, values in told:
        for name in _names(values):
            is_variable = source in {"variable", ".env"}
            origins.setdefault(name, f"{source} {variable_of(name)}" if is_variable else source)
    return {name: source for name, source in origins.items() if source != DEFAULT}


def _names(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def _check_variables(variables: Iterable[str], model: type[BaseModel]) -> None:
    """`IMPASTO_TELEGRAM_TOKEN` and `IMPASTO_PAINTNG__STEPS` would be ignored silently, as variables
    of others are.

    Raises:
        SettingsError: a variable lacks the second underscore between section and setting, or has
            it and names no section.
    """
    known = [info.name for info in settings_in(model)]
    meant = {variable_of(name).replace("__", "_"): variable_of(name) for name in known}
    for variable in map(str.upper, variables):
        if not variable.startswith(PREFIX):
            continue
        right = meant.get(variable, variable)
        if right != variable:
            raise SettingsError(f"{variable} is not a setting; write {right}")
        section, nested, _ = variable.removeprefix(PREFIX).lower().partition("__")
        if nested and section not in model.model_fields:
            name = variable.removeprefix(PREFIX).lower().replace("__", ".")
            raise SettingsError(f"{variable} is not a setting{did_you_mean(name, known)}")
