"""Figures as tables in Markdown, as they stand in the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .crash import Outcome
from .load import LoadOutcome, Times
from .memory import Sample
from .people import PATIENCE_S
from .steady import SteadyOutcome


def table(rows: Iterable[tuple[str, object]], head: tuple[str, str] = ("", "")) -> str:
    """Two columns."""
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows)])


def crash_table(outcome: Outcome) -> str:
    """What was done to the bot and what came of it."""
    tally, verdict = outcome.tally, outcome.verdict
    rows: list[tuple[str, object]] = [
        ("faults", tally.faults),
        ("kills", f"{tally.kills.total()} ({_counts(tally.kills)})"),
        ("where", _counts(tally.moments)),
        ("bad days", _counts(tally.storms)),
        ("SIGTERM", f"{len(tally.ends)}, {tally.unclean_ends} of them unclean"),
        ("slowest clean end", f"{max(tally.ends, default=0):.1f} s"),
        ("gave up by themselves", tally.ended_by_themselves),
        ("jobs accepted", f"{verdict.jobs} ({_counts(verdict.by_state)})"),
        ("wishes, as people saw them end", _counts(verdict.wishes)),
        ("failures explained", _counts(verdict.failures)),
        ("**lost**", f"**{len(verdict.lost)}**"),
        ("**second pictures on the edit path**", f"**{len(verdict.second_pictures)}**"),
        ("vanished with an emptied store, as people saw it", _counts(verdict.vanished)),
        ("processes left over", verdict.left_over),
        ("repeated fresh sends", verdict.repeated_fresh_sends),
        ("“ready” said again", verdict.ready_twice),
        ("status messages left behind", _counts(verdict.left_behind)),
        (f"asked again after {PATIENCE_S:.0f} s without a reply", verdict.asked_again),
        ("calls that took effect", outcome.calls.total()),
        ("time", f"{outcome.seconds / 60:.1f} min, seed {outcome.seed}, {outcome.people} people"),
    ]
    problems = [*verdict.lost, *verdict.second_pictures]
    return "\n".join([table(rows), "", *(f"- {problem}" for problem in problems)])


def load_table(outcome: LoadOutcome) -> str:
    """How soon people had a reply, and the memory meanwhile."""
    rows = [
        ("people", f"{outcome.people} within {outcome.seconds:g} s"),
        ("from a photo to the question for a style", _times(outcome.questions)),
    ]
    if outcome.acceptances is not None:
        rows.append(("from the tap to the job's message", _times(outcome.acceptances)))
    rows += [
        ("CPU time of the bot", f"{outcome.bot_cpu_seconds:.0f} s"),
        ("other programs' share of the CPUs", f"{outcome.others:.0%}"),
    ]
    rows += [
        (f"unreclaimable memory of the {name}", _memory(outcome.samples, name))
        for name in outcome.samples[0].megabytes
    ]
    return table(rows)


def steady_table(outcome: SteadyOutcome) -> str:
    """The memory of each process, minute by minute."""
    names = list(outcome.samples[-1].megabytes)
    lines = [
        f"{outcome.people} people; how wishes ended: {_counts(outcome.wishes)}",
        "",
        f"| minute | {' | '.join(f'{name}, unreclaimable MB' for name in names)} |",
        f"|---{'|---' * len(names)}|",
    ]
    for sample in outcome.samples:
        values = " | ".join(f"{sample.megabytes.get(name, 0):.0f}" for name in names)
        lines.append(f"| {sample.seconds / 60:.0f} | {values} |")
    return "\n".join(lines)


def _times(times: Times) -> str:
    waits = f"median {times.median:.2f} s, 99 % within {times.p99:.2f} s, all {times.longest:.2f} s"
    return waits if not times.missing else f"{waits}; {times.missing} without a reply"


def _memory(samples: Sequence[Sample], name: str) -> str:
    values = [sample.megabytes[name] for sample in samples if name in sample.megabytes]
    return f"{values[0]:.0f} MB before, {max(values):.0f} MB at most, {values[-1]:.0f} MB after"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
