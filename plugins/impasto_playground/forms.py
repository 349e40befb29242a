"""Reading a request: query, JSON, urlencoded or multipart/form-data, to fields and files.

Everything that is not a file ends as a string, an object or an array; files are streamed to
disk. Sizes and counts are bounded.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from .refusals import bad_request, too_large

MAX_UPLOAD_BYTES = 50 * 1024 * 1024
"""The largest file the Bot API takes (https://core.telegram.org/bots/api#sending-files)."""

MAX_FIELD_BYTES = 1024 * 1024
"""All fields of one call that are not files, together: far above any legal call."""

MAX_FIELDS = 256


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


async def read_call(request: web.Request, call: Call, incoming: Path) -> None:
    """Read the query and the body into `call`; files are streamed into the folder `incoming`.

    Raises `Refusal` when the body is too large or not of the type it says it is.
    """
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
    body = await _read_limited(request)
    if content_type == "application/json":
        call.fields.update(json_fields(body))
    elif content_type == "application/x-www-form-urlencoded":
        call.fields.update(_urlencoded(body))
    return


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
        value = await _read_part(part, left)
        left -= len(value)
        call.fields[part.name] = _utf8(value)


async def _store_part(part: BodyPartReader, incoming: Path) -> Upload:
    with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as file:
        path = Path(file.name)
        try:
            size = await _copy_part(part, file)
        except BaseException:
            path.unlink()  # noqa: ASYNC240 - one small system call
            raise
    name = PurePosixPath((part.filename or "").replace("\\", "/")).name or "file"
    return Upload(path, name[:255], part.headers.get("Content-Type"), size)


async def _copy_part(part: BodyPartReader, file: IO[bytes]) -> int:
    size = 0
    while chunk := await part.read_chunk(1 << 18):
        size += len(chunk)
        if size > MAX_UPLOAD_BYTES:
            raise too_large()
        file.write(chunk)
    return size


async def _read_part(part: BodyPartReader, limit: int) -> bytes:
    value = bytearray()
    while chunk := await part.read_chunk(1 << 16):
        value += chunk
        if len(value) > limit:
            raise too_large()
    return bytes(value)


async def _read_limited(request: web.Request) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > MAX_FIELD_BYTES:
            raise too_large()
    return bytes(body)


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
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value
