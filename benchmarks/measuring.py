"""All measurements in their order, each written down as soon as it is finished."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import processes
from .baseline import Baseline
from .bot import DEFAULT_PIXELS, BotRun
from .machine import OthersWork
from .peer import NAME, BesidePeer
from .processes import MeasurementFailed
from .records import Records, Subject, fingerprint
from .subjects import (
    CUT,
    EMBEDDED,
    OF_VGG,
    SIDE,
    USUAL_MEMORY_MB,
    VGG,
    Painter,
    Pair,
    SharedData,
)
from .worker import WorkerRun

KINDS: Final = ("pairs", "worker", "bot", "peer")
SIDES: Final = (240, 480, 960)
"""Of the square photos with which the painting process is measured."""
BOT_MEMORY_MB: Final = {
    (EMBEDDED.name, DEFAULT_PIXELS): "auto",
    (EMBEDDED.name, 230_400): USUAL_MEMORY_MB,
    (OF_VGG.name, DEFAULT_PIXELS): "auto",
    (OF_VGG.name, 230_400): 360,
}
"""What a bot lets painting take, by its network and pixel cap; "auto" is the default."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    pairs: Sequence[Pair]
    painters: Sequence[Painter]
    kinds: Sequence[str] = KINDS
    repeats: int = 3
    threads: int = 1
    peer: Path | None = None
    """The interpreter of the peer's environment; without it, the peer is left out."""


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
        code = fingerprint()
        failures = []
        for task in self._tasks():
            if self._records.has(task.kind, task.subject, code):
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

    def _tasks(self) -> Iterator[_Task]:
        make = {
            "pairs": self._pairs,
            "worker": self._worker,
            "bot": self._bot,
            "peer": self._peer,
        }
        for kind in self._plan.kinds:
            for subject, run in make[kind]():
                yield _Task(kind, subject, run)

    def _pairs(self) -> Iterator[tuple[Subject, Callable[[], Mapping[str, Any]]]]:
        """Painters take turns, and the baseline's pace is taken before each of them."""
        for repeat in range(self._plan.repeats):
            for pair in self._plan.pairs:
                for painter in self._plan.painters:
                    subject = {"pair": pair.name, "painter": painter.name, "repeat": repeat}
                    yield subject, functools.partial(self._painted, pair, painter, repeat)

    def _painted(self, pair: Pair, painter: Painter, repeat: int) -> Mapping[str, Any]:
        """Painting is deterministic, so it is enough to score the first of a painter's runs."""
        if not self._baseline.is_recorded(pair):
            print(f"recording the baseline of {pair.name}: minutes", file=sys.stderr)
            self._baseline.record(pair)
        content, style = pair.squeezed(self._shared, self._folder / "squeezed")
        request = painter.request(self._shared.vgg, SIDE**2, self._plan.threads)
        request |= {"content": str(content), "style": str(style)}
        if repeat == 0:
            request |= {
                "picture": str(self.picture(pair, painter)),
                "baseline": str(self._shared.baseline),
                "weights": str(self._shared.vgg),
            }
        pace = self._baseline.pace(pair)
        return {"pace": pace, **processes.ask("painting_process", request)}

    def picture(self, pair: Pair, painter: Painter) -> Path:
        """Where a finished picture is kept to be looked at."""
        folder = self._folder / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        name = painter.name.lower().replace(", ", "-")
        return folder / f"{pair.file_name}-{name}.png"

    def _worker(self) -> Iterator[tuple[Subject, Callable[[], Mapping[str, Any]]]]:
        for side in SIDES:
            for repeat in range(self._plan.repeats):
                for painter in self._plan.painters:
                    if painter is not CUT:
                        run = WorkerRun(painter, side)
                        subject = {"painter": painter.name, "side": side, "repeat": repeat}
                        yield (
                            subject,
                            functools.partial(run.measure, self._shared, self._plan.threads),
                        )

    def _bot(self) -> Iterator[tuple[Subject, Callable[[], Mapping[str, Any]]]]:
        for (network, pixels), memory_mb in BOT_MEMORY_MB.items():
            for repeat in range(self._plan.repeats):
                painting: dict[str, Any] = {
                    "network": str(self._shared.vgg) if network == VGG else network,
                    "threads": self._plan.threads,
                    "max_pixels_cpu": pixels,
                    "memory_mb": memory_mb,
                }
                run = BotRun(painting)
                subject = {"network": network, "pixels": pixels, "repeat": repeat}
                yield subject, functools.partial(run.measure, self._shared)

    def _peer(self) -> Iterator[tuple[Subject, Callable[[], Mapping[str, Any]]]]:
        """Both programs take turns."""
        peer = self._plan.peer
        if peer is None:
            return
        folder = self._folder / "peer"
        for repeat in range(self._plan.repeats):
            for pair in self._plan.pairs:
                beside = BesidePeer(self._shared, pair, folder, self._plan.threads)
                for program in (NAME, EMBEDDED.name):
                    subject = {"pair": pair.name, "program": program, "repeat": repeat}
                    yield subject, functools.partial(beside.measure, program, peer)
