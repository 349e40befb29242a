"""What is known about each setting beside its value: unit, bounds, whether a running bot takes a
change over, and which right name a wrong one may have meant."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from impasto.errors import did_you_mean, nearest
from impasto.logs import scrub

M = TypeVar("M", bound=BaseModel)

_SECRET: Final = re.compile(r"token|secret|password|key|dsn|url|proxy", re.IGNORECASE)
"""Names of settings whose values no message shows; those of plugins too."""
_FILE: Final = "_file"
"""Follows the name of a secret where a file holds it."""
_UNITS: Final = {
    "seconds": "seconds",
    "minutes": "minutes",
    "hours": "hours",
    "days": "days",
    "mb": "MB",
    "pixels": "pixels",
    "percent": "%",
}
"""Parts of names that say the unit."""


DEFAULT: Final = "default"
"""Origin of a value that no source has changed."""
LIVE: Final = object()
"""Marks a setting (in `Annotated`) whose change a running bot takes over when it reloads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInfo:
    """One setting: its full name, as in `painting.steps`, and what may be written there."""

    name: str
    default: Any
    unit: str
    allowed: str
    """Bounds or choices in words; empty when the type alone decides."""
    meaning: str
    is_live: bool

    @property
    def is_secret(self) -> bool:
        return isinstance(self.default, SecretStr) or hidden(self.name.rpartition(".")[2])


