"""The log of a run: one JSON object a line, in a file and on the terminal."""

from __future__ import annotations

import json
from pathlib import Path

from torch import Tensor


class Log:
    """Appends to the file; numbers of tensors have four significant digits."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def add(self, **entry: object) -> None:
        line = json.dumps(entry, default=_plain)
        with self.file.open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        print(line, flush=True)


def _plain(value: object) -> object:
    if isinstance(value, Tensor):
        rounded = [float(f"{number:.4g}") for number in value.detach().flatten().tolist()]
        return rounded if value.dim() else rounded[0]
    raise TypeError(f"cannot log {type(value)}")
