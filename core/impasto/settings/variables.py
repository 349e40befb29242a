"""Settings in environment variables, and in `.env`, which has the same as lines of a file."""

from __future__ import annotations

import difflib
import io
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import dotenv
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from impasto.errors import SettingsError
from impasto.settings.description import Source, setting_meant, settings_in
from impasto.settings.model import RESERVED_PLUGIN_NAMES, Settings

PREFIX: Final = "IMPASTO_"
DOTENV: Final = Path(".env")

_SERVICE: Final = re.compile(
    r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$|_ENV_|_NAME$"
)
"""Names of variables that Kubernetes and Docker set for services and links called `impasto...`."""
_SERVICE_ADDRESS: Final = re.compile(r"(tcp|udp|sctp)://")
_COLON: Final = re.compile(rf"\s*(?:export\s+)?({PREFIX}\w+)\s*:", re.IGNORECASE)
_ASSIGNED: Final = re.compile(rf"\s*(?:export\s+)?'?({PREFIX}\w+)'?\s*=", re.IGNORECASE)
_LEAST_LIKENESS: Final = 0.87


def variable_of(name: str) -> str:
    """The environment variable of a setting, such as `painting.steps`."""
    return PREFIX + name.upper().replace(".", "__")


def _setting_of(variable: str) -> str:
    """The other way round, of a variable in any case."""
    return variable.upper().removeprefix(PREFIX).lower().replace("__", ".")


def environment_without_settings() -> dict[str, str]:
    """This process's variables without those of settings (the token is among them), for a process
    that is told its settings in another way."""
    return {name: value for name, value in os.environ.items() if not _may_be_setting(name.upper())}


def _may_be_setting(variable: str) -> bool:
    section, nested, _ = variable.removeprefix(PREFIX).lower().partition("__")
    return variable.startswith(PREFIX) and (bool(nested) or section in Settings.model_fields)


def of_environment() -> Source:
    """Raises SettingsError for a variable that is meant for a setting and is none."""
    return Source("variable", _nested(os.environ), variable_of)


def of_dotenv() -> Source:
    """The lines of `.env` in the working directory, if it is there.

    Raises:
        SettingsError: it cannot be read, or a line is meant for a setting and is none.
    """
    if not DOTENV.exists():
        return Source(str(DOTENV), {})
    text = text_of(DOTENV)
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if wrong := _COLON.match(line):
            raise SettingsError(
                f"{DOTENV}, line {number}: write {wrong[1]}=VALUE, with an equals sign"
            )
        if assigned := _ASSIGNED.match(line):
            lines[_setting_of(assigned[1])] = number
    values = _nested(dotenv.dotenv_values(stream=io.StringIO(text)))
    return Source(str(DOTENV), values, variable_of, lines)


def text_of(file: Path) -> str:
    """What stands in a settings file, without a byte order mark.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except IsADirectoryError:
        problem = "it is a folder"
    except UnicodeDecodeError as error:
        problem = f"it is no text in UTF-8 ({error.reason} at byte {error.start})"
    except OSError as error:
        problem = error.strerror or str(error)
        if file.is_dir():  # Windows denies the permission
            problem = "it is a folder"
    raise SettingsError(f"settings cannot be read from {file}: {problem}")


def _nested(variables: Mapping[str, str | None]) -> dict[str, Any]:
    """Values by section. An empty variable is as good as none: compose files write `${X:-}`."""
    ours = {
        name.upper(): value
        for name, value in variables.items()
        if name.upper().startswith(PREFIX) and value is not None and value.strip()
    }
    _check_names(ours)
    of_plugins = _pop_plugin_tables(ours)
    reader = _Reader(_Variables)
    reader.env_vars = {name.lower(): value for name, value in ours.items()}
    values = reader()
    for plugin, table in of_plugins.items():
        plugins = values.setdefault("plugins", {})
        plugins[plugin] = table | plugins.get(plugin, {})
    return values


def _pop_plugin_tables(variables: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The sections of plugins that are given as a whole, which have no fields here to be known by;
    they are taken out of the variables."""
    tables = {}
    for variable, text in list(variables.items()):
        section, _, plugin = variable.removeprefix(PREFIX).lower().partition("__")
        is_one = section == "plugins" and plugin not in {"", *RESERVED_PLUGIN_NAMES}
        if is_one and "__" not in plugin and text.lstrip().startswith("{"):
            tables[plugin] = _table(variables.pop(variable), variable)
    return tables


class _Variables(BaseSettings, Settings):
    """The settings as pydantic-settings reads them from variables; never instantiated."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", defer_build=True
    )


class _Reader(EnvSettingsSource):
    """Takes a section that is given as a whole for JSON and leaves the rest as text: what a list
    may look like is told in `values`."""

    def decode_complex_value(self, field_name: str, field: FieldInfo | None, value: Any) -> Any:
        if field is not None and field is _Variables.model_fields.get(field_name):
            return _table(value, variable_of(field_name))
        return value


def _table(text: str, variable: str) -> dict[str, Any]:
    """The settings of a section that is given as a whole, as JSON."""
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        raise SettingsError(
            f"{variable} is a section: set what is in it, as in {variable}__NAME=VALUE, or all of "
            'it as JSON, {"NAME": VALUE}'
        )
    return table


def _check_names(variables: Mapping[str, str]) -> None:
    """`IMPASTO_TELEGRAM_TOKEN` and `IMPASTO_PAINTNG__STEPS` would be ignored silently, as variables
    of other programs are.

    Raises:
        SettingsError: a variable lacks the second underscore between section and setting, or the
            section, or names one that there is not.
    """
    known = [info.name for info in settings_in(Settings)]
    for variable, value in variables.items():
        name = variable.removeprefix(PREFIX).lower()
        section, nested, rest = name.partition("__")
        if not nested and name not in Settings.model_fields:
            if right := _right_name(variable, value, known):
                raise SettingsError(f"{variable} is not a setting; write {right}")
        elif nested and section not in Settings.model_fields:
            hint = setting_meant(name.replace("__", "."), known)
            of_plugin = f"; that of a plugin is IMPASTO_PLUGINS__{variable.removeprefix(PREFIX)}"
            raise SettingsError(f"{variable} is not a setting{hint or of_plugin}")
        elif nested and not rest:
            raise SettingsError(f"{variable} names no setting after the section")


def _right_name(variable: str, value: str, known: Iterable[str]) -> str:
    """What a variable without a section was to be called; empty when it is right, or none of
    ours."""
    if _SERVICE.search(variable) or _SERVICE_ADDRESS.match(value):
        return ""
    word = variable.removesuffix("_FILE")
    ending = variable.removeprefix(word)
    rights = {variable_of(name): name for name in known}
    if word in rights:
        return ""
    by_form: dict[str, str] = {}
    for right, name in rights.items():
        by_form.setdefault(PREFIX + name.rpartition(".")[2].upper(), right)
    by_form |= {right.replace("__", "_"): right for right in rights}
    for form in (word, word.replace("BOT_", "")):
        if form in by_form:
            return by_form[form] + ending
    if word.startswith(f"{PREFIX}PLUGINS_"):
        return f"{PREFIX}PLUGINS__PLUGIN__SETTING, with two underscores each"
    close = difflib.get_close_matches(word, by_form, n=1, cutoff=_LEAST_LIKENESS)
    return by_form[close[0]] + ending if close else ""
