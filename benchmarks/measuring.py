"""All measurements in their order, each written down as soon as it is finished."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import machine, processes
from .baseline import Baseline
from .bot import BotRun
from .lean import lean_aiogram
from .machine import OthersWork
from .painters import DEFAULT, EMBEDDED, RANDOM, VGG, Painter, settings_for
from .pairs import MAIN_SIZE, Pair, SharedData
from .processes import MeasurementFailed
from .records import EMBEDDED_FILE, Records, Subject, fingerprint
from .worker import WorkerRun

KINDS: Final = ("baseline", "losses", "speed", "steps", "worker", "bot", "gpu")
SIDES: Final = (240, 480, 960, 1920, 3464)
"""Of the square pictures whose time and memory are measured; the last has 12 megapixels."""
MOST_SIDE_REPEATED: Final = 960
GPU_SIDES: Final = (1000, 3464)
GPU_JOBS: Final = 4
BOT_PIXELS: Final = (230_400, 921_600)
NEWEST, LEAN = "newest", "lean"
BOT_MEMORY_MB: Final = {
    (EMBEDDED.name, 230_400): None,
    (EMBEDDED.name, 921_600): 520,
    (VGG, 230_400): 360,
    (VGG, 921_600): 530,
}
"""What a bot lets painting take, by its network and pixel cap; None is the default."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    pairs: Sequence[Pair]
    painters: Sequence[Painter]
    kinds: Sequence[str] = KINDS
    repeats: int = 3
    sides: Sequence[int] = SIDES
    threads: int = 1
    any_code: bool = False
    """Take what was measured of other code than today's for measured."""


@dataclass(frozen=True, slots=True)
class _Task:
    kind: str
    subject: Subject
    run: Callable[[], Mapping[str, Any]]


