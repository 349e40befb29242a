"""Wall clocks that jump, one for each process of an installation: see clock.c."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class Clocks:
    """Those of the processes that are started with `environment`; none jumps where there is no C
    compiler."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = folder / "clock.so"
        self.names: list[str] = []
        compiler = ["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE), "-ldl"]
        try:
            subprocess.run(compiler, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            self._library.unlink(missing_ok=True)

    def environment(self, name: str) -> dict[str, str]:
        """Variables for the process of this name, whose clock goes right so far."""
        if not self._library.exists():
            return {}
        self.names.append(name)
        self.put_ahead(name, 0)
        return {"LD_PRELOAD": str(self._library), "SOAK_CLOCK": str(self._file(name))}

    def put_ahead(self, name: str, seconds: int) -> None:
        """The clock of this process, and of its children, is ahead by so many seconds."""
        # Written in place: it is mapped by processes that run.
        path = self._file(name)
        path.touch()
        with path.open("r+b") as file:
            file.write(struct.pack("@l", seconds))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name.replace(' ', '-')}.clock"