@dataclass(frozen=True, slots=True)
class Source:
    """Values by section, from one place."""

    name: str
    values: Mapping[str, Any]
    spelling: Callable[[str], str] | None = None
    """The name of a setting there, where it has another one than here."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """The numbers of the lines on which settings and sections stand, by their full names."""
    is_written: bool = True
    """False for what nobody has written down."""

    def origin(self, name: str) -> str:
        return self.name if self.spelling is None else f"{self.name} {self.spelling(name)}"

    def place(self, name: str) -> str:
        """Where in it a setting is, or the section or list that it is in."""
        known = name
        while known and known not in self.lines:
            known = known.rpartition(".")[0]
        if known:
            return f"{self.name}, line {self.lines[known]}"
        return self.origin(name) if self.is_written else ""


@dataclass
class Origins:
    """Which source each value came from, and where it stands there."""

    sources: Sequence[Source] = ()
    """The strongest first."""

    def __post_init__(self) -> None:
        self._written: dict[str, tuple[Source, str]] = {}
        """The source of each setting, and its name there: of a secret, or of the file of one."""
        for source in self.sources:
            for name in _names(source.values):
                self._written.setdefault(secret_of_file(name) or name, (source, name))

    def origin(self, name: str) -> str:
        if name not in self._written:
            return DEFAULT
        source, written = self._written[name]
        return source.origin(written)

    def place(self, name: str) -> str:
        """Where a setting, or what is wrong in a section or a list, is written, in parentheses;
        empty when that is unknown."""
        name = secret_of_file(name) or name
        known = name
        while known and known not in self._written:
            known = known.rpartition(".")[0]
        if known:
            source, written = self._written[known]
            place = source.place(written)
        else:
            within = (s for n, (s, _) in self._written.items() if n.startswith(f"{name}."))
            place = next((source.place(name) for source in within), "")
        return f" ({place})" if place else ""


def _names(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def settings_in(model: type[BaseModel], prefix: str = "") -> Iterator[SettingInfo]:
    """All settings of a model and of the sections in it, in their order."""
    for name, declared in model.model_fields.items():
        section = _section(declared)
        if section is not None:
            yield from settings_in(section, f"{prefix}{name}.")
            continue
        yield SettingInfo(
            name=prefix + name,
            default=declared.get_default(call_default_factory=True),
            unit=next((_UNITS[part] for part in name.split("_") if part in _UNITS), ""),
            allowed=_allowed(declared),
            meaning=" ".join((declared.description or "").split()),
            is_live=LIVE in declared.metadata,
        )


def hidden(name: str) -> bool:
    """Whether a setting of this name may hold a secret, so that its value is never shown."""
    return _SECRET.search(name) is not None


def secret_of_file(name: str) -> str | None:
    """The secret setting that a file holds: `telegram.token` for `telegram.token_file`; None for
    all other names."""
    secret = name.removesuffix(_FILE)
    return secret if secret != name and hidden(secret.rpartition(".")[2]) else None


def other_form(name: str) -> str | None:
    """`token_file` for `token`, and the other way round; None for what is no secret."""
    return secret_of_file(name) or (name + _FILE if hidden(name) else None)


def shown(value: Any) -> str:
    """A value as messages show it; secrets as whether they are set."""
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else "(not set)"
    if value is None or value in ("", []):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()  # as TOML has it
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def value_of(settings: BaseModel, name: str) -> Any:
    """The value of a setting by its full name."""
    return operator.attrgetter(name)(settings)


def merged(current: M, wanted: M) -> tuple[M, list[str], list[str]]:
    """The current settings with the live ones of `wanted`; names of settings that were taken over,
    and of those that differ and need a restart."""
    taken, left = [], []
    changes: dict[str, dict[str, Any]] = {}
    for info in settings_in(type(current)):
        value = value_of(wanted, info.name)
        if value == value_of(current, info.name):
            continue
        if not info.is_live:
            left.append(info.name)
            continue
        section, _, name = info.name.rpartition(".")
        changes.setdefault(section, {})[name] = value
        taken.append(info.name)
    sections = {
        section: value_of(current, section).model_copy(update=values)
        for section, values in changes.items()
    }
    return current.model_copy(update=sections), taken, left


def setting_meant(name: str, known: Iterable[str]) -> str:
    """Half a sentence with the known name that comes nearest; empty when none is near.

    The same word in another section is as near as a misspelt one in the right section.
    """
    names = {*known}
    names |= {n.partition(".")[0] for n in names}  # sections are names, too
    section, _, word = name.rpartition(".")
    elsewhere = sorted(n for n in names if "." in n and n.rpartition(".")[2] == word)
    siblings = {n.rpartition(".")[2]: n for n in names if n.rpartition(".")[0] == section}
    meant = elsewhere[0] if elsewhere else siblings.get(nearest(word, siblings) or "")
    return f"; did you mean {meant}?" if meant else ""


def explain(
    error: ValidationError, model: type[BaseModel], origins: Origins, prefix: str = ""
) -> str:
    """One line per wrong setting: its name, the value (unless secret), where that is written, and
    what is allowed."""
    known = [prefix + info.name for info in settings_in(model)]
    return "\n".join(
        scrub(_line(item, prefix, known, origins)) for item in error.errors(include_url=False)
    )


def _line(item: ErrorDetails, prefix: str, known: list[str], origins: Origins) -> str:
    name = prefix + ".".join(str(part) for part in item["loc"])
    given = item.get("input")
    # A secret's name may be above the item that is wrong.
    value = "" if any(map(hidden, name.split("."))) else f" = {given!r}"
    start = f"{name}{value}{origins.place(name)}: "
    if item["type"] == "extra_forbidden":
        return f"{start}unknown setting{setting_meant(name, known)}"
    hint = ""
    if item["type"] == "literal_error":
        hint = did_you_mean(str(given), re.findall(r"'([^']+)'", item["msg"]))
    return f"{start}{item['msg'].removeprefix('Value error, ')}{hint}"


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _allowed(field: FieldInfo) -> str:
    kind = field.annotation
    if get_origin(kind) is Literal:
        return ", ".join(str(choice) for choice in get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        parts = [_allowed(FieldInfo.from_annotation(each)) for each in get_args(kind)]
        return " or ".join(filter(None, parts))
    if kind is bool:
        return "true, false"
    parts = []
    for item in field.metadata:
        match item:
            case annotated_types.Ge(ge=least):
                parts.append(f"from {_number(least)}")
            case annotated_types.Gt(gt=least):
                parts.append(f"above {_number(least)}")
            case annotated_types.Le(le=most):
                parts.append(f"to {_number(most)}")
            case annotated_types.Lt(lt=most):
                parts.append(f"below {_number(most)}")
    return " ".join(parts)


def _number(value: Any) -> str:
    return f"{value:,}".removesuffix(".0")
