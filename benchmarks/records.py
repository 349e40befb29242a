"""What was measured: a file of JSON lines that only grows, one line a finished measurement."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

Subject = Mapping[str, str | int]
REPOSITORY: Final = Path(__file__).resolve().parents[1]
_MEASURED: Final = ("core/**/*.py", "plugins/**/*.py", "weights/*.safetensors", "config/*.toml")


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


class Records:
    """The measurements of one machine; a later one of the same key replaces an earlier one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._by_key: dict[str, Measurement] = {}
        if file.is_file():
            for line in file.read_text().splitlines():
                with contextlib.suppress(json.JSONDecodeError):  # cut off by a crash
                    measurement = Measurement(**json.loads(line))
                    self._by_key[_key(measurement.kind, measurement.subject)] = measurement

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self._by_key.values())

    def of_kind(self, kind: str) -> list[Measurement]:
        return [measurement for measurement in self if measurement.kind == kind]

    def has(self, kind: str, subject: Subject, code: str) -> bool:
        """Whether this was measured of this code."""
        found = self._by_key.get(_key(kind, subject))
        return found is not None and found.code == code

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
            # The newline first: it ends a line that a crash has cut off.
            file.write("\n" + json.dumps(asdict(measurement), ensure_ascii=False))
            file.flush()
            os.fsync(file.fileno())
        self._by_key[_key(kind, subject)] = measurement
        return measurement


def _key(kind: str, subject: Subject) -> str:
    return json.dumps([kind, dict(subject)], sort_keys=True)


def fingerprint(root: Path = REPOSITORY) -> str:
    """Of the code, weights and settings that figures depend on."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _MEASURED for path in root.glob(pattern)}):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
