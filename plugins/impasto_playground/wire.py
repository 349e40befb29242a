"""The wire format of the Bot API: fields to an aiogram method model, a result to JSON.

Objects and arrays may be JSON inside a string. What aiogram's model of the method does not know
is refused, at every depth: a misspelt field is a bug in the bot, and the real server would
silently ignore it.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from aiogram.client.default import Default
from aiogram.methods import TelegramMethod
from aiogram.types import BufferedInputFile, InputFile
from pydantic import BaseModel, ValidationError

from .forms import parse_json
from .refusals import Refusal, bad_request


def build_method(
    model: type[TelegramMethod[Any]], fields: Mapping[str, Any]
) -> TelegramMethod[Any]:
    """Validate `fields` against aiogram's model of the method.

    Raises `Refusal` (400) for unknown, missing and ill-typed fields, nested ones included.
    """
    for name in fields:
        if name not in model.model_fields:
            raise bad_request(f'unknown field "{name}" in the method {model.__api_method__}')
    values = {
        name: _decode(name, model.model_fields[name].annotation, value)
        for name, value in fields.items()
    }
    try:
        method = model.model_validate(values)
    except ValidationError as error:
        raise _refuse_invalid(error) from error
    except RecursionError as error:
        raise bad_request("can't parse JSON object") from error
    for path, name in _unknown_fields(method):
        raise bad_request(f'unknown field "{name}" in {path}')
    return method


def _decode(name: str, annotation: Any, value: Any) -> Any:
    if not isinstance(value, str):
        _refuse_surrogates(value)
        return value
    _refuse_surrogates(value)
    kinds = set(_kinds(annotation))
    if any(kind in (list, dict) or _is_model(kind) for kind in kinds):
        try:
            return parse_json(value)
        except ValueError as error:
            if str in kinds:
                return value
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from error
    if InputFile in kinds and str not in kinds:
        return BufferedInputFile(b"", filename=value)
    if int in kinds and str in kinds:
        return int(value) if _is_integer(value) else value
    return value


def _is_integer(value: str) -> bool:
    digits = value.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 20


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _kinds(annotation: Any) -> Iterator[Any]:
    """The classes a field may hold: unions and `Annotated` opened, generics as their origin."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _kinds(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for argument in typing.get_args(annotation):
            yield from _kinds(argument)
    else:
        yield origin or annotation


def _refuse_surrogates(value: Any) -> None:
    try:
        (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise bad_request("strings must be encoded in UTF-8") from error


_EMPTY = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "media": "media is not specified",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
    "animation": "there is no animation in the request",
    "file_id": "file_id not specified",
    "action": "parameter action is empty",
    "callback_query_id": "query is too old and response timeout expired or query ID is invalid",
}


def _refuse_invalid(error: ValidationError) -> Refusal:
    first = error.errors(include_url=False, include_input=False)[0]
    place = [str(part) for part in first["loc"]]
    if first["type"] == "missing" and len(place) == 1:
        return bad_request(_EMPTY.get(place[0], f"parameter {place[0]} is required"))
    return bad_request(f"can't parse {'.'.join(place) or 'the request'}: {first['msg']}")


def _unknown_fields(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield path or type(value).__name__, name
        for name in type(value).model_fields:
            yield from _unknown_fields(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_fields(item, f"{path}[{index}]")


def to_json(value: Any) -> Any:
    """A result as JSON values: aiogram models under Telegram's names, without what is not set."""
    if isinstance(value, BaseModel):
        return to_json(value.model_dump(by_alias=True, warnings=False))
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items() if not _is_unset(item)}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


def _is_unset(value: Any) -> bool:
    return value is None or isinstance(value, Default | InputFile)


def given(value: Any) -> Any:
    """A field of a method, or None where aiogram's placeholder for a bot-wide default stands."""
    return None if isinstance(value, Default) else value