class Measuring:
    """Goes through a plan and leaves out what is measured already."""

    def __init__(self, plan: Plan, shared: SharedData, folder: Path, baseline: Baseline) -> None:
        self._plan = plan
        self._shared = shared
        self._folder = folder
        self._baseline = baseline
        self._records = Records(folder / "measurements.jsonl")

    def run(self) -> list[str]:
        """Returns what failed, one sentence each."""
        failures = []
        if "baseline" in self._plan.kinds:
            failures += self._record_baselines()
        for task in self._tasks():
            code = fingerprint("bot" if task.kind == "bot" else "painting")
            if self._records.has(task.kind, task.subject, None if self._plan.any_code else code):
                continue
            title = f"{task.kind} {' '.join(str(value) for value in task.subject.values())}"
            others = OthersWork()
            try:
                values = task.run()
            except MeasurementFailed as failure:
                failures.append(f"{title}: {failure}")
                print(failures[-1], file=sys.stderr)
                continue
            done = self._records.add(
                task.kind, task.subject, values, code=code, others=others.share()
            )
            print(f"{title}; others took {done.others:.0%} of the CPUs", file=sys.stderr)
        return failures

    def _record_baselines(self) -> list[str]:
        failures = []
        for pair in self._plan.pairs:
            if not self._baseline.is_recorded(pair):
                print(f"recording the baseline of {pair.file_name}: minutes", file=sys.stderr)
                try:
                    self._baseline.record(pair)
                except MeasurementFailed as failure:
                    failures.append(f"baseline {pair.file_name}: {failure}")
        return failures

    def _tasks(self) -> Iterator[_Task]:
        wanted = self._plan.kinds
        if "speed" in wanted:
            yield from self._speed()
        if "losses" in wanted:
            yield from self._losses()
        if "steps" in wanted:
            yield _Task("steps", {"size": MAIN_SIZE[0]}, self._steps)
        if "worker" in wanted:
            yield from self._worker()
        if "bot" in wanted:
            yield from self._bot()
        if "gpu" in wanted and "gpu" in machine.describe():
            yield from self._gpu()

    def _speed(self) -> Iterator[_Task]:
        """Painters take turns, and the baseline's pace is taken before each of them."""
        for repeat in range(self._plan.repeats):
            for pair, painter in self._combinations():
                if painter.thorough:
                    subject = _subject(pair, painter) | {"repeat": repeat}
                    yield _Task("speed", subject, functools.partial(self._timed, pair, painter))

    def _combinations(self) -> Iterator[tuple[Pair, Painter]]:
        for pair in self._plan.pairs:
            for painter in self._plan.painters:
                if painter.thorough or pair.size == MAIN_SIZE:
                    yield pair, painter

    def _timed(self, pair: Pair, painter: Painter) -> Mapping[str, Any]:
        pace = self._baseline.pace(pair)
        return {"pace": pace, **processes.ask("painting_process", self._request(pair, painter))}

    def _losses(self) -> Iterator[_Task]:
        for pair, painter in self._combinations():
            run = functools.partial(self._scored, pair, painter)
            yield _Task("losses", _subject(pair, painter), run)

    def _scored(self, pair: Pair, painter: Painter) -> Mapping[str, Any]:
        recording = self._baseline.recording(pair)
        picture = self.picture(pair, painter)
        picture.parent.mkdir(parents=True, exist_ok=True)
        request = self._request(pair, painter)
        request["picture"] = str(picture)
        request["yardstick"] = {
            "baseline": str(self._shared.baseline),
            "weights": str(self._shared.vgg),
            "goals": {"multi": [recording.multi], "single": [goal_for_single(recording.single)]},
        }
        pace = self._baseline.pace(pair)
        return {"pace": pace, **processes.ask("painting_process", request)}

    def picture(self, pair: Pair, painter: Painter) -> Path:
        """Where a finished picture is kept to be looked at."""
        name = painter.name.lower().replace(", ", "-").replace(" ", "-")
        return self._folder / "pictures" / f"{pair.file_name}-{name}.png"

    def _request(self, pair: Pair, painter: Painter) -> dict[str, Any]:
        content, style = pair.squeezed(self._shared, self._folder / "squeezed")
        files = {VGG: self._shared.vgg, RANDOM: self._random_network()}
        request = painter.request(files, self._plan.threads)
        request["settings"]["painting"] |= settings_for(pair.pixels)
        return {**request, "content": str(content), "style": str(style)}

    def _steps(self) -> Mapping[str, Any]:
        """Evaluations of the embedded network and of VGG-19 in turn."""
        return processes.ask(
            "step_process",
            {"vgg": str(self._shared.vgg), "size": MAIN_SIZE, "threads": self._plan.threads},
        )

    def _random_network(self) -> Path:
        """A network of the embedded one's shape whose weights are random."""
        file = self._folder / "random.safetensors"
        if not file.is_file() or file.stat().st_mtime < EMBEDDED_FILE.stat().st_mtime:
            processes.ask("random_network", {"file": str(file)})
        return file

    def _worker(self) -> Iterator[_Task]:
        for side in self._plan.sides:
            for repeat in range(self._plan.repeats if side <= MOST_SIDE_REPEATED else 1):
                for painter in self._among(DEFAULT, EMBEDDED):
                    subject: Subject = {"painter": painter.name, "side": side, "repeat": repeat}
                    run = functools.partial(self._ran, WorkerRun(painter, side))
                    yield _Task("worker", subject, run)

    def _gpu(self) -> Iterator[_Task]:
        for side in GPU_SIDES:
            for painter in self._among(DEFAULT, EMBEDDED):
                run = WorkerRun(painter, side, device="cuda", jobs=GPU_JOBS)
                subject: Subject = {"painter": painter.name, "side": side}
                yield _Task("gpu", subject, functools.partial(self._ran, run))

    def _ran(self, run: WorkerRun) -> Mapping[str, Any]:
        return run.measure(self._shared, self._plan.threads)

    def _among(self, *painters: Painter) -> list[Painter]:
        return [painter for painter in painters if painter in self._plan.painters]

    def _bot(self) -> Iterator[_Task]:
        for pixels in BOT_PIXELS:
            for repeat in range(self._plan.repeats):
                for painter in self._among(EMBEDDED, DEFAULT):
                    for aiogram in (NEWEST, LEAN):
                        subject: Subject = {
                            "network": painter.name,
                            "pixels": pixels,
                            "aiogram": aiogram,
                            "repeat": repeat,
                        }
                        yield _Task("bot", subject, functools.partial(self._bot_run, subject))

    def _bot_run(self, subject: Subject) -> Mapping[str, Any]:
        is_vgg = subject["network"] == VGG
        pixels = int(subject["pixels"])
        run = BotRun(
            network=str(self._shared.vgg) if is_vgg else str(subject["network"]),
            pixels=pixels,
            memory_mb=BOT_MEMORY_MB[str(subject["network"]), pixels],
            threads=self._plan.threads,
            modules=lean_aiogram(self._folder) if subject["aiogram"] == LEAN else None,
        )
        return run.measure(self._shared)


def goal_for_single(baseline_single: float) -> float:
    """The loss at full size that counts as the baseline's."""
    return 1.1 * baseline_single


def _subject(pair: Pair, painter: Painter) -> dict[str, str | int]:
    return {"pair": pair.name, "size": pair.size_name, "painter": painter.name}
