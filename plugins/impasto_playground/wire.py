"""The wire format of the Bot API: from a request to fields and files, from fields to aiogram's
model of the method, from a result to JSON.

A request may carry its fields in the query, as JSON, urlencoded or as multipart/form-data. Objects
and arrays may be JSON inside a string; files are streamed to disk; sizes and counts are bounded.
What aiogram's model of the method does not know is refused, at every depth: a misspelt field is a
bug in the bot, and the real server would silently ignore it.
"""

from __future__ import annotations

import io
import json
import tempfile
import types
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import parse_qsl

from aiogram.client.default import Default
from aiogram.methods import TelegramMethod
from aiogram.types import BufferedInputFile, InputFile
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ValidationError

from .refusals import Refusal, bad_request, too_large

MAX_UPLOAD_BYTES = 50 * 1024 * 1024
"""The largest file the Bot API takes (https://core.telegram.org/bots/api#sending-files)."""

MAX_FIELD_BYTES = 1024 * 1024
"""All fields of one call that are not files, together: far above any legal call."""

MAX_FIELDS = 256
CHUNK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a call, already on disk."""

    path: Path
    name: str
    content_type: str | None
    size: int


@dataclass(slots=True)
class Call:
    """One call as it came: the method's name, its fields, its files by form name."""

    method: str
    fields: dict[str, Any] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def discard_uploads(self) -> None:
        """Remove the files nobody took."""
        for upload in self.uploads.values():
            upload.path.unlink(missing_ok=True)


@asynccontextmanager
async def received(request: web.Request, incoming: Path, method: str = "") -> AsyncIterator[Call]:
    """The query and the body as a call; its files are streamed into the folder `incoming`, from
    which those that nobody took are removed in the end.

    Raises `Refusal` when the body is too large or not of the type it says it is.
    """
    call = Call(method)
    try:
        await _read_call(request, call, incoming)
        yield call
    finally:
        call.discard_uploads()


async def _read_call(request: web.Request, call: Call, incoming: Path) -> None:
    call.fields.update(request.query)
    if not request.can_read_body:
        return
    content_type = request.content_type
    if content_type == "multipart/form-data":
        try:
            await read_form(await request.multipart(), call, incoming)
        except (ValueError, AssertionError, HttpProcessingError) as error:
            raise bad_request("can't parse multipart/form-data") from error
        return
    body = await _read(request.content.read, MAX_FIELD_BYTES)
    if content_type == "application/json":
        call.fields.update(json_fields(body))
    elif content_type == "application/x-www-form-urlencoded":
        call.fields.update(_urlencoded(body))


async def read_form(reader: MultipartReader, call: Call, incoming: Path) -> None:
    """Read a form into `call`: parts with a file name are files, the others are fields."""
    left = MAX_FIELD_BYTES
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or not part.name:
            raise bad_request("can't parse multipart/form-data")
        if len(call.fields) + len(call.uploads) >= MAX_FIELDS:
            raise too_large()
        if part.filename is not None:
            call.uploads[part.name] = await _store_part(part, incoming)
            continue
        value = await _read(part.read_chunk, left)
        left -= len(value)
        call.fields[part.name] = _utf8(value)


async def _store_part(part: BodyPartReader, incoming: Path) -> Upload:
    with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as file:
        path = Path(file.name)
        try:
            size = await _copy(part.read_chunk, file, MAX_UPLOAD_BYTES)
        except BaseException:
            path.unlink()  # noqa: ASYNC240 - one small system call
            raise
    name = PurePosixPath((part.filename or "").replace("\\", "/")).name or "file"
    return Upload(path, name[:255], part.headers.get("Content-Type"), size)


async def _read(read: Callable[[int], Awaitable[bytes]], limit: int) -> bytes:
    buffer = io.BytesIO()
    await _copy(read, buffer, limit)
    return buffer.getvalue()


async def _copy(read: Callable[[int], Awaitable[bytes]], target: IO[bytes], limit: int) -> int:
    size = 0
    while chunk := await read(CHUNK_BYTES):
        size += len(chunk)
        if size > limit:
            raise too_large()
        target.write(chunk)
    return size


def _utf8(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad_request("strings must be encoded in UTF-8") from error


def _urlencoded(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            _utf8(body), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise bad_request("can't parse urlencoded form data") from error
    return dict(pairs)


def parse_json(text: str | bytes) -> Any:
    """JSON, or `ValueError`; unlike `json.loads` also for what nests too deeply or is no number."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def json_fields(body: bytes) -> dict[str, Any]:
    """The fields of a JSON body. Raises `Refusal` unless it is an object."""
    try:
        value = parse_json(_utf8(body)) if body else {}
    except ValueError as error:
        raise bad_request("can't parse JSON object") from error
    if not isinstance(value, dict):
        raise bad_request("can't parse JSON object")
    return {name: _as_text(item) for name, item in value.items() if item is not None}


def _as_text(value: Any) -> Any:
    """JSON scalars as the strings that the other encodings would have carried."""
    return json.dumps(value) if isinstance(value, int | float) else value


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
    _refuse_surrogates(value)
    if not isinstance(value, str):
        return value
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
