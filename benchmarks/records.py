"""What was measured: a file of JSON lines that only grows, one line a finished measurement."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Subject = Mapping[str, str | int]
REPOSITORY = Path(__file__).resolve().parents[1]
EMBEDDED_FILE = REPOSITORY / "weights" / "embedded.safetensors"
_SOURCES = {
    "painting": (
        "core/impasto/*.py",
        "core/impasto/painting/*.py",
        "plugins/*.py",
        "plugins/impasto_networks/*.py",
        "benchmarks/painters.py",
    ),
    "bot": ("core/**/*.py", "plugins/**/*.py"),
}
_DATA = ("config/impasto.toml", "weights/*.safetensors")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One finished measurement."""

    kind: str
    subject: Subject
    """What was measured; with `kind` it names the measurement."""
    values: Mapping[str, Any]
    code: str
    """Fingerprint of the code that was measured, see `fingerprint`."""
    others: float
    """Share of the machine's CPUs that other programs took meanwhile."""
    at: str
    """When it was finished: UTC, ISO 8601."""

    @property
    def key(self) -> str:
        return key_of(self.kind, self.subject)


def key_of(kind: str, subject: Subject) -> str:
    return json.dumps([kind, dict(subject)], sort_keys=True)


class Records:
    """The measurements of one machine; a later one of the same key replaces an earlier one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._by_key: dict[str, Measurement] = {}
        if file.is_file():
            for line in file.read_text().splitlines():
                if measurement := _parsed(line):
                    self._by_key[measurement.key] = measurement

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self._by_key.values())

    def of_kind(self, kind: str) -> list[Measurement]:
        return [measurement for measurement in self if measurement.kind == kind]

    def has(self, kind: str, subject: Subject, code: str | None) -> bool:
        """Whether this was measured of this code, or of whatever code when it is None."""
        found = self._by_key.get(key_of(kind, subject))
        return found is not None and code in (None, found.code)

    def add(
        self,
        kind: str,
        subject: Subject,
        values: Mapping[str, Any],
        *,
        code: str,
        others: float,
    ) -> Measurement:
        """Is on the disk when this returns."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        measurement = Measurement(kind, subject, values, code, round(others, 3), at)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as file:
            if file.tell() and not self._ends_with_newline():
                file.write("\n")  # the last one was cut off by the end of its process
            file.write(json.dumps(asdict(measurement), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._by_key[measurement.key] = measurement
        return measurement

    def _ends_with_newline(self) -> bool:
        with self._file.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"


def _parsed(line: str) -> Measurement | None:
    """None for a line that was cut off."""
    try:
        return Measurement(**json.loads(line))
    except (ValueError, TypeError):
        return None


def fingerprint(scope: str, root: Path = REPOSITORY) -> str:
    """Of the code that figures depend on (scope `painting` or `bot`), without its wording:
    comments, docstrings and layout do not count."""
    digest = hashlib.sha256()
    for path in _files(root, (*_SOURCES[scope], *_DATA)):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(_meaning(path))
    return digest.hexdigest()[:12]


def _files(root: Path, patterns: Iterable[str]) -> list[Path]:
    return sorted({path for pattern in patterns for path in root.glob(pattern)})


def _meaning(path: Path) -> bytes:
    if path.suffix == ".py":
        return ast.dump(_without_docstrings(ast.parse(path.read_bytes()))).encode()
    if path.suffix == ".toml":
        return repr(tomllib.loads(path.read_text())).encode()
    return hashlib.sha256(path.read_bytes()).digest()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
