"""From measurements to figures: medians, spreads, and ratios to the baseline of the same minute."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .baseline import Baseline, Recording
from .measuring import goal_for_single
from .pairs import Pair, parse_pair, parse_size
from .records import EMBEDDED_FILE, Measurement, Records

Figures = dict[str, Any]
"""Plain values, kept as `docs/performance.json`."""


def spread(values: Iterable[float]) -> Figures:
    """Median, least and largest of some values."""
    values = list(values)
    return {
        "median": round(statistics.median(values), 4),
        "least": round(min(values), 4),
        "largest": round(max(values), 4),
        "count": len(values),
    }


def compute(records: Records, baseline: Baseline, machine: Figures) -> Figures:
    """All figures of one machine. Pairs are in there as far as they are measured."""
    everything = list(records)
    if not everything:
        raise ValueError("nothing is measured yet: python -m benchmarks measure")
    return {
        "machine": machine,
        "measured": [min(m.at for m in everything)[:10], max(m.at for m in everything)[:10]],
        "code": {
            scope: sorted({m.code for m in everything if (m.kind == "bot") == (scope == "bot")})
            for scope in ("painting", "bot")
        },
        "others": spread(m.others for m in everything if m.kind != "losses"),
        "pairs": _pairs(records, baseline),
        "steps": _steps(records),
        "embedded_bytes": EMBEDDED_FILE.stat().st_size,
        "worker": _worker(records),
        "bot": _bot(records),
        "gpu": _gpu(records),
    }


def _pairs(records: Records, baseline: Baseline) -> list[Figures]:
    losses = {
        (m.subject["pair"], m.subject["size"], m.subject["painter"]): m
        for m in records.of_kind("losses")
    }
    apart = {m.subject["painter"] for m in records.of_kind("speed")}
    timed = [
        *records.of_kind("speed"),
        *(m for m in losses.values() if m.subject["painter"] not in apart),
    ]
    found = []
    for (name, size), group in _grouped(timed, "pair", "size"):
        pair = parse_pair(str(name), parse_size(str(size)))
        if not baseline.is_recorded(pair):
            continue
        recording = baseline.recording(pair)
        painters = [
            {"painter": painter, **_against(recording, losses[name, size, painter], runs)}
            for (painter,), runs in _grouped(group, "painter")
            if (name, size, painter) in losses
        ]
        paces = [m.values["pace"] for m in group]
        found.append(_of_pair(pair, recording, paces) | {"painters": painters})
    return found


def _of_pair(pair: Pair, recording: Recording, paces: Sequence[float]) -> Figures:
    pace = statistics.median(paces)
    return {
        "pair": pair.name,
        "size": pair.size_name,
        "pixels": pair.pixels,
        "baseline": {
            "evaluations": recording.evaluations,
            "pace": spread(paces),
            "seconds": round(recording.evaluations * pace, 1),
            "single": recording.single,
            "multi": recording.multi,
            "peak_mb": recording.peak_mb,
            "curve": [[round(n * pace, 2), loss] for n, loss in recording.single_by_evaluation],
        },
    }


def _against(recording: Recording, scored: Measurement, runs: Sequence[Measurement]) -> Figures:
    """One painter on one pair. A run is compared with the baseline's pace just before it."""
    trace = Trace(scored, runs)
    *_, (_, single, multi) = scored.values["scores"]

    def reaching(index: int | None, evaluations: int) -> Figures | None:
        """When the picture of an index was there, and how much sooner than the baseline was
        through with so many evaluations; None for one that never was there."""
        if index is None:
            return None
        seconds = [trace.seconds_at(index, run) for run in runs]
        return {
            "seconds": spread(seconds),
            "sooner": spread(
                evaluations * run.values["pace"] / after
                for run, after in zip(runs, seconds, strict=True)
            ),
        }

    goal = goal_for_single(recording.single)
    to_single = trace.first(lambda scores: scores[0] <= goal)
    return {
        "steps": len(scored.values["steps"]),
        "single": single,
        "multi": multi,
        "peak_mb": spread(run.values["peak_mb"] for run in runs),
        "whole": reaching(trace.finished, recording.evaluations),
        "to_multi": reaching(
            trace.first(lambda scores: scores[1] <= recording.multi), recording.evaluations
        ),
        "to_single": reaching(to_single, recording.evaluations),
        "to_single_alike": reaching(to_single, recording.evaluations_to(goal)),
        "unlike": trace.unlike,
        "curve": trace.curve(),
    }


