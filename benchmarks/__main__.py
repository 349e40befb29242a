"""Measures Impasto beside the baseline and writes `docs/performance.md`.

    python -m benchmarks                  what is not measured yet, then the report
    python -m benchmarks measure          only the measuring; `--only speed --pair chicago:mosaic`
    python -m benchmarks report           only tables and plots, of what was measured
    python -m benchmarks sheets           baseline and paintings side by side, to be looked at

The baseline is `reference/tutorial_nst.py` in the folder of shared data, which is not part of this
repository. Everything can be stopped and goes on where it was: each finished measurement is kept in
`benchmarks/.recorded/`, and measured anew only when the code has changed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from impasto.painting.threads import usable_cpus

from . import machine
from .baseline import Baseline
from .measuring import KINDS, SIDES, Measuring, Plan
from .painters import PAINTERS, painter_named
from .pairs import MAIN_SIZE, Pair, SharedData, parse_pair, parse_size, standard_pairs
from .records import REPOSITORY
from .report import write_report
from .sheets import write_sheets


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("all", "measure", "report", "sheets"))
    parser.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared")
    parser.add_argument("--recorded", type=Path, help="folder of what was measured on this machine")
    parser.add_argument("--docs", type=Path, default=REPOSITORY / "docs")
    parser.add_argument("--only", action="append", choices=KINDS, help="may be given several times")
    parser.add_argument("--pair", action="append", help="CONTENT:STYLE; may be given several times")
    parser.add_argument(
        "--size", action="append", type=parse_size, help="HEIGHTxWIDTH, with --pair"
    )
    parser.add_argument("--painter", action="append", type=painter_named)
    parser.add_argument("--side", action="append", type=int, help="of the worker's square pictures")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=usable_cpus())
    parser.add_argument("--evaluations", type=int, default=300, help="of the baseline's recordings")
    parser.add_argument(
        "--any-code", action="store_true", help="measure nothing anew because the code has changed"
    )
    return parser


def _pairs(arguments: argparse.Namespace) -> list[Pair]:
    if not arguments.pair:
        return standard_pairs()
    sizes = arguments.size or [MAIN_SIZE]
    return [parse_pair(name, size) for name in arguments.pair for size in sizes]


def main() -> int:
    parser = _parser()
    arguments = parser.parse_args()
    try:
        failures = _run(arguments)
    except (FileNotFoundError, ValueError) as error:
        parser.exit(2, f"{error}\n")
    for failure in failures:
        print(f"not measured: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _run(arguments: argparse.Namespace) -> list[str]:
    """Returns what could not be measured, one sentence each."""
    what = arguments.what or "all"
    shared = SharedData(arguments.shared)
    folder = arguments.recorded or Path(__file__).parent / ".recorded" / machine.identity()
    baseline = Baseline(
        shared, folder / "baseline", threads=arguments.threads, evaluations=arguments.evaluations
    )
    failures: list[str] = []
    if what != "report":
        shared.check()
    if what in ("all", "measure"):
        print(f"measurements are kept in {folder}", file=sys.stderr)
        plan = Plan(
            pairs=_pairs(arguments),
            painters=arguments.painter or PAINTERS,
            kinds=arguments.only or KINDS,
            repeats=arguments.repeats,
            sides=arguments.side or SIDES,
            threads=arguments.threads,
            any_code=arguments.any_code,
        )
        failures = Measuring(plan, shared, folder, baseline).run()
    if what in ("all", "report"):
        write_report(folder, arguments.docs)
    if what == "sheets":
        write_sheets(folder, _pairs(arguments), shared)
    return failures


if __name__ == "__main__":
    sys.exit(main())
