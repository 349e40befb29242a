"""`python -m benchmarks.soak`: crash, load or steady; prints a table and writes what it found."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from .crash import run_crash
from .figures import crash_table, load_table, steady_table
from .installation import OneMachine
from .load import run_load
from .machines import ManyMachines
from .steady import run_steady


def main() -> int:
    chosen = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # and clean up
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "crash": _crash,
        "load": _load,
        "steady": _steady,
    }
    return commands[chosen.command](chosen)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    crash = commands.add_parser("crash", help="kill and flood a bot that people use, and judge it")
    crash.add_argument("--faults", type=int, default=300, help="kills and bad days, at most")
    crash.add_argument("--seconds", type=float, default=3600.0, help="at most")
    crash.add_argument("--people", type=int, default=6)
    crash.add_argument(
        "--many", action="store_true", help="many machines: a bot and two workers on a Redis"
    )

    load = commands.add_parser("load", help="many people at once: how soon they have a reply")
    load.add_argument("--people", type=int, default=1000)
    load.add_argument("--seconds", type=float, default=60.0, help="in which all send their photo")
    load.add_argument("--taps", action="store_true", help="and then all choose a style")

    steady = commands.add_parser("steady", help="work for long: the memory of the processes")
    steady.add_argument("--minutes", type=float, default=60.0)
    steady.add_argument("--people", type=int, default=5)
    steady.add_argument(
        "--shipped", action="store_true", help="paint as the bot does by default, not tiny"
    )

    for command in (crash, load, steady):
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--json", type=Path, help="file for the figures")
        command.add_argument("--keep", type=Path, help="new folder for state and log of the bot")
    return parser.parse_args()


def _crash(chosen: argparse.Namespace) -> int:
    # Rows that were spoilt on purpose are no news when they are looked at here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with _folder(chosen) as folder:
        outcome = asyncio.run(
            run_crash(
                folder,
                faults=chosen.faults,
                seconds=chosen.seconds,
                seed=chosen.seed,
                people=chosen.people,
                install=ManyMachines if chosen.many else OneMachine,
                say=_say,
            )
        )
    print(crash_table(outcome))
    _write(chosen.json, outcome.as_json())
    return 0 if outcome.verdict.is_good else 1


def _load(chosen: argparse.Namespace) -> int:
    with _folder(chosen) as folder:
        outcome = asyncio.run(
            run_load(
                folder,
                people=chosen.people,
                seconds=chosen.seconds,
                seed=chosen.seed,
                taps=chosen.taps,
                say=_say,
            )
        )
    print(load_table(outcome))
    _write(chosen.json, outcome.as_json())
    return 0 if outcome.questions.missing == 0 else 1


def _steady(chosen: argparse.Namespace) -> int:
    with _folder(chosen) as folder:
        outcome = asyncio.run(
            run_steady(
                folder,
                minutes=chosen.minutes,
                people=chosen.people,
                seed=chosen.seed,
                shipped=chosen.shipped,
                say=_say,
            )
        )
    print(steady_table(outcome))
    _write(chosen.json, outcome.as_json())
    return 0


@contextmanager
def _folder(chosen: argparse.Namespace) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="impasto-soak-") as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _write(path: Path | None, figures: object) -> None:
    if path is not None:
        path.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
