"""What a written value stands for, before it is validated: a list as text, a path that begins with
`~`, a file that holds a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel

from impasto.errors import SettingsError
from impasto.settings.description import Origins, secret_of_file

_LISTS: Final = {list, set, frozenset, tuple}


def meant(
    model: type[BaseModel], values: Mapping[str, Any], origins: Origins, prefix: str = ""
) -> dict[str, Any]:
    """The values of a model, and of the sections in it, as they are to be validated.

    An empty path is left out, so that the default holds: it would be the working directory.

    Raises:
        SettingsError: the file of a secret cannot be used, or there is no such home folder.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        full = prefix + name
        secret = secret_of_file(name)
        if secret in model.model_fields and name not in model.model_fields:
            if secret in values:
                problem = f"leave out {full} or {prefix}{secret}: it is one secret"
                raise SettingsError(f"{full}{origins.place(full)}: {problem}")
            found[secret] = _content(value, full, origins)
            continue
        field = model.model_fields.get(name)
        kinds = _kinds(field.annotation) if field is not None else set()
        section = _section(kinds)
        if section is not None and isinstance(value, Mapping):
            found[name] = meant(section, value, origins, f"{full}.")
        elif not (Path in kinds and value == ""):
            given = _from_text(value, kinds) if isinstance(value, str) else value
            found[name] = _expanded(given, full, origins) if Path in kinds else given
    return found


def expanded(path: str) -> str:
    """The path with the home folder in place of a leading `~`.

    Raises:
        ValueError: there is no such home folder.
    """
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError:
        raise ValueError("there is no such home folder; write the path in full") from None


def _kinds(annotation: Any) -> set[Any]:
    """All types that an annotation is made of."""
    origin = get_origin(annotation)
    if origin is Literal:
        return set()
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    return {origin or annotation}.union(*map(_kinds, get_args(annotation)))


def _section(kinds: set[Any]) -> type[BaseModel] | None:
    """The model of a section; None for a list of such, or a choice between them."""
    models = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
    return models[0] if len(models) == 1 and not kinds & _LISTS else None


def _from_text(text: str, kinds: set[Any]) -> Any:
    """`1`, `1, 2` and `[1, 2]` are lists, `{"a": 1}` is a table, where such a thing is wanted."""
    is_list = bool(kinds & _LISTS)
    if not is_list and dict not in kinds:
        return text
    stripped = text.strip()
    if stripped.startswith(("[", "{")):
        try:
            return json.loads(stripped)
        except (ValueError, RecursionError):
            pass  # perhaps [a, b], without the quotes of JSON
    if not is_list:
        return text
    parts = (part.strip() for part in stripped.removeprefix("[").removesuffix("]").split(","))
    return [part for part in parts if part]


def _expanded(value: Any, name: str, origins: Origins) -> Any:
    if isinstance(value, list):
        return [_expanded(item, name, origins) for item in value if item != ""]
    if not isinstance(value, str):
        return value
    try:
        return expanded(value)
    except ValueError as error:
        raise SettingsError(f"{name} = {value!r}{origins.place(name)}: {error}") from None


def _content(file: Any, name: str, origins: Origins) -> str:
    """The secret in a file, without the line's end after it."""
    try:
        content = Path(expanded(str(file))).read_text(encoding="utf-8-sig").strip()
        problem = "" if content else "the file is empty"
    except UnicodeDecodeError:
        problem = "the file is no text in UTF-8"
    except OSError as error:
        problem = f"the file cannot be read: {error.strerror}"
    except ValueError as error:
        problem = str(error)
    if problem:
        raise SettingsError(f"{name} = {str(file)!r}{origins.place(name)}: {problem}")
    return content
