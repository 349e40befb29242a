"""Speed, memory and losses of `impasto paint`, side by side with the baseline, in one run.

    python benchmarks/bench_painting.py [--shared ../shared] [--pair tubingen:starry_night ...]
                                        [--repeats 3] [--evaluations 300] [--out FILE.json]

The baseline is `reference/tutorial_nst.py` in the folder of shared data, which is not part of this
repository: one scale, torch's L-BFGS, float32, VGG-19's first five convolutions. It paints at the
size that Impasto gives the photo (230,400 pixels at most). All pictures are scored by the
baseline's own yardstick, under VGG-19. Painters take turns, each in a process of its own; seconds
are those of the whole process, memory is its peak resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

PIXELS = 230_400


@dataclass(frozen=True)
class Run:
    """One painting: what it took, and its losses under VGG-19."""

    painter: str
    pair: str
    seconds: float
    peak_mb: float
    single: float
    multi: float


@dataclass(frozen=True)
class Pair:
    """A photo and a style of the shared data, and the size at which they are compared."""

    content: Path
    style: Path
    height: int
    width: int

    @classmethod
    def named(cls, name: str, shared: Path, folder: Path) -> Pair:
        """The pair at its size: the yardstick squeezes the style to the photo's shape, so all
        painters get it squeezed."""
        content, style = name.split(":")
        with Image.open(shared / "data" / "photos" / f"{content}.jpg") as picture:
            scale = min(1.0, (PIXELS / (picture.width * picture.height)) ** 0.5)
            width, height = int(picture.width * scale), int(picture.height * scale)
            photo = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
        with Image.open(shared / "data" / "paintings" / f"{style}.jpg") as picture:
            squeezed = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
        files = folder / f"{content}.png", folder / f"{style}.png"
        photo.save(files[0])
        squeezed.save(files[1])
        return cls(*files, height, width)

    @property
    def name(self) -> str:
        return f"{self.content.stem} x {self.style.stem}"

    @property
    def size(self) -> str:
        return f"{self.height}x{self.width}"


class Bench:
    """The painters, each a function from a pair and an output file to a command line."""

    def __init__(self, shared: Path, evaluations: int) -> None:
        self._yardstick = shared / "reference" / "tutorial_nst.py"
        self._weights = shared / "data" / "weights" / "vgg19-features-0-10.safetensors"
        self._evaluations = evaluations

    def painters(self) -> dict[str, Callable[[Pair, Path], list[str]]]:
        return {
            "baseline": self._baseline,
            "impasto, embedded": lambda pair, out: self._impasto(pair, out, "embedded"),
            "impasto, VGG-19": lambda pair, out: self._impasto(pair, out, str(self._weights)),
        }

    def run(self, painter: str, pair: Pair, folder: Path) -> Run:
        kind = painter.rsplit(" ", maxsplit=1)[-1]
        out = folder / f"{pair.content.stem}-{pair.style.stem}-{kind}.png"
        begin = time.perf_counter()
        process = subprocess.Popen(
            self.painters()[painter](pair, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert process.stderr
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        if os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit(f"{painter} failed on {pair.name}:\n{said.decode()}")
        scores = self._score(pair, out)
        return Run(
            painter, pair.name, seconds, usage.ru_maxrss / 1024, scores["single"], scores["multi"]
        )

    def _baseline(self, pair: Pair, out: Path) -> list[str]:
        pictures = [str(self._weights), str(pair.content), str(pair.style), str(out)]
        options = ["--size", pair.size, "--evaluations", str(self._evaluations)]
        return [sys.executable, str(self._yardstick), *pictures, *options]

    def _impasto(self, pair: Pair, out: Path, network: str) -> list[str]:
        command = [sys.executable, "-m", "impasto", "paint", str(pair.content)]
        return [*command, "--style", str(pair.style), "-o", str(out), "--network", network]

    def _score(self, pair: Pair, out: Path) -> dict[str, float]:
        pictures = [str(self._weights), str(pair.content), str(pair.style), str(out)]
        command = [sys.executable, str(self._yardstick), *pictures, "--size", pair.size, "--score"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        scores: dict[str, float] = json.loads(answer.stdout)
        return scores


def table(runs: list[Run]) -> str:
    """Medians by pair and painter, as a table in Markdown."""
    lines = ["| pair | painter | seconds | peak MB | single | multi |", "|---|---|---|---|---|---|"]
    keys = list(dict.fromkeys((run.pair, run.painter) for run in runs))
    for pair, painter in keys:
        group = [run for run in runs if (run.pair, run.painter) == (pair, painter)]
        times = [run.seconds for run in group]
        spread = f" ({min(times):.1f} to {max(times):.1f})" if len(times) > 1 else ""
        lines.append(
            f"| {pair} | {painter} | {statistics.median(times):.1f}{spread} "
            f"| {max(run.peak_mb for run in group):.0f} "
            f"| {statistics.median(run.single for run in group):.3g} "
            f"| {statistics.median(run.multi for run in group):.4g} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    repository = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=repository.parent / "shared")
    parser.add_argument("--pair", action="append")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--evaluations", type=int, default=300)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--pictures", type=Path, help="keep the pictures in this folder")
    arguments = parser.parse_args()
    if not (arguments.shared / "reference" / "tutorial_nst.py").is_file():
        raise SystemExit(
            f"the baseline is not in {arguments.shared}; name its folder with --shared"
        )
    bench = Bench(arguments.shared, arguments.evaluations)
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.pictures or Path(temporary)
        for name in arguments.pair or ["tubingen:starry_night"]:
            pair = Pair.named(name, arguments.shared, Path(temporary))
            for repeat in range(arguments.repeats):
                for painter in bench.painters():
                    # The baseline takes minutes and its losses do not vary: once a pair will do.
                    if painter == "baseline" and repeat > 0:
                        continue
                    runs.append(bench.run(painter, pair, folder))
                    print(runs[-1], file=sys.stderr)
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}\n")
    print(table(runs))
    if arguments.out:
        arguments.out.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")


if __name__ == "__main__":
    main()