class Trace:
    """Losses by step, of the run that was scored, on the clock of the runs that were timed.

    Painting is deterministic, so the runs make the same steps; `unlike` says how far that holds.
    """

    def __init__(self, scored: Measurement, runs: Sequence[Measurement]) -> None:
        self._steps = [(level, step) for level, step, *_ in scored.values["steps"]]
        self._scores = {index: (single, multi) for index, single, multi in scored.values["scores"]}
        self._runs = runs
        self.finished = len(self._steps)
        """Index of the finished picture: it comes after those of all steps."""
        self.unlike = round(max(_unlike(scored, run) for run in runs), 6)

    def first(self, reached: Callable[[tuple[float, float]], bool]) -> int | None:
        """Index of the first picture whose (single, multi) are as wished."""
        found = (i for i, scores in sorted(self._scores.items()) if reached(scores))
        return next(found, None)

    def seconds_at(self, index: int, run: Measurement) -> float:
        """When a run had made a step; the end of the run when it made fewer steps."""
        if index < self.finished:
            for level, step, seconds, _ in run.values["steps"]:
                if (level, step) >= self._steps[index]:
                    return float(seconds)
        return float(run.values["seconds"])

    def curve(self) -> list[list[float]]:
        """Median seconds, single and multi of every picture that was scored."""
        return [
            [round(statistics.median(self.seconds_at(i, run) for run in self._runs), 3), *scores]
            for i, scores in sorted(self._scores.items())
        ]


def _unlike(one: Measurement, other: Measurement) -> float:
    """Largest relative difference between two runs' losses of the same steps, 1 when one made
    other steps than the other."""
    losses = [
        {(level, step): loss for level, step, _, loss in m.values["steps"]} for m in (one, other)
    ]
    if losses[0].keys() != losses[1].keys():
        return 1.0
    return max(
        (
            abs(a - b) / max(abs(a), abs(b), 1e-30)
            for a, b in zip(losses[0].values(), losses[1].values(), strict=True)
        ),
        default=0.0,
    )


def _steps(records: Records) -> Figures:
    """Of the embedded network and VGG-19 in turn; empty when that is not measured."""
    measured = records.of_kind("steps")
    return dict(measured[-1].values) if measured else {}


def _worker(records: Records) -> list[Figures]:
    found = []
    for (painter, side), runs in _grouped(records.of_kind("worker"), "painter", "side"):
        jobs = [run.values["jobs"][0] for run in runs]
        found.append(
            {
                "painter": painter,
                "pixels": int(side) ** 2,
                "painted_pixels": jobs[0]["width"] * jobs[0]["height"],
                "start_seconds": spread(run.values["start_seconds"] for run in runs),
                "idle_mb": spread(run.values["idle_mb"] for run in runs),
                "first_preview_seconds": _of_jobs(jobs, "first_preview_seconds"),
                "seconds": _of_jobs(jobs, "seconds"),
                "peak_mb": _of_jobs(jobs, "peak_mb"),
            }
        )
    return found


def _of_jobs(jobs: Sequence[Figures], name: str) -> Figures | None:
    """None when a job has no such figure: a picture may be done before its first preview is due."""
    values = [job[name] for job in jobs]
    return None if None in values else spread(values)


_OF_BOT = (
    "tap_to_taken_seconds",
    "taken_to_preview_seconds",
    "taken_to_ready_seconds",
    "painted_pixels",
    "peak_mb",
    "bot_mb",
    "painter_mb",
    "painter_resident_mb",
)


def _bot(records: Records) -> list[Figures]:
    return [
        {"network": network, "pixels": pixels, "aiogram": aiogram}
        | {name: spread(run.values[name] for run in runs) for name in _OF_BOT}
        for (network, pixels, aiogram), runs in _grouped(
            records.of_kind("bot"), "network", "pixels", "aiogram"
        )
    ]


def _gpu(records: Records) -> list[Figures]:
    """The first job of a worker apart from the later ones."""
    return [
        {
            "painter": run.subject["painter"],
            "pixels": run.values["jobs"][0]["width"] * run.values["jobs"][0]["height"],
            "device": run.values["jobs"][0]["device"],
            "start_seconds": spread([run.values["start_seconds"]]),
            "first_seconds": spread([run.values["jobs"][0]["seconds"]]),
            "later_seconds": spread(job["seconds"] for job in run.values["jobs"][1:]),
        }
        for run in records.of_kind("gpu")
    ]


def _grouped(
    measurements: Iterable[Measurement], *names: str
) -> list[tuple[tuple[str | int, ...], list[Measurement]]]:
    """By fields of the subject, in the order in which they first came."""
    groups: dict[tuple[str | int, ...], list[Measurement]] = {}
    for measurement in measurements:
        groups.setdefault(tuple(measurement.subject[n] for n in names), []).append(measurement)
    return list(groups.items())
