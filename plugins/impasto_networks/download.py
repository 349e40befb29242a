"""A large file from the web: resumed where a connection broke, checked, never half there."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from impasto.errors import WeightsError
from impasto_networks.manifest import sha256_of

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 30.0
PAUSES_S = (1.0, 2.0, 4.0)
"""Before each further attempt; an attempt that brought something starts the row anew."""
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.")
_WORTH_ANOTHER = frozenset({408, 416, 425, 429, 500, 502, 503, 504})
"""HTTP answers that may be another the next time; after 416 the download begins anew."""


class ShowProgress(Protocol):
    """Is told how many bytes are there and how many there will be, if the server says so."""

    def __call__(self, done: int, total: int | None) -> None: ...


class _Interrupted(Exception):
    """An attempt ended early; another may bring the rest."""


def hash_prefix(name: str) -> str | None:
    """How the SHA-256 digest begins: torch has it in its files' names, as `vgg19-dcbb9e9d.pth`."""
    match = _HASH_IN_NAME.search(name)
    return match[1] if match else None


def check_hash(path: Path, name: str) -> None:
    """Raises WeightsError when the file's digest is not the one that its name announces."""
    expected = hash_prefix(name)
    if expected is not None and not sha256_of(path).startswith(expected):
        raise WeightsError(
            f"{name} is damaged: its SHA-256 does not begin with {expected}; get it again"
        )


def download(
    url: str,
    goal: Path,
    show: ShowProgress,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Gets `url` into `goal`, going on with what an earlier try left in `<goal>.partial`.

    Raises:
        WeightsError: no way to the server, an answer that is not the file, or a wrong hash.
    """
    partial = goal.with_name(goal.name + ".partial")
    goal.parent.mkdir(parents=True, exist_ok=True)
    pauses = iter(PAUSES_S)
    while True:
        before = _size(partial)
        try:
            _attempt(url, partial, show)
            break
        except _Interrupted as error:
            if _size(partial) > before:
                pauses = iter(PAUSES_S)
            seconds = next(pauses, None)
            if seconds is None:
                raise WeightsError(
                    f"{goal.name} cannot be downloaded from {url} ({error}); check the network, "
                    "or name a copy of it with --from"
                ) from None
            pause(seconds)
    try:
        check_hash(partial, goal.name)
    except WeightsError:
        partial.unlink()  # to go on with it would never come out right
        raise
    partial.replace(goal)


def _attempt(url: str, partial: Path, show: ShowProgress) -> None:
    """One connection. Appends to `partial`, or begins it anew if the server cannot go on."""
    have = _size(partial)
    headers = {"User-Agent": "impasto"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  (torchvision's address)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                have = 0
            length = answer.headers.get("Content-Length", "")
            total = have + int(length) if length.isdigit() else None
            with partial.open("ab" if have else "wb") as file:
                while chunk := answer.read(CHUNK_BYTES):
                    file.write(chunk)
                    have += len(chunk)
                    show(have, total)
    except urllib.error.HTTPError as error:
        if error.code not in _WORTH_ANOTHER:
            raise WeightsError(f"{url} answers {error.code} {error.reason}") from None
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            partial.unlink(missing_ok=True)
        raise _Interrupted(f"the server answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _Interrupted(_reason(error.reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(_reason(error)) from None
    if total is not None and have < total:
        raise _Interrupted("the connection broke")


def _reason(error: object) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
